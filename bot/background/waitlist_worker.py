"""Ends waitlist entries that are over and offers free slots, at every tick and after each commit that freed something.

Each entry has a transaction of its own. A bug in one of them is raised after the others are done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.background.loop import Loop
from core.booking import waitlist
from core.db.database import AWAY, Database
from core.shop import Shop


class WaitlistWorker(Loop):
    """`wake_dispatch` is called when messages were written."""

    def __init__(
        self, database: Database, *, shop: Shop, clock: Callable[[], datetime], wake_dispatch: Callable[[], None]
    ) -> None:
        super().__init__("waiting", self.run_once)
        self._database = database
        self._shop = shop
        self._clock = clock
        self._wake_dispatch = wake_dispatch

    async def run_once(self) -> int:
        """Returns how many offers were made."""
        now = self._clock()
        async with self._database.read() as session:
            over = await waitlist.over(session, shop=self._shop, now=now)
        ended = await self._each(over, waitlist.end, now)
        async with self._database.read() as session:
            due = await waitlist.due(session, shop=self._shop, now=now)
        made = await self._each(due, waitlist.offer, now)
        if over or True in made:
            self._wake_dispatch()
        for bug in (*ended, *made):
            if isinstance(bug, Exception):
                raise bug
        return made.count(True)

    async def _each(
        self, entries: Iterable[int], change: Callable[..., Awaitable[bool | None]], now: datetime
    ) -> list[bool | Exception | None]:
        """Change entries one by one; returns each one's result or bug."""
        results = list[bool | Exception | None]()
        for entry_id in entries:
            (result,) = await asyncio.gather(self._one(change, entry_id, now), return_exceptions=True)
            if isinstance(result, AWAY) or not isinstance(result, bool | Exception | None):
                raise result
            results.append(result)
        return results

    async def _one(self, change: Callable[..., Awaitable[bool | None]], entry_id: int, now: datetime) -> bool | None:
        async with self._database.write() as session:
            return await change(session, entry_id, shop=self._shop, now=now)
