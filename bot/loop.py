"""Work that is done whenever something wakes it: a turn that wrote a message, a notification, the tick."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.database import AWAY

LOG = logging.getLogger(__name__)
STUCK = timedelta(minutes=3)
"""How long one call may take: longer than any vendor is waited for."""
PAUSE = timedelta(seconds=5)
"""How long a loop rests after a bug: the rest of its work may be sound, and the bug must not fill the log."""


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
        self._bug: str | None = None
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
        return f"fails: {self._bug}" if self._bug else None

    async def run(self) -> None:
        """Work until stopped."""
        self._running = True
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                await self._work_off()
                await (self._rest() if self._bug else self._woken.wait())
        finally:
            self._running = False

    async def _work_off(self) -> None:
        try:
            more = True
            while more and not self._stopping.is_set():
                self._began = asyncio.get_running_loop().time()
                more = bool(await self._work())
            self._bug = None
        except AWAY as error:
            LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
        except Exception as bug:  # noqa: BLE001
            # Whatever it is, everybody else's messages and payments must go on.
            self._note(bug)
        finally:
            self._began = None

    def _note(self, bug: Exception) -> None:
        name = type(bug).__name__
        if name != self._bug:
            LOG.error("%s: a bug; tried again every %s", self._name, self._pause, exc_info=bug)
        self._bug = name

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause.total_seconds()):
                await self._stopping.wait()
