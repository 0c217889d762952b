"""Engines and sessions: SQLite with one writer and many readers, or PostgreSQL.

SQLite: every write transaction begins with BEGIN IMMEDIATE on the one write connection, so nobody
reads rows that another transaction is changing; readers have their own pool (WAL).
PostgreSQL: one pool; concurrent writers are ordered by row locks and conditional updates.
On both a reader can't write, and waiting too long for a lock raises `OperationalError`.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    ColumnElement,
    Connection,
    ExceptionContext,
    Executable,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from core.db.sqlite_driver import use_fewer_calls

AWAY: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
)
"""Raised while the database is locked, away or starting: nothing has changed, and a retry may succeed."""


_MILLISECOND = timedelta(milliseconds=1)
_OPERATIONAL_CLASSES = {"08", "28", "3D", "53", "57", "58"}
"""PostgreSQL's connection exceptions, refused sign-in, no such database, insufficient resources, operator intervention,
errors of its machine."""
_OPERATIONAL_STATES = {"55P03", "40P01", "25006", "55000"}
"""PostgreSQL's lock_not_available, deadlock_detected, read_only_sql_transaction, and what a closed database says."""


_DEAD_PEER = {
    "idle_in_transaction_session_timeout": "60000",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "4",
}
"""After a minute PostgreSQL releases the locks of a process that hangs or whose machine lost power."""


_BROKEN_FILE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

_LAST_NUMBERED, _SQUASHED = "0015", "schema_1"
"""The migrations '0001' to '0015' were squashed into one that makes the same schema."""


CheckLock = Callable[[], Awaitable[None]]


class UnusableDatabase(Exception):
    """Why this version can't use a database, and what to do first, in a sentence."""


class SchemaTooOld(UnusableDatabase):
    pass


class SchemaTooNew(UnusableDatabase):
    pass


class Database:
    """Entry points begin transactions here; core only receives the session."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        lock_timeout: timedelta = timedelta(seconds=10),
        deadline: timedelta | None = None,
    ) -> None:
        """`deadline`: the timeout of a statement on PostgreSQL, which closes its connection; None: no timeout."""
        self.url = url
        self.lock_timeout = lock_timeout
        """How long a statement waits for a lock."""
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = _sqlite(url, begin="BEGIN IMMEDIATE", pool_size=1, lock_timeout=lock_timeout)
            self.reading_engine = _sqlite(url, begin="BEGIN", pool_size=4, lock_timeout=lock_timeout, query_only="ON")
        else:
            self.engine = _postgresql(url, pool_size=pool_size, lock_timeout=lock_timeout, deadline=deadline)
            self.reading_engine = self.engine.execution_options(postgresql_readonly=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session to read with; the database refuses its writes."""
        async with AsyncSession(self.reading_engine, expire_on_commit=False) as session:
            yield session

    def try_lock(self, what: str) -> AbstractAsyncContextManager[CheckLock | None]:
        """Hold the lock `what` against other processes until the block ends; None while another process holds it.

        The yielded check raises one of `AWAY` once the lock is lost. On SQLite nothing is locked: it serves one process.
        """
        return self._session_lock(func.pg_try_advisory_lock(func.hashtext(what)))

    def lock_shared(self, what: str) -> AbstractAsyncContextManager[CheckLock | None]:
        """Hold the lock `what` together with others that share it; waits while `try_lock` or `lock` holds it."""
        return self._session_lock(func.pg_advisory_lock_shared(func.hashtext(what)))

    def lock(self, what: str) -> AbstractAsyncContextManager[CheckLock | None]:
        """Wait for the lock `what` and hold it without a transaction; also keeps out `advisory_lock`."""
        return self._session_lock(func.pg_advisory_lock(func.hashtext(what)))

    @asynccontextmanager
    async def _session_lock(self, lock: ColumnElement[bool | None]) -> AsyncIterator[CheckLock | None]:
        if self.is_sqlite:
            yield _always_held
            return
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")

            async def check() -> None:
                await connection.execute(select(1))

            try:
                yield None if await connection.scalar(select(lock)) is False else check
            finally:
                # Closed, not given back to the pool: the lock ends with the connection, whatever its state.
                await connection.invalidate()

    async def close(self) -> None:
        await self.engine.dispose()
        await self.reading_engine.dispose()


def _sqlite(url: str, *, begin: str, pool_size: int, lock_timeout: timedelta, **pragmas: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, **_common(lock_timeout))
    use_fewer_calls(engine)
    # The timeout first: turning WAL on needs the lock already.
    settings = {"busy_timeout": f"{lock_timeout // _MILLISECOND}", "journal_mode": "WAL"}
    settings |= {"synchronous": "FULL", "foreign_keys": "ON"} | pragmas

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma, value in settings.items():
            cursor.execute(f"PRAGMA {pragma}={value}")  # nosemgrep: no-sql-from-strings
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: str, *, pool_size: int, lock_timeout: timedelta, deadline: timedelta | None) -> AsyncEngine:
    settings = {"lock_timeout": f"{lock_timeout // _MILLISECOND}", "application_name": "bengkel"} | _DEAD_PEER
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "server_settings": settings,
            "timeout": lock_timeout.total_seconds(),
            "command_timeout": deadline and deadline.total_seconds(),
        },
        **_common(lock_timeout),
    )

    @event.listens_for(engine.sync_engine, "handle_error")
    def _name_operational(context: ExceptionContext) -> OperationalError | None:
        error = context.original_exception
        # What the driver raises when a connection breaks in the middle of a message.
        broken = isinstance(error.__cause__, asyncpg.InternalClientError)
        # A server that doesn't answer won't take a rollback either.
        context.is_disconnect |= broken or isinstance(error, TimeoutError)
        # asyncpg's dialect calls them all plain errors; SQLite's driver tells them apart by itself.
        state = getattr(error, "sqlstate", None) or ""
        if broken or state[:2] in _OPERATIONAL_CLASSES or state in _OPERATIONAL_STATES:
            return OperationalError(context.statement, context.parameters, error)
        return None

    return engine


def _common(lock_timeout: timedelta) -> dict[str, Any]:
    # Errors must not log parameters: they hold what people wrote.
    return {"pool_timeout": lock_timeout.total_seconds(), "hide_parameters": True}


async def _always_held() -> None:
    """SQLite serves one process, which can't lose its lock."""


async def insert_once(session: AsyncSession, table: type[Any], **values: Any) -> bool:
    """Insert a row unless its key is there already (one statement on both databases); whether it was new."""
    once: Executable = insert_into(session, table).on_conflict_do_nothing().returning(literal_column("1"))
    return await session.scalar(once, values) is not None


def insert_into(session: AsyncSession, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, as the session's database writes it."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table.__table__)
    return sqlite.insert(table.__table__)


async def advisory_lock(session: AsyncSession, what: str) -> None:
    """Lock `what` until the transaction ends; SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(what))))


async def upgrade(database: Database) -> None:
    """Bring the schema to the newest version (Alembic), one process at a time, without a statement timeout.

    Raises `UnusableDatabase`; then nothing has changed.
    """
    if database.is_sqlite:
        _check_opens(database)
        # Alembic alters a SQLite table by rebuilding it, which foreign keys would prevent.
        begin, timeout = "BEGIN IMMEDIATE", database.lock_timeout
        engine = _sqlite(database.url, begin=begin, pool_size=1, lock_timeout=timeout, foreign_keys="OFF")
    else:
        engine = _postgresql(database.url, pool_size=1, lock_timeout=database.lock_timeout, deadline=None)
    try:
        async with engine.begin() as connection:
            if not database.is_sqlite:
                # Another process's migration may take longer than the lock timeout, which then applies to this one again.
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upgrading"))))
                await connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
            await connection.run_sync(_upgrade)
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", None) not in _BROKEN_FILE:
            raise
        raise UnusableDatabase(
            f"{make_url(database.url).database} is no SQLite database, or a damaged one ({error.orig}): "
            "check database.url, or restore a backup."
        ) from error
    finally:
        await engine.dispose()


def _check_opens(database: Database) -> None:
    # The asynchronous driver would leave a thread behind, with a traceback.
    file = make_url(database.url).database or ":memory:"
    try:
        sqlite3.connect(file).close()
    except sqlite3.OperationalError as error:
        raise UnusableDatabase(f"{file} can't be opened: {error} (database.url).") from error


def _upgrade(connection: Connection) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision == _migrations().get_current_head():
        return
    if revision and not _replace_numbered(connection, revision) and revision not in _revisions():
        raise SchemaTooNew(
            f"The database has schema {revision}, which this version doesn't know: "
            "run the newer version that made it, or restore a backup from before that."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "core.db:migrations")
    return config


@cache
def _migrations() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _revisions() -> set[str]:
    return {each.revision for each in _migrations().walk_revisions()}


def _replace_numbered(connection: Connection, revision: str) -> bool:
    """Whether the schema is the last of the squashed ones; raises `SchemaTooOld` for an earlier one."""
    if revision == _LAST_NUMBERED:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": _SQUASHED})
        return True
    if revision.isdecimal() and revision < _LAST_NUMBERED:
        raise SchemaTooOld(
            f"The database has schema {revision}, which is too old to upgrade from: "
            "run `bengkel db upgrade` of version 0.1.0 as of commit ab43fdb first."
        )
    return False
