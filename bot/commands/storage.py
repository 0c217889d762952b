"""`bengkel backup` and `bengkel db`: maintain the database."""

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
        raise CommandFailed("Back PostgreSQL up with pg_dump --format=custom, and restore it with pg_restore.")
    target = options.file or (settings.backup.folder or Path()) / backup.name(app.now())
    try:
        counts = await asyncio.to_thread(backup.back_up, source, target)
    except BackupFailed as error:
        raise CommandFailed(str(error)) from None
    yield f"{target}: {_described(counts)}, checked"


async def database(options: Namespace) -> AsyncIterator[str]:
    """Migrate the schema, or copy a whole database into an empty one."""
    if options.step == "upgrade":
        async with opened(load(options.config)):
            yield "The schema is up to date."
        return
    if len(options.urls) != 2:
        raise CommandFailed("Name both: bengkel db copy FROM TO, each as in database.url.")
    source, target = map(_database_at, options.urls)
    _check_exists(source)
    try:
        await upgrade(target)
        for name, tally in (await copying.copy(source, target)).items():
            yield f"{name}: " + ", ".join(f"{what} {value}" for what, value in tally.items())
        yield "Copied; counts and sums match. Set database.url to the new database."
    except CopyFailed as error:
        raise CommandFailed(f"{error} Nothing was copied.") from None
    finally:
        await source.close()
        await target.close()


def _database_at(url: str) -> Database:
    try:
        return Database(DatabaseAt(url=url).url)
    except ValidationError as error:
        raise CommandFailed(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}.") from None


def _check_exists(database: Database) -> None:
    """Connecting to a missing SQLite file would create it."""
    file = make_url(database.url).database
    if database.is_sqlite and not Path(file or "").is_file():
        raise CommandFailed(f"There is no database {file}.")


def _described(counts: Counts) -> str:
    names = {"customer": "customers", "booking": "bookings", "ledger_entry": "ledger entries"}
    return ", ".join(f"{counts[table]} {plural}" for table, plural in names.items())
