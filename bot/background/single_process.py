"""Processes that know of each other: work for one of them, such as polling (Telegram refuses a second one with 409),
and what a dead one had claimed.

process A ── has the lock ── works ── dies ─┐
process B ── asks again and again ──────────┴─> has the lock ── works
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.channels.telegram_polling import Pause
from core.db.database import AWAY, Database

LOOK_EVERY = timedelta(seconds=5)
SERVING = "serving"

_log = logging.getLogger(__name__)


@asynccontextmanager
async def serving_beside_others(
    database: Database, *, if_alone: Callable[[], Awaitable[None]], pause: Pause = asyncio.sleep
) -> AsyncIterator[None]:
    """Be seen to serve while the block runs; `if_alone` is done before, where nobody else serves this database."""
    async with database.alone(SERVING) as mine:
        if mine is not None:
            await if_alone()
    seen = asyncio.Event()
    staying = asyncio.create_task(_stay_seen(database, seen, pause))
    await seen.wait()
    try:
        yield
    finally:
        staying.cancel()
        await asyncio.wait([staying])


async def _stay_seen(database: Database, seen: asyncio.Event, pause: Pause) -> None:
    while True:
        try:
            async with database.beside_others(SERVING) as still_mine:
                seen.set()
                while still_mine is not None:
                    await pause(LOOK_EVERY.total_seconds())
                    await still_mine()
        except AWAY as error:
            _log.warning("the database is away (%s)", type(error).__name__)
            await pause(LOOK_EVERY.total_seconds())


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
