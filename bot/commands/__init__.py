"""The `bengkel` commands beside serving: each yields lines, which `bot/__main__.py` prints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot import app
from bot.config import Settings
from core.db.database import Database, upgrade


class CommandFailed(Exception):
    """A command failed; the message is a sentence for the owner."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The migrated database, closed at the end."""
    database = app.database(settings)
    try:
        await upgrade(database)
        yield database
    finally:
        await database.close()
