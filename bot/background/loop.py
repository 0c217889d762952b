"""Work that goes on for as long as the server runs, whatever bug it meets.

Loop        works until nothing is due, whenever it is woken: by a turn that wrote a message, a notification, a tick
Repeated    does the same thing again and again: polling, renewing leases
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.db.database import AWAY

STUCK_AFTER = timedelta(minutes=3)
"""Longer than any vendor's timeout."""
PAUSE = timedelta(seconds=5)
HEALTHY_AFTER = timedelta(minutes=1)
"""`Repeated` forgets its last bug once a call has gone on for so long."""

LOG = logging.getLogger(__name__)


class _Guarded:
    """Survives bugs and database outages; a repeated bug is logged once, until a call finds nothing more to do."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], pause: timedelta = PAUSE) -> None:
        """`pause`: after a bug, so that it doesn't fill the log."""
        self._name = name
        self._work = work
        self._pause = pause
        self._bug: str | None = None
        self._call_began: float | None = None
        """By the event loop's clock; None between calls."""

    async def _call(self) -> object:
        """Call `work` and return its result, or None if it failed."""
        self._call_began = asyncio.get_running_loop().time()
        try:
            result = await self._work()
        except AWAY as error:
            LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
        except Exception as bug:
            # Any bug: messages and payments must go on.
            if type(bug).__name__ != self._bug:
                LOG.exception("%s: a bug; tried again every %s", self._name, self._pause)
            self._bug = type(bug).__name__
        else:
            if not result:
                self._bug = None
            return result
        finally:
            self._call_began = None
        return None

    def _has_run_for(self, time: timedelta) -> bool:
        began = self._call_began
        return began is not None and asyncio.get_running_loop().time() - began > time.total_seconds()

    @property
    def trouble(self) -> str | None:
        """Why it does nothing; None while it is healthy."""
        return f"fails: {self._bug}" if self._bug else None


class Loop(_Guarded):
    """Calls `work` until it finds nothing more to do, then waits to be woken.

    All state is in the database, so nothing is lost while it is away: the next call finds more.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], *, pause: timedelta = PAUSE) -> None:
        super().__init__(name, work, pause)
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """End after the current call."""
        self._stopping.set()
        self.wake()

    @property
    def trouble(self) -> str | None:
        if not self._running:
            return "not running"
        return "stuck" if self._has_run_for(STUCK_AFTER) else super().trouble

    async def run(self) -> None:
        """Work until stopped."""
        self._running = True
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                while await self._call() and not self._stopping.is_set():
                    pass
                await (self._rest() if self._bug else self._woken.wait())
        finally:
            self._running = False

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause.total_seconds()):
                await self._stopping.wait()


class Repeated(_Guarded):
    """Calls `work` again and again with a pause in between; work that never ends is restarted after a bug."""

    @property
    def trouble(self) -> str | None:
        return None if self._has_run_for(HEALTHY_AFTER) else super().trouble

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._call()
            await asyncio.sleep(self._pause.total_seconds())
