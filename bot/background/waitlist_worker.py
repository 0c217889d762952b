"""Ends waitlist entries that are over, offers free slots and tells of parts that are back, at every tick and after each commit that freed something.

Each entry has a transaction of its own. A bug in one of them is raised after the others are done.
"""

from collections.abc import Awaitable, Callable, Iterable

from bot.background.loop import Loop
from bot.transactions import Transactions
from core.booking import due_ends, due_offers, end_entry, make_offer
from core.catalogue import stock_alerts
from core.context import Context
from core.db.database import AWAY


class WaitlistWorker(Loop):
    """`wake_dispatch` is called when messages were written."""

    def __init__(self, transactions: Transactions, *, wake_dispatch: Callable[[], None]) -> None:
        super().__init__("waiting", self.run_once)
        self._transactions = transactions
        self._wake_dispatch = wake_dispatch

    async def run_once(self) -> int:
        """Returns how many offers were made."""
        bugs = list[Exception]()
        async with self._transactions.read() as ctx:
            over = await due_ends(ctx)
        await self._each(over, end_entry, bugs)
        async with self._transactions.read() as ctx:
            due = await due_offers(ctx)
        made = await self._each(due, make_offer, bugs)
        async with self._transactions.read() as ctx:
            alerts = await stock_alerts.due(ctx)
        told = await self._each(alerts, stock_alerts.tell, bugs)
        if over or made or told:
            self._wake_dispatch()
        if bugs:
            raise bugs[0]
        return made

    async def _each(
        self,
        entries: Iterable[int],
        change: Callable[[Context, int], Awaitable[bool | None]],
        bugs: list[Exception],
    ) -> int:
        """Change these entries one by one; returns how many changed."""
        changed = 0
        for entry_id in entries:
            try:
                async with self._transactions.write() as ctx:
                    changed += bool(await change(ctx, entry_id))
            except AWAY:
                raise
            except Exception as bug:  # noqa: BLE001
                bugs.append(bug)
        return changed
