"""Engines and sessions: SQLite with one writer and many readers, or PostgreSQL.

SQLite: every write transaction begins with BEGIN IMMEDIATE on the one write connection, so nobody
reads what he is about to change before it is his; readers have a pool of their own (WAL).
PostgreSQL: one pool; rivals meet at row locks and conditional updates.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

AWAY: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
)
"""What is raised while the database is locked, away or starting: nothing has changed, later may go well."""


class Database:
    """Where entry points begin transactions; core only ever receives the session."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite(url, begin="BEGIN IMMEDIATE", pool_size=1)
            self._reader = _sqlite(url, begin="BEGIN", pool_size=4)
        else:
            self._writer = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True)
            self._reader = self._writer

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes (migrations, tests)."""
        return self._writer

    @property
    def reading_engine(self) -> AsyncEngine:
        """The engine that reads (tests)."""
        return self._reader

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session to read with; what it changes is never committed."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def _sqlite(url: str, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=30)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


async def insert_once(session: AsyncSession, table: type[Any], **values: Any) -> bool:
    """Insert a row unless its key is there already (one statement on both databases); whether it was new."""
    statement = insert_into(session, table).values(**values).on_conflict_do_nothing()
    return await session.scalar(statement.returning(literal_column("1"))) is not None


def insert_into(session: AsyncSession, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, as the session's database writes it."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table.__table__)


async def upgrade(database: Database) -> None:
    """Bring the schema to the newest version (Alembic)."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "core:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
