"""`bengkel outbox`: messages that failed for good (dead letters).

list ──> key, recipient (masked), reason     resend ──> mark one as due; the running server sends it
"""

from argparse import Namespace
from collections.abc import AsyncIterator

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import load
from bot.watching.logs import Mask
from core.context import Context
from core.db.database import Database
from core.refusals import NotFound
from core.shop import Shop
from core.upkeep import failed_turns, undelivered

MOST_LISTED = 200


async def run(options: Namespace) -> AsyncIterator[str]:
    settings = load(options.config)
    async with opened(settings) as database:
        if options.action == "list":
            async for line in _listed(database, Mask(settings.secrets)):
                yield line
        elif not options.key:
            raise CommandFailed("Name the message: bengkel outbox resend KEY.")
        else:
            yield await _resent(database, settings.shop, options.key)


async def _listed(database: Database, mask: Mask) -> AsyncIterator[str]:
    async with database.read() as session:
        found = await undelivered.listed(session, limit=MOST_LISTED)
    for row in (each.row for each in found):
        reason = " ".join(mask.text(row.error or "").split())
        yield f"{row.due_at:%Y-%m-%d %H:%M}Z  {row.key}  to {row.channel} {failed_turns.masked(row.address)}  {reason}"
    if not found:
        yield "No failed messages."


async def _resent(database: Database, shop: Shop, key: str) -> str:
    try:
        async with database.write() as session:
            await undelivered.resend(Context(session, shop, app.now()), key=key)
    except NotFound:
        raise CommandFailed(f"No failed message has the key {key}; see bengkel outbox list.") from None
    return "The server sends it, now or when it starts."
