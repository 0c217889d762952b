"""Offers what freed to who waits for it: whenever a commit gave something back, and at every tick.

what is over ──> one transaction        each offer ──> one transaction, first come first
"""

from collections.abc import Callable
from datetime import datetime

from bot.loop import Loop
from core import waiting
from core.database import Database
from core.shop import Shop


class Line(Loop):
    """Looks after the waiting list; `wake_dispatch` is called when it has written messages."""

    def __init__(
        self, database: Database, *, shop: Shop, clock: Callable[[], datetime], wake_dispatch: Callable[[], None]
    ) -> None:
        super().__init__("waiting", self.run_once)
        self._database = database
        self._shop = shop
        self._clock = clock
        self._wake_dispatch = wake_dispatch

    async def run_once(self) -> int:
        """End what is over and offer what is free; how many offers were made."""
        now = self._clock()
        async with self._database.read() as session:
            over = await waiting.any_over(session, shop=self._shop, now=now)
        if over:
            async with self._database.write() as session:
                await waiting.end(session, shop=self._shop, now=now)
        async with self._database.read() as session:
            due = await waiting.due(session, shop=self._shop, now=now)
        made = [await self._offer(each, now) for each in due]
        if over or any(made):
            self._wake_dispatch()
        return made.count(True)

    async def _offer(self, wait_id: int, now: datetime) -> bool:
        async with self._database.write() as session:
            return await waiting.offer(session, wait_id, shop=self._shop, now=now)
