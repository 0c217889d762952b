"""`bengkel backup` and `bengkel db`: looking after the database itself."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import load
from core import backup
from core.backup import BackupFailed, Counts


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
    """Bring the schema to the newest version."""
    async with opened(load(options.config)):
        yield "The schema is of the newest version."


def _told(counts: Counts) -> str:
    names = {"customer": "customers", "booking": "bookings", "ledger_entry": "ledger entries"}
    return ", ".join(f"{counts[table]} {plural}" for table, plural in names.items())
