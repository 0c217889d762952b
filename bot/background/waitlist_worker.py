"""Offers what freed to who waits for it: whenever a commit gave something back, and at every tick.

what is over ──> ended, each in a transaction of its own
what is free ──> offered, each in a transaction of its own, first come first

A bug about one place holds up no other: it is raised when all the others are seen to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.background.loop import Loop
from core.booking import waitlist
from core.context import Context
from core.db.database import AWAY, Database
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
            over = await waitlist.over(Context(session, self._shop, now))
        ended = await self._each(over, waitlist.end, now)
        async with self._database.read() as session:
            due = await waitlist.due(Context(session, self._shop, now))
        made = await self._each(due, waitlist.offer, now)
        if over or True in made:
            self._wake_dispatch()
        for bug in (*ended, *made):
            if isinstance(bug, Exception):
                raise bug
        return made.count(True)

    async def _each(
        self, waits: Iterable[int], see_to: Callable[[Context, int], Awaitable[bool | None]], now: datetime
    ) -> list[bool | Exception | None]:
        """See to these places in the line one by one; what came of each."""
        outcomes = list[bool | Exception | None]()
        for wait_id in waits:
            (outcome,) = await asyncio.gather(self._alone(see_to, wait_id, now), return_exceptions=True)
            if isinstance(outcome, AWAY) or not isinstance(outcome, bool | Exception | None):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    async def _alone(
        self, see_to: Callable[[Context, int], Awaitable[bool | None]], wait_id: int, now: datetime
    ) -> bool | None:
        async with self._database.write() as session:
            return await see_to(Context(session, self._shop, now), wait_id)
