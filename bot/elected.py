"""Work for one process among several, such as polling: Telegram refuses whoever asks beside another (409).

process A ── has the lock ── works ── dies ─┐
process B ── asks again and again ──────────┴─> has the lock ── works
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta

from core.database import AWAY, Database

LOOK_EVERY = timedelta(seconds=5)

_log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[None]]


async def in_one_process(
    database: Database, what: str, work: Callable[[], Coroutine[None, None, None]], *, pause: Pause = asyncio.sleep
) -> None:
    """Do the work while no other process does, until cancelled; when that one stops or dies, take it over."""
    while True:
        try:
            await _work_if_elected(database, what, work, pause)
        except AWAY as error:
            _log.warning("%s: the database is away (%s)", what, type(error).__name__)
        await pause(LOOK_EVERY.total_seconds())


async def _work_if_elected(
    database: Database, what: str, work: Callable[[], Coroutine[None, None, None]], pause: Pause
) -> None:
    async with database.alone(what) as still_mine:
        if still_mine is None:
            return
        _log.info("%s: done by this process", what)
        working = asyncio.create_task(work())
        try:
            while not working.done():
                await pause(LOOK_EVERY.total_seconds())
                await still_mine()
            await working
        finally:
            working.cancel()
