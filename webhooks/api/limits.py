"""How often one caller may write over REST."""

import math
from datetime import datetime, timedelta

from core.limits import Limiter
from webhooks.api.answers import Denied


def count(limiter: Limiter, key: str, now: datetime) -> None:
    """Count one write; raises `Denied` (429) for one too many."""
    if (wait := limiter.wait(key, now)) > timedelta():
        raise Denied(429, "too_many_requests", retry_after=max(1, math.ceil(wait.total_seconds())))
