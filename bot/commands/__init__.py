"""What `bengkel` does beside serving: each command yields the lines it says, `bot/__main__.py` prints them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot import app
from bot.config import Settings
from core.db.database import Database, upgrade


class CommandFailed(Exception):
    """Why a command couldn't do what it was asked, in a sentence."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings, migrated, while the block runs."""
    database = app.database(settings)
    try:
        await upgrade(database)
        yield database
    finally:
        await database.close()
