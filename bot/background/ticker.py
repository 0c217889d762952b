"""Ticks by APScheduler: it only says when to check; what is due is decided from rows with a time.

By default the scheduler skips a tick that is more than a second late; `misfire_grace_time=None` with
`coalesce` makes up for a pause with one tick.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core import trace


@dataclass(frozen=True, slots=True)
class Tick:
    name: str
    every: timedelta
    check: Callable[[], Awaitable[None]]


def start(ticks: Sequence[Tick], *, fresh: Callable[[], str]) -> AsyncIOScheduler:
    """A running scheduler, to be shut down by its owner; `fresh` makes the trace id of each check."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    for tick in ticks:
        scheduler.add_job(
            _traced(tick, fresh),
            "interval",
            seconds=tick.every.total_seconds(),
            id=tick.name,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    return scheduler


def _traced(tick: Tick, fresh: Callable[[], str]) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        trace.follow(f"{tick.name}:{fresh()}")
        await tick.check()

    return check
