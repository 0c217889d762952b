"""Telegram without a public address: we ask for updates ourselves, and confirm each one only once it is committed.

The library's own polling confirms updates before they are handled, so a crash would lose them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from telegram import Bot
from telegram.error import TelegramError

from bot.telegram import asked_wait
from core.database import AWAY
from webhooks.telegram import ALLOWED_UPDATES, Answer, Take, take_update

LONG_POLL = timedelta(seconds=50)
LONGEST_PAUSE = timedelta(seconds=60)

Pause = Callable[[float], Awaitable[None]]

_PASSING: tuple[type[Exception], ...] = (TelegramError, *AWAY)

_log = logging.getLogger(__name__)


async def poll(bot: Bot, *, take: Take, answer: Answer, pause: Pause = asyncio.sleep) -> None:
    """Take updates until cancelled, chats side by side; while Telegram or the database is away, wait and ask again."""
    offset, failures = 0, 0
    while True:
        try:
            updates = await bot.get_updates(offset=offset, timeout=LONG_POLL, allowed_updates=ALLOWED_UPDATES)
            # `take` keeps the order within a chat.
            ends = await asyncio.gather(
                *(take_update(update, take=take, answer=answer) for update in updates), return_exceptions=True
            )
            for update, error in zip(updates, ends, strict=True):
                if error is not None:
                    raise error
                offset = update.update_id + 1
            failures = 0
        except _PASSING as error:
            _log.warning("polling pauses: %s", error if isinstance(error, TelegramError) else type(error).__name__)
            await pause(max(backoff(failures), asked_wait(error)).total_seconds())
            failures += 1


def backoff(failures: int) -> timedelta:
    """1, 2, 4 … seconds, at most a minute."""
    return min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_PAUSE)
