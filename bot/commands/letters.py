"""`bengkel outbox`: the messages that failed for good.

list ──> which, to whom (masked), why     resend ──> one is due again, the running server sends it
"""

from argparse import Namespace
from collections.abc import AsyncIterator

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import load
from bot.watching.logs import Mask
from core.db.database import Database
from core.refusals import NotFound
from core.upkeep import failed_turns, undelivered

MOST_LISTED = 200


async def run(options: Namespace) -> AsyncIterator[str]:
    """List the messages that were given up, or send one again."""
    settings = load(options.config)
    async with opened(settings) as database:
        if options.deed == "list":
            async for line in _listed(database, Mask(settings.secrets)):
                yield line
        elif not options.key:
            raise CommandFailed("Name the message: bengkel outbox resend KEY.")
        else:
            yield await _resent(database, options.key)


async def _listed(database: Database, mask: Mask) -> AsyncIterator[str]:
    async with database.read() as session:
        found = await undelivered.listed(session, limit=MOST_LISTED)
    for row in (letter.row for letter in found):
        reason = " ".join(mask.text(row.error or "").split())
        yield f"{row.due_at:%Y-%m-%d %H:%M}Z  {row.key}  to {row.channel} {failed_turns.masked(row.address)}  {reason}"
    if not found:
        yield "No message has failed."


async def _resent(database: Database, key: str) -> str:
    try:
        async with database.write() as session:
            await undelivered.resend(session, key=key, now=app.now())
    except NotFound:
        raise CommandFailed(f"No message that failed is called {key}; see bengkel outbox list.") from None
    return "It goes out with the running server, or when it is started next."
