"""What a running server reports about itself: readiness, metrics, and alarms to the admins.

/readyz  ── the parts, and a database check with a timeout
/metrics ── this process's counters, and the backlog in the database
tick     ── alarms
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.background.ticker import Tick
from bot.watching import metrics
from bot.watching.health import CACHED_FOR, Check, Pulse, Trouble, check_write
from core.context import Context
from core.db.database import AWAY, Database
from core.shop import Shop
from core.upkeep import alarms, backlog
from core.upkeep.backlog import Backlog

ALARMS_EVERY = timedelta(minutes=1)
LONGEST_SILENCE = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class Oversight:
    """Watches one process and the backlog in its database; `channels` are the enabled ones."""

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
        """The parts that failed at the previous tick."""
        self._pulse = Pulse(LONGEST_SILENCE)
        self._database_check = Check(lambda: check_write(database), cached_for=CACHED_FOR)
        self._backlog = Check(self._load_backlog)

    async def ready(self) -> Mapping[str, str]:
        """The parts that aren't ready, and why; empty when all are."""
        missing = _troubles({**self._parts, "scheduler": self._pulse.trouble})
        try:
            await self._database_check.result()
        except AWAY as error:
            missing["database"] = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
        return missing

    async def exposition(self) -> bytes:
        """The metrics; without the backlog while the database doesn't answer."""
        try:
            waiting = await self._backlog.result()
        except AWAY:
            waiting = None
        return metrics.exposition(waiting, channels=self._channels, now=self._clock())

    def ticks(self, often: timedelta) -> list[Tick]:
        """The scheduled work: a pulse, counted from now, and alarms."""
        self._pulse.beat()
        return [Tick("pulse", often, self._beat), Tick("alarms", ALARMS_EVERY, self.raise_alarms)]

    async def raise_alarms(self) -> None:
        """Tell the admins what got stuck and what recovered."""
        try:
            async with self._database.write() as session:
                begun, over = await alarms.watch(Context(session, self._shop, self._clock()), channels=self._channels)
                lasting = self._still_failing()
                await alarms.failing(Context(session, self._shop, self._clock()), lasting, channels=self._channels)
        except AWAY as error:
            _log.warning("alarms: the database is away (%s)", type(error).__name__)
            return
        for name in begun:
            _log.error("alarm: %s is stuck", name)
        for name in over:
            _log.warning("alarm: %s is over", name)
        if begun or over or lasting:
            self._wake()

    async def close(self) -> None:
        await self._database_check.close()
        await self._backlog.close()

    def _still_failing(self) -> Mapping[str, str]:
        """The parts that failed twice in a row, and why: short troubles raise no alarm."""
        now = _troubles(self._parts)
        lasting = {name: trouble for name, trouble in now.items() if name in self._failing}
        self._failing = frozenset(now)
        return lasting

    async def _beat(self) -> None:
        self._pulse.beat()

    async def _load_backlog(self) -> Backlog:
        async with self._database.read() as session:
            return await backlog.look(session, channels=self._channels, now=self._clock())


def _troubles(parts: Mapping[str, Trouble]) -> dict[str, str]:
    return {name: trouble for name, part in parts.items() if (trouble := part())}
