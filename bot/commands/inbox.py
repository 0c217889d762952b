"""`bengkel inbox`: messages whose turn failed through a bug.

list ──> sender (masked) and error     show ──> one message as it came     replay ──> run the turn again
"""

import json
import logging
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import Settings, load
from bot.intake import READERS, Intake
from core.db.database import AWAY, Database
from core.db.tables import Inbound
from core.refusals import NotFound
from core.upkeep import failed_turns

_log = logging.getLogger(__name__)


async def run(options: Namespace) -> AsyncIterator[str]:
    settings = load(options.config)
    if options.action != "list" and not options.event_id and not options.all:
        raise CommandFailed(f"Name the message: bengkel inbox {options.action} CHANNEL EVENT_ID.")
    async with opened(settings) as database:
        match options.action:
            case "list":
                lines = _listed(database)
            case "show":
                lines = _shown(database, options.channel, options.event_id)
            case _:
                lines = _replayed(settings, database, options)
        async for line in lines:
            yield line


async def _listed(database: Database) -> AsyncIterator[str]:
    async with database.read() as session:
        waiting = await failed_turns.failed(session)
    for channel, event_id, address, received_at, error in waiting:
        yield f"{received_at:%Y-%m-%d %H:%M:%S}Z  {channel} {event_id}  from {failed_turns.masked(address)}  {error}"
    if not waiting:
        yield "No failed messages."


async def _shown(database: Database, channel: str, event_id: str) -> AsyncIterator[str]:
    message = await _found(database, channel, event_id)
    if message.raw is None:
        raise CommandFailed(f"{channel} {event_id} was answered; only failed messages are kept.")
    yield json.dumps(message.raw, ensure_ascii=False, indent=2)


async def _replayed(settings: Settings, database: Database, options: Namespace) -> AsyncIterator[str]:
    async with database.read() as session:
        waiting = [(row.channel, row.event_id) for row in await failed_turns.failed(session)]
    wanted = waiting if options.all else [(options.channel, options.event_id)]
    failures = 0
    async with app.intake_beside(settings, database) as intake:
        for channel, event_id in wanted:
            outcome = await _replay(intake, await _found(database, channel, event_id))
            failures += outcome.startswith("failed")
            yield f"{channel} {event_id}: {outcome}"
    if failures:
        raise CommandFailed(f"{failures} of {len(wanted)} failed again and are still kept.")
    yield "The server sends the replies, now or when it starts." if wanted else "No failed messages."


async def _replay(intake: Intake, message: Inbound) -> str:
    if message.raw is None:
        return "was answered before"
    try:
        incoming = READERS[message.channel](message.raw)
        if incoming is None:
            return "failed again: it holds no message"
        incoming = replace(incoming, written_at=incoming.written_at or message.received_at)
        return "answered" if await intake.replay(incoming) else "was answered before"
    except AWAY:
        raise
    except Exception as bug:  # noqa: BLE001
        # Whatever the bug is, the other messages are still replayed.
        _log.exception("turn failed again: %s %s", message.channel, message.event_id)
        return f"failed again: {type(bug).__name__}"


async def _found(database: Database, channel: str, event_id: str) -> Inbound:
    async with database.read() as session:
        try:
            return await failed_turns.find(session, channel, event_id)
        except NotFound:
            raise CommandFailed(f"There is no {channel} message {event_id}.") from None
