"""Fetches what no webhook brought while we or our database were down: people's messages, and our messages that failed.

Twilio gives up on a webhook, but keeps its messages; so we ask it at the start and every 30 seconds. After a long outage
the time is looked through in slices, the oldest first, so that no listing grows without bounds.
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
"""Fetched once more; what was taken before is known by its id."""
SLICE = timedelta(hours=6)
OLDEST = timedelta(days=3)
"""Nobody waits any more for the answer to an older message."""
WEBHOOK_TIME = timedelta(seconds=20)
"""What is newer may still come by webhook, which also brings taps, places and photos (Twilio tries for 15 s)."""

_TEMPORARY: tuple[type[Exception], ...] = (NotSent, *AWAY)

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
    """Fetch and take what was missed since then, until cancelled; while Twilio or the database is away, retry with backoff."""
    failures, wait = 0, WEBHOOK_TIME  # by then a message that came just before the start is old enough
    while True:
        newest = clock() - WEBHOOK_TIME
        since = max(since, newest - OLDEST)
        until = min(newest, since + SLICE)
        try:
            await take(await sender.missed(since - OVERLAP, until))
            for report in await sender.failures(since - OVERLAP, until):
                await note(report)
        except _TEMPORARY as error:
            _log.warning("missed WhatsApp messages can't be fetched yet: %s", type(error).__name__)
            asked_wait = error.retry_after if isinstance(error, NotSent) else None
            await pause(max(backoff(failures), asked_wait or timedelta()).total_seconds())
            failures += 1
        else:
            since, failures = until, 0
            if until < newest:
                continue
            await pause(wait.total_seconds())
            wait = EVERY
