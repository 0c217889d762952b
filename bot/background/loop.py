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
"""The time after which one call counts as stuck: longer than any vendor's timeout."""
PAUSE = timedelta(seconds=5)
"""The pause after a bug, so that it doesn't fill the log."""
HEALTHY_AFTER = timedelta(minutes=1)
"""The time without a bug after which `Repeated` forgets the last one."""

_log = logging.getLogger(__name__)


class Loop:
    """Calls `work` until it finds nothing more to do, then waits to be woken.

    All state is in the database, so nothing is lost while it is away: the next call finds more.
    A bug is logged once, reported as `trouble` and tried again after a pause.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], *, pause: timedelta = PAUSE) -> None:
        self._name = name
        self._work = work
        self._pause = pause
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running = False
        self._last_bug = _LastBug(name, pause)
        self._call_began: float | None = None
        """By the event loop's clock; None between calls."""

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """End after the current call."""
        self._stopping.set()
        self.wake()

    @property
    def trouble(self) -> str | None:
        """Why it does nothing; None while it is healthy."""
        if not self._running:
            return "not running"
        if self._call_began is not None and _seconds_since(self._call_began) > STUCK_AFTER.total_seconds():
            return "stuck"
        return self._last_bug.trouble

    async def run(self) -> None:
        """Work until stopped."""
        self._running = True
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                await self._do_all()
                await (self._rest() if self._last_bug.trouble else self._woken.wait())
        finally:
            self._running = False

    async def _do_all(self) -> None:
        try:
            more = True
            while more and not self._stopping.is_set():
                self._call_began = _seconds()
                more = bool(await self._work())
            self._last_bug.forget()
        except AWAY as error:
            _log.warning("%s: the database is away (%s)", self._name, type(error).__name__)
        except Exception as bug:  # noqa: BLE001
            # Any bug: a loop that ended would hold up all messages and payments.
            self._last_bug.note(bug)
        finally:
            self._call_began = None

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause.total_seconds()):
                await self._stopping.wait()


class Repeated:
    """Calls `work` again and again with a pause in between; work that never ends is restarted after a bug."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], pause: timedelta = PAUSE) -> None:
        self._name = name
        self._work = work
        self._pause = pause.total_seconds()
        self._last_bug = _LastBug(name, pause)
        self._call_began = 0.0

    @property
    def trouble(self) -> str | None:
        """The last bug, until a call has ended well or gone on for `HEALTHY_AFTER`."""
        healthy = _seconds_since(self._call_began) > HEALTHY_AFTER.total_seconds()
        return None if healthy else self._last_bug.trouble

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._call_began = _seconds()
            try:
                await self._work()
                self._last_bug.forget()
            except AWAY as error:
                _log.warning("%s: the database is away (%s)", self._name, type(error).__name__)
            except Exception as bug:  # noqa: BLE001
                # Any bug: nothing else would restart the work.
                self._last_bug.note(bug)
            await asyncio.sleep(self._pause)


class _LastBug:
    """Logs a bug once, however often it is repeated."""

    def __init__(self, name: str, pause: timedelta) -> None:
        self._name = name
        self._pause = pause
        self._type: str | None = None

    @property
    def trouble(self) -> str | None:
        return f"fails: {self._type}" if self._type else None

    def note(self, bug: Exception) -> None:
        if type(bug).__name__ != self._type:
            _log.error("%s: a bug; tried again every %s", self._name, self._pause, exc_info=bug)
        self._type = type(bug).__name__

    def forget(self) -> None:
        self._type = None


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def _seconds_since(moment: float) -> float:
    return _seconds() - moment
