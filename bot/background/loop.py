"""Work that never ends, whatever bug it meets.

Loop        does all there is whenever something wakes it: a turn that wrote a message, a notification, the tick
Repeated    does one thing again and again: polling, renewing claims
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.db.database import AWAY

LOG = logging.getLogger(__name__)
STUCK = timedelta(minutes=3)
"""How long one call may take: longer than any vendor is waited for."""
PAUSE = timedelta(seconds=5)
"""How long a loop rests after a bug: the rest of its work may be sound, and the bug must not fill the log."""
SOUND = timedelta(minutes=1)
"""How long something that never ends goes well before its last bug is forgotten."""


class Loop:
    """Calls `work` until it finds nothing more to do, then waits to be woken.

    Nothing is remembered between two calls: what is to be done stands in the database, so a database
    that is away only means that the next call finds more. A bug is logged once, shown as `trouble` (of which
    the admins hear) and tried again after a pause.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], *, pause: timedelta = PAUSE) -> None:
        self._name = name
        self._work = work
        self._pause = pause
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running = False
        self._bugs = _Bugs(name, pause)
        self._began: float | None = None
        """When the present call began, by the event loop's clock."""

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self._stopping.set()
        self.wake()

    @property
    def trouble(self) -> str | None:
        """Why it does nothing, None where all is well."""
        if not self._running:
            return "not running"
        if self._began is not None and asyncio.get_running_loop().time() - self._began > STUCK.total_seconds():
            return "stuck"
        return self._bugs.trouble

    async def run(self) -> None:
        """Work until stopped."""
        self._running = True
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                await self._work_off()
                await (self._rest() if self._bugs.trouble else self._woken.wait())
        finally:
            self._running = False

    async def _work_off(self) -> None:
        try:
            more = True
            while more and not self._stopping.is_set():
                self._began = asyncio.get_running_loop().time()
                more = bool(await self._work())
            self._bugs.over()
        except AWAY as error:
            LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
        except Exception as bug:  # noqa: BLE001
            # Whatever it is, everybody else's messages and payments must go on.
            self._bugs.met(bug)
        finally:
            self._began = None

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause.total_seconds()):
                await self._stopping.wait()


class Repeated:
    """Calls `work` again and again, with a pause in between; one that goes on for ever is only begun anew after a bug."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], pause: timedelta = PAUSE) -> None:
        self._name = name
        self._work = work
        self._pause = pause.total_seconds()
        self._bugs = _Bugs(name, pause)
        self._began = 0.0

    @property
    def trouble(self) -> str | None:
        """What bug it met, as long as it hasn't gone well since."""
        lasts = asyncio.get_running_loop().time() - self._began > SOUND.total_seconds()
        return None if lasts else self._bugs.trouble

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._began = asyncio.get_running_loop().time()
            try:
                await self._work()
                self._bugs.over()
            except AWAY as error:
                LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
            except Exception as bug:  # noqa: BLE001
                # Nobody else would begin it anew.
                self._bugs.met(bug)
            await asyncio.sleep(self._pause)


class _Bugs:
    """The bug that some work met last: logged once, however often it comes."""

    def __init__(self, name: str, pause: timedelta) -> None:
        self._name = name
        self._pause = pause
        self._last: str | None = None

    @property
    def trouble(self) -> str | None:
        return f"fails: {self._last}" if self._last else None

    def met(self, bug: Exception) -> None:
        name = type(bug).__name__
        if name != self._last:
            LOG.error("%s: a bug; tried again every %s", self._name, self._pause, exc_info=bug)
        self._last = name

    def over(self) -> None:
        self._last = None
