"""Notes what vendors report about messages they accepted, whether by webhook or fetched later."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from bot.background.batching import Batcher
from core.context import Context
from core.db.database import Database
from core.shop import Shop
from core.upkeep import delivery_reports
from core.upkeep.delivery_reports import Report


class DeliveryReports:
    """`channels` are those that are on; `wake` gets the `Work` that a report leaves."""

    def __init__(
        self,
        database: Database,
        shop: Shop,
        *,
        channels: Collection[str],
        clock: Callable[[], datetime],
        wake: Callable[..., None],
    ) -> None:
        self._database = database
        self._shop = shop
        self._channels = channels
        self._clock = clock
        self._wake = wake
        self._steps = Batcher(self._record_steps)

    async def note(self, report: Report) -> None:
        """Note a report, committed when this returns."""
        if report.is_step:
            await self._steps.do(report)
            return
        async with self._database.write() as session:
            ctx = Context(session, self._shop, self._clock())
            await delivery_reports.record(ctx, report, channels=self._channels)
        if ctx.effects.work:
            self._wake(*ctx.effects.work)

    async def _record_steps(self, steps: Sequence[Report]) -> None:
        async with self._database.write() as session:
            await delivery_reports.record_steps(session, steps)
