"""What a running server shows of itself: whether it is ready, its metrics, and alarms for the admins.

/readyz  ── parts, and the database within a time
/metrics ── counters of this process, and the backlog in the database
tick     ── alarms
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from core.context import Context

from bot.background.ticker import Tick
from bot.watching import metrics
from bot.watching.health import Asked, Health, Pulse, Trouble
from core.db.database import AWAY, Database
from core.shop import Shop
from core.upkeep import alarms, backlog
from core.upkeep.backlog import Backlog

ALARMS_EVERY = timedelta(minutes=1)
LONGEST_SILENCE = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class Oversight:
    """Looks after one process and what waits in its database; `channels` are those that are on."""

    def __init__(
        self,
        database: Database,
        shop: Shop,
        *,
        channels: Sequence[str],
        parts: Mapping[str, Trouble],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._shop = shop
        self._channels = channels
        self._clock = clock
        self._wake = wake
        self._parts = parts
        self._failing: frozenset[str] = frozenset()
        """The parts that didn't work a look ago."""
        self._pulse = Pulse(LONGEST_SILENCE)
        self._health = Health(database, {**parts, "scheduler": self._pulse.trouble})
        self._backlog = Asked(self._look)

    async def ready(self) -> Mapping[str, str]:
        """Which parts aren't ready, and why; empty when all are."""
        return await self._health.ready()

    async def exposition(self) -> bytes:
        """The metrics; without the backlog while the database doesn't answer."""
        try:
            waiting = await self._backlog.answer()
        except AWAY:
            waiting = None
        return metrics.exposition(waiting, channels=self._channels, now=self._clock())

    def ticks(self, often: timedelta) -> list[Tick]:
        """What the scheduler is to do: show that it lives, counted from now, and raise alarms."""
        self._pulse.beat()
        return [Tick("pulse", often, self._beat), Tick("alarms", ALARMS_EVERY, self.raise_alarms)]

    async def raise_alarms(self) -> None:
        """Tell the admins what has begun to stand still, and what is over."""
        try:
            async with self._database.write() as session:
                begun, over = await alarms.watch(Context(session, self._shop, self._clock()), channels=self._channels)
                lasting = self._still_failing()
                await alarms.failing(Context(session, self._shop, self._clock()), lasting, channels=self._channels)
        except AWAY as error:
            _log.warning("alarms: the database is away (%s)", type(error).__name__)
            return
        for name in begun:
            _log.error("alarm: %s stands still", name)
        for name in over:
            _log.warning("alarm: %s is over", name)
        if begun or over or lasting:
            self._wake()

    async def close(self) -> None:
        """Wait for nothing any more."""
        await self._health.close()
        await self._backlog.close()

    def _still_failing(self) -> Mapping[str, str]:
        """The parts that don't work at the second look either, and why: what passes by itself alarms nobody."""
        now = {name: trouble for name, part in self._parts.items() if (trouble := part())}
        lasting = {name: trouble for name, trouble in now.items() if name in self._failing}
        self._failing = frozenset(now)
        return lasting

    async def _beat(self) -> None:
        self._pulse.beat()

    async def _look(self) -> Backlog:
        async with self._database.read() as session:
            return await backlog.look(session, channels=self._channels, now=self._clock())
