"""How often one caller may write: a bucket of N that fills again evenly over the period, kept in little memory."""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

from webhooks.api.answers import Denied

MOST_CALLERS = 20_000
_PERIODS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


class Limiter:
    """Counts by key (a user, an address); `rate` as in the settings: "60/minute", or "off"."""

    def __init__(self, rate: str, *, times: int = 1) -> None:
        count, _, period = rate.partition("/")
        self._period = _PERIODS.get(period, timedelta())
        self._each = self._period / (int(count) * times) if period else timedelta()
        self._full_at: OrderedDict[str, datetime] = OrderedDict()
        """When a caller's bucket is full again, those who wrote longest ago first."""

    def count(self, key: str, now: datetime) -> None:
        """Count one write; raises `Denied` (429) for one too many, which isn't counted."""
        if not self._each:
            return
        full_at = max(self._full_at.get(key, now), now) + self._each
        if (wait := full_at - self._period - now) > timedelta():
            raise Denied(429, "too_many_requests", retry_after=max(1, math.ceil(wait.total_seconds())))
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > MOST_CALLERS:
            self._full_at.popitem(last=False)
