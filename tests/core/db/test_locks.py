"""What the database does to those who come at the same time, on both engines."""

import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from core.db.database import AWAY, Database
from core.db.tables import Closure


@pytest.fixture
async def hasty(database: Database) -> Any:
    """The same database, seen by a process with little lock_timeout."""
    hasty = Database(database.url, lock_timeout=timedelta(milliseconds=500))
    yield hasty
    await hasty.close()


async def test_a_lock_timeout_is_an_operational_error(database: Database, hasty: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Closure(day=now.date(), reason="Nyepi"))
        await session.flush()
        with pytest.raises(OperationalError):
            async with hasty.write() as rival:
                rival.add(Closure(day=now.date(), reason="Nyepi"))


async def test_readers_do_not_wait_and_see_committed_rows(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Closure(day=now.date(), reason="Nyepi"))
        await session.flush()
        async with database.read() as reader:
            assert (await reader.scalars(select(Closure))).all() == []
    async with database.read() as reader:
        assert len((await reader.scalars(select(Closure))).all()) == 1


async def test_a_reader_cannot_write(database: Database, now: datetime) -> None:
    with pytest.raises(DBAPIError):
        async with database.read() as session:
            session.add(Closure(day=now.date(), reason="Nyepi"))
            await session.flush()
    async with database.write() as session:  # and the writers, who may share its connections, still can
        session.add(Closure(day=now.date(), reason="Nyepi"))


async def test_reading_leaves_no_transaction_open(database: Database, now: datetime) -> None:
    for day in range(1, 20):  # more often than the pool has connections
        async with database.read() as session:
            await session.scalars(select(Closure))
        async with database.write() as session:
            session.add(Closure(day=date(2026, 12, day), reason="Libur"))
    if database.is_sqlite:
        # A snapshot left open would keep the write-ahead log from being emptied.
        with closing(sqlite3.connect(str(make_url(database.url).database))) as connection:
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert busy == 0
    else:
        async with database.read() as session:
            idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            assert await session.scalar(text(idle)) == 0


@pytest.mark.parametrize("given", ["nobody@/bengkel", "postgres@/nothing"], ids=["no such user", "no such database"])
async def test_a_database_that_lets_nobody_in_is_away(postgres_url: str, given: str) -> None:
    """While it is put back from a backup, say; also what a turn then raises must have the message come again."""
    nowhere = Database(postgres_url.replace("postgres@/bengkel", given))
    with pytest.raises(AWAY):
        async with nowhere.read() as session:
            await session.execute(select(1))
    await nowhere.close()
