"""The database keeps what we rely on, on both engines."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.db.database import Database
from core.db.tables import Closure, Customer


async def test_a_moment_comes_back_aware_and_in_utc(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Customer(name="Sari", created_at=now))
    async with database.read() as session:
        customer = (await session.scalars(select(Customer))).one()
        assert customer.created_at == now
        assert customer.created_at.tzinfo is UTC


async def test_a_block_that_raises_changes_nothing(database: Database, now: datetime) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as session:
            session.add(Closure(day=now.date(), reason="Nyepi"))
            await session.flush()
            _ = 1 / 0
    async with database.read() as session:
        assert (await session.scalars(select(Closure))).all() == []
