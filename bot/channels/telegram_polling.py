"""Telegram without a public address: we ask for updates ourselves, and confirm each one only once it is committed.

The library's own polling confirms updates before they are handled, so a crash would lose them; and one that
it can't read would keep all others from being read, so they come as JSON.

    getUpdates ──> by chat ── one after the other, chats side by side ──> offset: behind the last before what failed
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram import asked_wait
from core.db.database import AWAY
from webhooks.telegram import ALLOWED_UPDATES, Answer, NoUpdate, Take, parse, take_update, unreadable

LONG_POLL = timedelta(seconds=50)
LATE = timedelta(seconds=15)
"""How long after it has ended an empty answer may still be on its way."""
LONGEST_PAUSE = timedelta(seconds=60)

Pause = Callable[[float], Awaitable[None]]
Payload = Mapping[str, Any]
"""An update as Telegram sends it."""

_PASSING: tuple[type[Exception], ...] = (TelegramError, *AWAY)

_log = logging.getLogger(__name__)


async def poll(bot: Bot, *, take: Take, answer: Answer, pause: Pause = asyncio.sleep) -> None:
    """Take updates until cancelled, chats side by side; while Telegram or the database is away, wait and ask again."""
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
        except _PASSING as error:
            _log.warning("polling pauses: %s", error if isinstance(error, TelegramError) else type(error).__name__)
            await pause(max(backoff(failures), asked_wait(error)).total_seconds())
            failures += 1


def backoff(failures: int) -> timedelta:
    """1, 2, 4 … seconds, at most a minute."""
    return min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_PAUSE)


async def _updates(bot: Bot, offset: int) -> Sequence[Payload]:
    asked = {"offset": offset, "timeout": int(LONG_POLL.total_seconds()), "allowed_updates": ALLOWED_UPDATES}
    # Under this name the library hands the answer over as it came.
    found = await bot.do_api_request("getupdates", asked, read_timeout=(LONG_POLL + LATE).total_seconds())
    return list(found)


async def _take_all(batch: Sequence[Payload], take: Take, answer: Answer) -> tuple[set[int], BaseException | None]:
    """Take a batch; the numbers of those that were taken, and what went wrong first."""
    chats, taken = defaultdict[object, list[Payload]](list), set[int]()
    for payload in batch:
        chats[_chat(payload)].append(payload)

    async def take_one_after_the_other(payloads: Sequence[Payload]) -> None:
        for payload in payloads:  # what fails comes again, and must not be overtaken by what came after it
            await _take(payload, take, answer)
            taken.add(payload["update_id"])

    ends = await asyncio.gather(*map(take_one_after_the_other, chats.values()), return_exceptions=True)
    return taken, next((end for end in ends if end is not None), None)


async def _take(payload: Payload, take: Take, answer: Answer) -> None:
    try:
        update = parse(payload)
    except NoUpdate as bug:
        await take(unreadable(payload, bug))
    else:
        await take_update(update, take=take, answer=answer)


def _chat(payload: Payload) -> object:
    """Whose chat it is from; an update of no chat's is one of its own."""
    for kind in ALLOWED_UPDATES:
        sender = (payload.get(kind) or {}).get("from") or {}
        if "id" in sender:
            return sender["id"]
    return ("update", payload["update_id"])
