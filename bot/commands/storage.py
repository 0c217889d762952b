"""`bengkel backup` and `bengkel db`: looking after the database itself."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.engine import make_url

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import DatabaseAt, load
from core.db import backup, copying
from core.db.backup import BackupFailed, Counts
from core.db.copying import CopyFailed
from core.db.database import Database, upgrade


async def back_up(options: Namespace) -> AsyncIterator[str]:
    """Copy a SQLite database into a file while it is in use."""
    settings = load(options.config)
    source = app.sqlite_file(settings)
    if source is None:
        raise CommandFailed(
            "PostgreSQL has its own backup: use pg_dump --format=custom, and pg_restore to bring it back."
        )
    target = options.file or (settings.backup.folder or Path()) / backup.name(app.now())
    try:
        counts = await asyncio.to_thread(backup.back_up, source, target)
    except BackupFailed as error:
        raise CommandFailed(str(error)) from None
    yield f"{target}: {_told(counts)}, checked"


async def database(options: Namespace) -> AsyncIterator[str]:
    """Bring the schema to the newest version, or copy a whole database into an empty one."""
    if options.step == "upgrade":
        async with opened(load(options.config)):
            yield "The schema is of the newest version."
        return
    if len(options.urls) != 2:
        raise CommandFailed("Name both: bengkel db copy FROM TO, each as in database.url.")
    there, here = map(_database_at, options.urls)
    _check_there(there)
    try:
        await upgrade(here)
        for name, tally in (await copying.copy(there, here)).items():
            yield f"{name}: " + ", ".join(f"{what} {value}" for what, value in tally.items())
        yield "Copied, and the same by count and sum. Set database.url to the new one."
    except CopyFailed as error:
        raise CommandFailed(f"{error} Nothing was copied.") from None
    finally:
        await there.close()
        await here.close()


def _database_at(url: str) -> Database:
    try:
        return Database(DatabaseAt(url=url).url)
    except ValidationError as error:
        raise CommandFailed(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}.") from None


def _check_there(database: Database) -> None:
    """Connecting would make the file."""
    file = make_url(database.url).database
    if database.is_sqlite and not Path(file or "").is_file():
        raise CommandFailed(f"There is no database {file}.")


def _told(counts: Counts) -> str:
    names = {"customer": "customers", "booking": "bookings", "ledger_entry": "ledger entries"}
    return ", ".join(f"{counts[table]} {plural}" for table, plural in names.items())
