"""A whole database copied into an empty one, of the same kind or the other: all of it, or nothing.

source, one snapshot ── table by table, batch by batch ──> target, one transaction
                              counts and sums are the same ── commit, else roll back
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import BigInteger, Integer, Table, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db.database import AWAY, Database
from core.db.tables import Base

BATCH = 500
"""Rows in memory at a time."""

Tally = Mapping[str, int]
"""A table's `rows`, and the sum of each integer column (money included)."""


class CopyFailed(Exception):
    """Why nothing was copied, in a sentence."""


async def copy(source: Database, target: Database) -> Mapping[str, Tally]:
    """Copy every row into `target`, which has the newest schema; raises `CopyFailed`."""
    async with _snapshot(source) as reading, target.engine.begin() as writing:
        if await _version(reading) != await _version(writing):
            raise CopyFailed("The source's schema isn't the newest one: run `bengkel db upgrade` on it first.")
        copied = {}
        for table in Base.metadata.sorted_tables:  # what is referred to comes first
            if (await _tally(writing, table))["rows"]:
                raise CopyFailed(f"The target isn't empty: there are rows in {table.name}.")
            await _fill(reading, writing, table)
            copied[table.name] = await _compared(reading, writing, table)
        if not target.is_sqlite:
            await _set_sequences(writing)
    return copied


@asynccontextmanager
async def _snapshot(source: Database) -> AsyncIterator[AsyncConnection]:
    async with source.reading_engine.connect() as connection:
        if not source.is_sqlite:  # there a transaction is a snapshot by itself
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


async def _version(connection: AsyncConnection) -> str | None:
    if not await connection.run_sync(lambda each: inspect(each).has_table("alembic_version")):
        return None
    return str(await connection.scalar(text("SELECT version_num FROM alembic_version")))


async def _fill(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> None:
    rows = await reading.stream(select(table), execution_options={"yield_per": BATCH})
    try:
        async for batch in rows.partitions():
            await writing.execute(insert(table), [dict(row._mapping) for row in batch])
    except AWAY:
        raise
    except (DBAPIError, StatementError, LookupError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CopyFailed(f"A row of {table.name} can't be copied: {reason}.") from error


async def _compared(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> Tally:
    there, here = await _tally(reading, table), await _tally(writing, table)
    wrong = [what for what in there if there[what] != here[what]]
    if wrong:
        raise CopyFailed(f"The copy of {table.name} isn't the same: {', '.join(wrong)}.")
    return here


async def _tally(connection: AsyncConnection, table: Table) -> Tally:
    whole = [column for column in table.columns if isinstance(column.type, Integer | BigInteger)]
    sums = [func.coalesce(func.sum(column), 0).label(f"sum of {column.name}") for column in whole]
    found = await connection.execute(select(func.count().label("rows"), *sums).select_from(table))
    return {name: int(value) for name, value in found.mappings().one().items()}


async def _set_sequences(writing: AsyncConnection) -> None:
    """Let PostgreSQL's sequences continue after the copied ids."""
    for table in Base.metadata.sorted_tables:
        counting = table.autoincrement_column
        if counting is not None:
            sequence = func.pg_get_serial_sequence(table.name, counting.name)
            await writing.execute(select(func.setval(sequence, select(func.max(counting)).scalar_subquery())))
