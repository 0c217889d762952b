"""What no webhook brought of WhatsApp: messages, and failures of ours. Twilio gives up on a webhook, but keeps both.

We may have been down, or alive without a database: so Twilio is asked at the start, and again and again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.channels.sending import NotSent
from bot.channels.telegram_polling import Pause, backoff
from bot.channels.whatsapp import WhatsAppSender
from conversations.incoming import Incoming
from core.db.database import AWAY
from webhooks.twilio import Delivered

EVERY = timedelta(seconds=30)
OVERLAP = timedelta(minutes=10)
"""Looked at once more before the last time; what came in is known by its id."""
UNDER_WAY = timedelta(seconds=20)
"""What is newer may still come by its webhook, which brings taps, places and photos too (Twilio tries for 15 s)."""

_PASSING: tuple[type[Exception], ...] = (NotSent, *AWAY)

_log = logging.getLogger(__name__)


async def catch_up(
    sender: WhatsAppSender,
    *,
    since: datetime,
    take: Callable[[Sequence[Incoming]], Awaitable[None]],
    note: Delivered,
    clock: Callable[[], datetime],
    pause: Pause = asyncio.sleep,
) -> None:
    """Take and note what was missed since then, until cancelled; while Twilio or the database is away, wait and ask again."""
    failures, next_look = 0, UNDER_WAY  # what was dropped just before the start is old enough by then
    while True:
        until = clock() - UNDER_WAY
        try:
            await take(await sender.missed(since - OVERLAP, until))
            for report in await sender.failures(since - OVERLAP):
                await note(report)
        except _PASSING as error:
            _log.warning("what was missed of WhatsApp can't be taken yet: %s", type(error).__name__)
            asked = error.retry_after if isinstance(error, NotSent) else None
            await pause(max(backoff(failures), asked or timedelta()).total_seconds())
            failures += 1
        else:
            since, failures = until, 0
            await pause(next_look.total_seconds())
            next_look = EVERY
