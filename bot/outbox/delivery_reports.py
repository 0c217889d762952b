"""Notes what vendors report about messages they accepted, whether by webhook or fetched later."""

from collections.abc import Callable, Collection, Sequence

from bot.background.batching import Batcher
from bot.transactions import Transactions
from core.upkeep import delivery_reports
from core.upkeep.delivery_reports import Report


class DeliveryReports:
    """`channels` are those that are on; `wake` gets the `Work` that a report leaves."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        channels: Collection[str],
        wake: Callable[..., None],
    ) -> None:
        self._transactions = transactions
        self._channels = channels
        self._wake = wake
        self._steps = Batcher(self._record_steps)

    async def note(self, report: Report) -> None:
        """Note a report, committed when this returns."""
        if report.is_step:
            await self._steps.do(report)
            return
        async with self._transactions.write() as ctx:
            await delivery_reports.record(ctx, report, channels=self._channels)
        if ctx.effects.work:
            self._wake(*ctx.effects.work)

    async def _record_steps(self, steps: Sequence[Report]) -> None:
        async with self._transactions.write() as ctx:
            await delivery_reports.record_steps(ctx.session, steps)
