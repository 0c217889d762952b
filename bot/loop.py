"""Work that is done whenever something wakes it: a turn that wrote a message, a notification, the tick."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core.database import AWAY

LOG = logging.getLogger(__name__)


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

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is being done, then end."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Work until stopped."""
        while not self._stopping:
            self._woken.clear()
            try:
                while await self._work() and not self._stopping:
                    pass
            except AWAY as error:
                LOG.warning("%s: the database is away (%s)", self._name, type(error).__name__)
            if not self._stopping:
                await self._woken.wait()
