"""The migrations make exactly the tables that the program maps; upgrading loses nothing, and doing it twice does no harm."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, Date, bindparam, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import selectinload

from core.db.database import Database, SchemaTooOld, upgrade
from core.db.tables import Base, Booking, Contact, Customer, Invoice, Leave, LedgerEntry, Outbox, Technician

OLD_DATABASE = Path(__file__).parent / "old_database"
UPGRADE = """
import asyncio, sys
from core.db.database import Database, upgrade

async def main():
    database = Database(sys.argv[1])
    await upgrade(database)
    await database.close()

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a single table."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
async def old(empty_url: str) -> AsyncIterator[Database]:
    """What the last of the numbered migrations left behind, with a paid booking in it."""
    database = Database(empty_url)
    if database.is_sqlite:
        with closing(sqlite3.connect(make_url(empty_url).database or "")) as file:
            file.executescript((OLD_DATABASE / "sqlite.sql").read_text("utf-8"))
    else:
        connection = await asyncpg.connect(empty_url.replace("+asyncpg", ""))
        await connection.execute((OLD_DATABASE / "postgresql.sql").read_text("utf-8"))
        await connection.close()
    yield database
    await database.close()


def differences(connection: Connection) -> list[object]:
    """Between the tables in a database and those that the program maps."""
    return compare_metadata(MigrationContext.configure(connection), Base.metadata)


async def version(database: Database) -> str:
    async with database.engine.connect() as connection:
        return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()


async def test_migrations_make_what_the_program_maps(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_check_is_in_the_database(database: Database) -> None:
    """Alembic doesn't compare checks."""
    tables = Base.metadata.tables.values()
    mapped = {each.name for table in tables for each in table.constraints if isinstance(each, CheckConstraint)}

    def checks(connection: Connection) -> set[str | None]:
        found = inspect(connection)
        return {check["name"] for table in tables for check in found.get_check_constraints(table.name)}

    async with database.engine.connect() as connection:
        assert await connection.run_sync(checks) == mapped


async def test_every_partial_index_is_partial(database: Database) -> None:
    """Alembic doesn't compare conditions."""
    kind = "sqlite" if database.is_sqlite else "postgresql"
    tables = Base.metadata.tables.values()
    mapped = {
        each.name for table in tables for each in table.indexes if each.dialect_options[kind]["where"] is not None
    }

    def partial(connection: Connection) -> set[str | None]:
        found = inspect(connection)
        indexes = [index for table in tables for index in found.get_indexes(table.name)]
        return {index["name"] for index in indexes if index.get("dialect_options", {}).get(f"{kind}_where") is not None}

    async with database.engine.connect() as connection:
        assert await connection.run_sync(partial) == mapped


async def test_numbered_database_is_upgraded(old: Database) -> None:
    await upgrade(old)
    async with old.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    async with old.read() as session:
        booking = await session.scalar(select(Booking).options(selectinload(Booking.lines)))
        assert booking is not None
        assert (booking.code, booking.paid_amount) == ("BK-000001", 915_000)
        assert [(line.part_id, line.total) for line in booking.lines] == [("speaker-65", 765_000), (None, 150_000)]
        assert (await session.scalars(select(Customer.name))).all() == ["Pelanggan 1"]
        assert (await session.scalars(select(Contact.address))).all() == ["5001"]
        assert (await session.scalars(select(LedgerEntry.amount))).all() == [915_000]
        assert (await session.scalars(select(Invoice.number))).all() == ["INV/2026/00001"]
        assert set(await session.scalars(select(Outbox.state))) == {"due"}


async def test_leave_survives_an_upgrade(old: Database) -> None:
    day = bindparam("day", date(2026, 11, 24), Date())
    async with old.write() as session:
        await session.execute(
            text("INSERT INTO leave (technician_id, day) SELECT id, :day FROM technician").bindparams(day)
        )
    await upgrade(old)
    async with old.read() as session:
        kept = (await session.execute(select(Leave.technician_id, Leave.day, Leave.begins))).all()
        technicians = list(await session.scalars(select(Technician.id)))
    assert technicians
    assert sorted(kept) == [(each, date(2026, 11, 24), None) for each in sorted(technicians)]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE ledger_entry SET amount = 1", "an entry of the ledger is never"),
        ("DELETE FROM ledger_entry", "an entry of the ledger is never"),
        ("UPDATE invoice SET facts = '{}'", "a paper is never"),
        ("DELETE FROM receipt", "a paper is never"),
    ],
)
async def test_upgraded_database_keeps_its_triggers(old: Database, change: str, refusal: str) -> None:
    await upgrade(old)
    with pytest.raises(DBAPIError, match=refusal):
        async with old.write() as session:
            await session.execute(text(change))


async def test_older_schema_is_refused(old: Database) -> None:
    async with old.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0014'"))
    with pytest.raises(SchemaTooOld, match="0014"):
        await upgrade(old)
    assert await version(old) == "0014"


async def test_upgrading_twice_is_harmless(database: Database) -> None:
    before = await version(database)
    await upgrade(database)
    assert await version(database) == before


async def test_concurrent_upgrades_run_one_after_the_other(empty_url: str) -> None:
    database = Database(empty_url)
    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, empty_url, stderr=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in starts))
    assert [(process.returncode, err) for process, (_, err) in zip(starts, ends, strict=True)] == [(0, b"")] * 2
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(text("alembic_version"))) == 1
    await database.close()
