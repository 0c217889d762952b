"""The migrations make exactly the tables that the program maps, and starting twice does no harm."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, inspect, select, text

from core.db.database import Database, upgrade
from core.db.tables import Base, Contact, Customer

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


async def test_the_newest_migration_is_what_the_program_maps(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_constraints_that_are_relied_on_are_in_the_database(database: Database) -> None:
    """Alembic doesn't compare checks."""

    def checks(connection: Connection) -> set[str | None]:
        tables = inspect(connection)
        return {check["name"] for table in Base.metadata.tables for check in tables.get_check_constraints(table)}

    async with database.engine.connect() as connection:
        found = await connection.run_sync(checks)
    assert {"ck_part_stock", "ck_slot_capacity", "ck_booking_money", "ck_booking_line_quantity"} <= found


async def test_customers_to_whom_nothing_leads_any_more_go(database: Database, now: datetime) -> None:
    """They were left behind by those who turned out to be somebody known."""

    def before(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "core.db:migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")

    async with database.engine.begin() as connection:
        await connection.run_sync(before)
        people = ((1, "in a chat", None), (2, "left behind", None), (3, "on the web", "user_sari"))
        for number, name, user in people:
            values = {"id": number, "name": name, "clerk_user": user, "phone_proven": False, "created_at": now}
            await connection.execute(insert(Customer).values(values))
        chat = {"channel": "telegram", "address": "1", "customer_id": 1, "language": "id", "created_at": now}
        await connection.execute(insert(Contact).values(chat))
    await upgrade(database)
    async with database.read() as session:
        assert set(await session.scalars(select(Customer.name))) == {"in a chat", "on the web"}


async def test_upgrading_twice_is_harmless(database: Database) -> None:
    await upgrade(database)
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(text("alembic_version"))) == 1


async def test_processes_that_start_together_upgrade_one_after_the_other(empty_url: str) -> None:
    database = Database(empty_url)
    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, empty_url, stderr=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in starts))
    assert [(process.returncode, err) for process, (_, err) in zip(starts, ends, strict=True)] == [(0, b"")] * 3
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(text("alembic_version"))) == 1
    await database.close()
