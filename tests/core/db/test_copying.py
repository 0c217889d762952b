"""A shop that grew moves to PostgreSQL (and could move back): every row, every rupiah, or nothing at all."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paying import ORDER, answer, book, booking_of, give_link
from sqlalchemy import select, text, update
from workshop import SPEAKER

from core import payment
from core.context import Context
from core.db import copying
from core.db.copying import CopyFailed
from core.db.database import Database, upgrade
from core.db.tables import Base, Counter, Customer, Inbound, LedgerEntry, Part
from core.shop import Shop


@asynccontextmanager
async def opened(*urls: str) -> AsyncIterator[list[Database]]:
    databases = [Database(url) for url in urls]
    yield databases
    for database in databases:
        await database.close()


async def rows(database: Database) -> Mapping[str, list[tuple[Any, ...]]]:
    async with database.read() as session:
        return {
            table.name: sorted(map(tuple, await session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


async def run_a_shop(database: Database, shop: Shop, now: datetime) -> None:
    """A paid booking of a part and a service, with its invoice, and a message that failed."""
    price = 765_000 + 150_000
    await book(database, shop, now, parts=((SPEAKER, 1),))
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(amount=price))
        session.add(Inbound(channel="telegram", event_id="9", address="5", received_at=now, raw={"a": None}, error="x"))
        session.add(Inbound(channel="telegram", event_id="8", address="5", received_at=now))
        session.add_all(
            Customer(name=f"Pelanggan ke-{number} 🎧", created_at=now) for number in range(copying.BATCH * 2)
        )


async def test_a_copy_to_postgresql_and_back_is_identical(
    sqlite_url: str, postgres_url: str, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    async with opened(sqlite_url, postgres_url, f"sqlite+aiosqlite:///{tmp_path / 'back.db'}") as (
        first,
        second,
        third,
    ):
        await run_a_shop(first, shop, now)
        await upgrade(third)
        tallies = await copying.copy(first, second)
        await copying.copy(second, third)
        there = await rows(first)
        assert await rows(second) == await rows(third) == there
        assert tallies["ledger_entry"]["sum of amount"] == 915_000
        assert tallies["booking"]["rows"] == 1


async def test_after_the_move_the_shop_goes_on(sqlite_url: str, postgres_url: str, shop: Shop, now: datetime) -> None:
    """New rows get new numbers: nothing collides, and invoices count on."""
    async with opened(sqlite_url, postgres_url) as (first, second):
        await run_a_shop(first, shop, now)
        await copying.copy(first, second)
        tomorrow = now + timedelta(days=1)
        await book(second, shop, now, code="BK-000002", starts_at=shop.at(tomorrow.date(), now.time()).replace(hour=11))
        assert (await booking_of(second, "BK-000002")).id == 2
        async with second.read() as session:
            assert await session.scalar(select(Counter.last)) == 1


async def test_a_target_with_rows_in_it_is_left_as_it_is(
    sqlite_url: str, postgres_url: str, shop: Shop, now: datetime
) -> None:
    async with opened(sqlite_url, postgres_url) as (first, second):
        await run_a_shop(first, shop, now)
        async with second.write() as session:
            session.add(Part(id="own", name="Own", category="other", brand="x", price=1))
        before = await rows(second)
        with pytest.raises(CopyFailed, match="rows in part"):
            await copying.copy(first, second)
        assert await rows(second) == before


async def test_a_refused_row_rolls_the_copy_back(sqlite_url: str, postgres_url: str, shop: Shop, now: datetime) -> None:
    """SQLite keeps a NUL in a text, PostgreSQL doesn't."""
    async with opened(sqlite_url, postgres_url) as (first, second):
        await run_a_shop(first, shop, now)
        async with first.write() as session:
            await session.execute(update(LedgerEntry).values(evidence={}))
            await session.execute(update(Inbound).values(address="5\x00"))
        empty = await rows(second)
        with pytest.raises(CopyFailed, match="inbound"):
            await copying.copy(first, second)
        assert await rows(second) == empty


SKIMMING = (
    "CREATE FUNCTION skim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.amount = 1; RETURN NEW; END $$",
    "CREATE TRIGGER skim BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION skim()",
)


async def test_a_sum_that_differs_leaves_nothing(sqlite_url: str, postgres_url: str, shop: Shop, now: datetime) -> None:
    """A target that changes what is written into it, as a trigger may."""
    async with opened(sqlite_url, postgres_url) as (first, second):
        await run_a_shop(first, shop, now)
        empty = await rows(second)
        await _execute(second, *SKIMMING)
        try:
            with pytest.raises(CopyFailed, match="ledger_entry isn't the same: sum of amount"):
                await copying.copy(first, second)
        finally:
            await _execute(second, "DROP FUNCTION skim CASCADE")
        assert await rows(second) == empty


async def _execute(database: Database, *statements: str) -> None:
    async with database.write() as session:
        for statement in statements:
            await session.execute(text(statement))


async def test_a_source_of_an_older_version_is_refused(sqlite_url: str, postgres_url: str) -> None:
    async with opened(sqlite_url, postgres_url) as (first, second):
        await _execute(first, "UPDATE alembic_version SET version_num = '0015'")
        with pytest.raises(CopyFailed, match="db upgrade"):
            await copying.copy(first, second)
