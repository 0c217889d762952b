"""Work that is done whenever something wakes it: a turn that wrote a message, a notification, the tick."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.database import AWAY

LOG = logging.getLogger(__name__)
STUCK = timedelta(minutes=3)
"""How long one call may take: longer than any vendor is waited for."""


class Loop:
    """Calls `work` until it finds nothing more to do, then waits to be woken.

    Nothing is remembered between two calls: what is to be done stands in the database, so a database
    that is away only means that the next call finds more.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[int]]) -> None:
        self._name = name
        self._work = work
        self._woken = asyncio.Event()
        self._stopping = False
        self._running = False
        self._began: float | None = None
        """When the present call began, by the event loop's clock."""

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self._stopping = True
        self.wake()

    @property
    def trouble(self) -> str | None:
        """Why it does nothing, None where all is well."""
        if not self._running:
            return "not running"
        if self._began is not None and asyncio.get_running_loop().time() - self._began > STUCK.total_seconds():
            return "stuck"
        return None

    async def run(self) -> None:
        """Work until stopped."""
        self._running = True
        try:
            while not self._stopping:
                self._woken.clear()
                await self._work_off()
                if not self._stopping:
                    await self._woken.wait()
        finally:
            self._running = False

    async def _work_off(self) -> None:
        try:
            more = True
            while more and not self._stopping:
                self._began = asyncio.get_running_loop().time()
                more = bool(await self._work())
        except AWAY as error:
            LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
        finally:
            self._began = None
