"""Ends waitlist entries that are over, offers free slots and tells of parts that are back, at every tick and after each commit that freed something.

Each entry has a transaction of its own. A bug in one of them is raised after the others are done.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.background.loop import Loop
from core.booking import due_ends, due_offers, end_entry, make_offer
from core.catalogue import stock_alerts
from core.context import Context
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
        now, bugs = self._clock(), list[Exception]()
        async with self._database.read() as session:
            over = await due_ends(Context(session, self._shop, now))
        await self._each(over, end_entry, now, bugs)
        async with self._database.read() as session:
            due = await due_offers(Context(session, self._shop, now))
        made = await self._each(due, make_offer, now, bugs)
        async with self._database.read() as session:
            alerts = await stock_alerts.due(Context(session, self._shop, now))
        told = await self._each(alerts, stock_alerts.tell, now, bugs)
        if over or made or told:
            self._wake_dispatch()
        if bugs:
            raise bugs[0]
        return made

    async def _each(
        self,
        entries: Iterable[int],
        change: Callable[[Context, int], Awaitable[bool | None]],
        now: datetime,
        bugs: list[Exception],
    ) -> int:
        """Change these entries one by one; returns how many changed."""
        changed = 0
        for entry_id in entries:
            try:
                async with self._database.write() as session:
                    changed += bool(await change(Context(session, self._shop, now), entry_id))
            except AWAY:
                raise
            except Exception as bug:  # noqa: BLE001
                bugs.append(bug)
        return changed
