"""Databases for race tests."""

from collections.abc import AsyncIterator

import pytest

from core.db.database import Database


@pytest.fixture(params=["sqlite", "sqlite, two processes", "postgres"])
async def databases(request: pytest.FixtureRequest) -> AsyncIterator[list[Database]]:
    """Connections to one database: one object, or two that share a file as two processes do."""
    engine, _, several = request.param.partition(",")
    url = request.getfixturevalue(f"{engine}_url")
    ways = [Database(url) for _ in range(2 if several else 1)]
    yield ways
    for way in ways:
        await way.close()
