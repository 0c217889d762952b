"""Telegram without a public address: long polling that confirms each update only when it is committed.

The library's own polling confirms updates before they are handled, so a crash would lose them. It also parses
a whole batch, so one unreadable update would hold up all others; here they are read as JSON.

    getUpdates ──> each chat's updates in order, chats side by side ──> offset: the first update that failed
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram import retry_after
from core.db.database import AWAY
from webhooks.telegram import ALLOWED_UPDATES, Answer, Take, take_payload

LONG_POLL = timedelta(seconds=50)
ANSWER_TIMEOUT = timedelta(seconds=15)
"""From the end of the long poll."""
MAX_BACKOFF = timedelta(seconds=60)

Pause = Callable[[float], Awaitable[None]]
Payload = Mapping[str, Any]
"""An update as Telegram sends it."""

_TEMPORARY: tuple[type[Exception], ...] = (TelegramError, *AWAY)

_log = logging.getLogger(__name__)


async def poll(bot: Bot, *, take: Take, answer: Answer, pause: Pause = asyncio.sleep) -> None:
    """Take updates until cancelled; while Telegram or the database is away, retry with backoff."""
    offset, failures = 0, 0
    while True:
        try:
            batch = await _updates(bot, offset)
            taken, error = await _take_all(batch, take, answer)
            for payload in batch:
                if payload["update_id"] not in taken:
                    break
                offset = payload["update_id"] + 1
            if error is not None:
                raise error
            failures = 0
        except _TEMPORARY as error:
            _log.warning("polling pauses: %s", error if isinstance(error, TelegramError) else type(error).__name__)
            await pause(max(backoff(failures), retry_after(error)).total_seconds())
            failures += 1


def backoff(failures: int) -> timedelta:
    """1, 2, 4 … seconds, at most a minute."""
    return min(timedelta(seconds=2 ** min(failures, 10)), MAX_BACKOFF)


async def _updates(bot: Bot, offset: int) -> Sequence[Payload]:
    fields = {"offset": offset, "timeout": int(LONG_POLL.total_seconds()), "allowed_updates": ALLOWED_UPDATES}
    # Under this name the library returns the JSON as it is.
    return list(
        await bot.do_api_request("getupdates", fields, read_timeout=(LONG_POLL + ANSWER_TIMEOUT).total_seconds())
    )


async def _take_all(batch: Sequence[Payload], take: Take, answer: Answer) -> tuple[set[int], BaseException | None]:
    """Take a batch; returns the ids of the updates that were taken, and the first error."""
    chats, taken = defaultdict[object, list[Payload]](list), set[int]()
    for payload in batch:
        chats[_chat(payload)].append(payload)

    async def take_in_order(payloads: Sequence[Payload]) -> None:
        for payload in payloads:  # one that fails comes again, and later ones must not overtake it
            await take_payload(payload, take=take, answer=answer)
            taken.add(payload["update_id"])

    errors = await asyncio.gather(*map(take_in_order, chats.values()), return_exceptions=True)
    return taken, next((error for error in errors if error is not None), None)


def _chat(payload: Payload) -> object:
    """The sender's id; an update without one gets a chat of its own."""
    for kind in ALLOWED_UPDATES:
        content = payload.get(kind) or {}
        sender = content.get("from") or content.get("user") or {}
        if "id" in sender:
            return sender["id"]
    return ("update", payload["update_id"])
