"""The shop with its vendors on each database, stopped or running."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from town import Clock, Town

from bot.sandbox.demo import free_port, settings_for
from bot.sandbox.server import stand_ins


@pytest.fixture(params=["sqlite", "postgres"])
async def closed_town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """A shop with the demo catalogue whose server isn't running yet."""
    url = request.getfixturevalue(f"stocked_{request.param}_url")
    clock = Clock()
    async with stand_ins(clock) as there:
        settings = settings_for(there, folder=tmp_path, database=url, port=free_port())
        there.connect_shop(settings.server.public_url)
        yield Town(there, settings, clock)


@pytest.fixture
async def town(closed_town: Town) -> AsyncIterator[Town]:
    """A shop with the demo catalogue whose server is running."""
    async with closed_town.open():
        yield closed_town
