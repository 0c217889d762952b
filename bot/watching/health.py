"""Checks behind /readyz: each returns within a bounded time, whatever hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from sqlalchemy import delete

from core.db.database import Database, insert_once
from core.db.tables import Secret

TIMEOUT = timedelta(seconds=2)
"""Timeout for a database health check."""
CACHED_FOR = timedelta(milliseconds=250)
"""How long a database check is reused: anyone may call /readyz, and each check is a commit."""
_PULSE = "pulse"

T = TypeVar("T")

Trouble = Callable[[], str | None]
"""Why a part doesn't work, or None."""


class Check(Generic[T]):
    """A check that may hang: callers share one run, wait up to a timeout, and reuse its result for a while."""

    def __init__(
        self, run: Callable[[], Awaitable[T]], timeout: timedelta = TIMEOUT, *, cached_for: timedelta = timedelta()
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


async def check_write(database: Database) -> None:
    """Write to the database: reads may still succeed while it is locked, read-only or full."""
    async with database.write() as session:
        # Insert and delete: SQLite skips writing a page whose content stays the same.
        await insert_once(session, Secret, name=_PULSE, value="")
        await session.execute(delete(Secret).where(Secret.name == _PULSE))
