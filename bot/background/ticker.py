"""APScheduler as a ticker only: it says "look", and never knows what is due.

What is due stands in rows with a time. Left to its defaults, the scheduler skips what is more than a
second late; `misfire_grace_time=None` with `coalesce` makes up for a pause with one call.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core import trace


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing to look at, again and again."""

    name: str
    every: timedelta
    look: Callable[[], Awaitable[None]]


def start(ticks: Sequence[Tick], *, fresh: Callable[[], str]) -> AsyncIOScheduler:
    """A running scheduler with these ticks; its owner calls `shutdown`. `fresh` gives each look an id to follow."""
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
    async def look() -> None:
        trace.follow(f"{tick.name}:{fresh()}")
        await tick.look()

    return look
