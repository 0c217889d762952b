"""Fixtures for all tests: databases of both kinds, a shop and a fixed time.

`database` runs a test on SQLite and on PostgreSQL, each time as if just migrated.
"""

import gc
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from databases import Aside, Postgres, Sqlite, opened
from hypothesis import settings
from shops import MONDAY_8_AM, make_shop

from core.db.database import Database
from core.shop import Shop

# The duration of an example depends on the machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Exclude the loaded modules from garbage collection, which would take a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)


@pytest.fixture
def now() -> datetime:
    return MONDAY_8_AM


@pytest.fixture
def shop() -> Shop:
    """The demo workshop: open 09:00 to 17:00, closed on Sunday, three places per slot."""
    return make_shop()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """An empty migrated database of each kind."""
    async with opened(request.getfixturevalue(f"{request.param}_url")) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
async def stocked(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A database of each kind with the demo catalogue in it."""
    async with opened(request.getfixturevalue(f"stocked_{request.param}_url")) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Database, Database]]:
    """Two Database objects on one database, as two processes have them."""
    url = request.getfixturevalue(f"{request.param}_url")
    ways = Database(url), Database(url)
    yield ways
    for way in ways:
        await way.close()


@pytest.fixture
def sqlite_url(sqlite: Sqlite) -> str:
    return sqlite.put_back("bare")


@pytest.fixture
def stocked_sqlite_url(sqlite: Sqlite) -> str:
    return sqlite.put_back("stocked")


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.put_back("bare")


@pytest.fixture
def stocked_postgres_url(postgres: Postgres) -> str:
    return postgres.put_back("stocked")


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database without tables."""
    with postgres.empty() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_templates(sqlite: Sqlite) -> Path:
    """The folder with `bare.db` and `stocked.db`."""
    return sqlite.folder


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory, aside: Aside) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("sqlite"), aside)


@pytest.fixture(scope="session")
def postgres(aside: Aside) -> Iterator[Postgres]:
    """One server per pytest worker."""
    server = Postgres(aside)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def aside() -> Iterator[Aside]:
    aside = Aside()
    yield aside
    aside.stop()
