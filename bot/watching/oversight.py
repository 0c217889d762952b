"""What a running server reports about itself: readiness, metrics, and alarms to the admins.

/readyz  ── the parts, and a database check with a timeout
/metrics ── this process's counters, and the backlog in the database
tick     ── alarms
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import delete

from bot.background.ticker import Tick
from bot.watching import metrics
from core.context import Context
from core.db.database import AWAY, Database, insert_once
from core.db.tables import Secret
from core.shop import Shop
from core.upkeep import alarms, backlog
from core.upkeep.backlog import Backlog

ALARMS_EVERY = timedelta(minutes=1)
LONGEST_SILENCE = timedelta(minutes=1)
CHECK_TIMEOUT = timedelta(seconds=2)
"""Timeout for a database health check."""
CACHED_FOR = timedelta(milliseconds=250)
"""How long a database check is reused: anyone may call /readyz, and each check is a commit."""
_PULSE = "pulse"

T = TypeVar("T")
Trouble = Callable[[], str | None]
"""Why a part doesn't work, or None."""

_log = logging.getLogger(__name__)


class Oversight:
    """Watches one process and the backlog in its database; `channels` are the enabled ones."""

    def __init__(
        self,
        database: Database,
        shop: Shop,
        *,
        channels: Sequence[str],
        parts: Mapping[str, Trouble],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._shop = shop
        self._channels = channels
        self._clock = clock
        self._wake = wake
        self._parts = parts
        self._failing: frozenset[str] = frozenset()
        """The parts that failed at the previous tick."""
        self._pulse = Pulse(LONGEST_SILENCE)
        self._database_check = Check(lambda: _check_write(database), cached_for=CACHED_FOR)
        self._backlog = Check(self._load_backlog)

    async def ready(self) -> Mapping[str, str]:
        """The parts that aren't ready, and why; empty when all are."""
        missing = _troubles({**self._parts, "scheduler": self._pulse.trouble})
        try:
            await self._database_check.result()
        except AWAY as error:
            missing["database"] = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
        return missing

    async def exposition(self) -> bytes:
        """The metrics; without the backlog while the database doesn't answer."""
        try:
            waiting = await self._backlog.result()
        except AWAY:
            waiting = None
        return metrics.exposition(waiting, channels=self._channels, now=self._clock())

    def ticks(self, often: timedelta) -> list[Tick]:
        """The scheduled work: a pulse, counted from now, and alarms."""
        self._pulse.beat()
        return [Tick("pulse", often, self._beat), Tick("alarms", ALARMS_EVERY, self.raise_alarms)]

    async def raise_alarms(self) -> None:
        """Tell the admins what got stuck and what recovered."""
        try:
            async with self._database.write() as session:
                begun, over = await alarms.watch(Context(session, self._shop, self._clock()), channels=self._channels)
                lasting = self._still_failing()
                await alarms.failing(Context(session, self._shop, self._clock()), lasting, channels=self._channels)
        except AWAY as error:
            _log.warning("alarms: the database is away (%s)", type(error).__name__)
            return
        for name in begun:
            _log.error("alarm: %s is stuck", name)
        for name in over:
            _log.warning("alarm: %s is over", name)
        if begun or over or lasting:
            self._wake()

    async def close(self) -> None:
        await self._database_check.close()
        await self._backlog.close()

    def _still_failing(self) -> Mapping[str, str]:
        """The parts that failed twice in a row, and why: short troubles raise no alarm."""
        now = _troubles(self._parts)
        lasting = {name: trouble for name, trouble in now.items() if name in self._failing}
        self._failing = frozenset(now)
        return lasting

    async def _beat(self) -> None:
        self._pulse.beat()

    async def _load_backlog(self) -> Backlog:
        async with self._database.read() as session:
            return await backlog.load(session, channels=self._channels, now=self._clock())


class Check(Generic[T]):
    """A check that may hang: callers share one run, wait up to a timeout, and reuse its result for a while."""

    def __init__(
        self,
        run: Callable[[], Awaitable[T]],
        timeout: timedelta = CHECK_TIMEOUT,
        *,
        cached_for: timedelta = timedelta(),
    ) -> None:
        self._run = run
        self._timeout = timeout
        self._cached_for = cached_for.total_seconds()
        self._running: asyncio.Future[T] | None = None
        self._started_at = 0.0

    async def result(self) -> T:
        """The result; raises `TimeoutError` while the check hangs, and whatever the check raises."""
        now = asyncio.get_running_loop().time()
        if self._running is None or (self._running.done() and now >= self._started_at + self._cached_for):
            self._running, self._started_at = asyncio.ensure_future(self._run()), now
            # Nobody may be left to read the outcome; asyncio would log an exception that nobody retrieves.
            self._running.add_done_callback(lambda done: done.cancelled() or done.exception())
        running = self._running
        # Don't cancel on timeout: returning a hanging connection to the pool could hang as well.
        await asyncio.wait([running], timeout=self._timeout.total_seconds())
        if not running.done():
            raise TimeoutError
        return running.result()

    async def close(self) -> None:
        """Cancel a running check; wait at most one second for it to end."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=1)


class Pulse:
    """Detects a scheduler that has stopped ticking."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest
        self._last: float | None = None

    def beat(self) -> None:
        self._last = asyncio.get_running_loop().time()

    def trouble(self) -> str | None:
        """Why the scheduler counts as down, or None."""
        if self._last is None:
            return "not running"
        silent = asyncio.get_running_loop().time() - self._last
        return "stuck" if silent > self._longest.total_seconds() else None


async def _check_write(database: Database) -> None:
    """Write to the database: reads may still succeed while it is locked, read-only or full."""
    async with database.write() as session:
        # Insert and delete: SQLite skips writing a page whose content stays the same.
        await insert_once(session, Secret, name=_PULSE, value="")
        await session.execute(delete(Secret).where(Secret.name == _PULSE))


def _troubles(parts: Mapping[str, Trouble]) -> dict[str, str]:
    return {name: trouble for name, part in parts.items() if (trouble := part())}
