"""Rate limits: a bucket of N tokens per key that refills evenly over the period."""

from collections import OrderedDict
from datetime import datetime, timedelta

MOST_CALLERS = 20_000
LAG = timedelta(minutes=1)
"""How late a delayed caller's `now` may be."""
RATE = r"^(off|[1-9]\d{0,5}/(second|minute|hour))$"
"""The format of a rate in the settings."""
_PERIODS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


class Limiter:
    """Counts by key (a user, an address, a chat); `rate` as in the settings: "60/minute", or "off"."""

    def __init__(self, rate: str, *, times: int = 1) -> None:
        count, _, period = rate.partition("/")
        self._period = _PERIODS.get(period, timedelta())
        self._each = self._period / (int(count) * times) if period else timedelta()
        self._full_at: OrderedDict[str, datetime] = OrderedDict()
        """When each key's bucket is full again, the least recent key first."""

    def wait(self, key: str, now: datetime) -> timedelta:
        """Take a token; if none is left, take none and return how long to wait."""
        if not self._each:
            return timedelta()
        full_at = self._full_at.get(key, now)
        if full_at > now + self._period + LAG:  # the clock was set back
            full_at = now
        full_at = max(full_at, now) + self._each
        if (wait := full_at - self._period - now) > timedelta():
            return wait
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > MOST_CALLERS:
            self._full_at.popitem(last=False)
        return timedelta()

    def give_back(self, key: str) -> None:
        """Return a token: the call failed and will be retried."""
        if key in self._full_at:
            self._full_at[key] -= self._each
