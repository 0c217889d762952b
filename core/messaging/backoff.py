"""When something that went wrong is tried again."""

from datetime import datetime, timedelta

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=5)


def retry_at(attempts: int, now: datetime, *, jitter: float, after: timedelta | None = None) -> datetime:
    """When to try again after so many attempts: doubling from 2 s to 5 min, up to half as much again by jitter (0 to 1).

    Not before `after` has passed, which is what the vendor asked for.
    """
    doublings = max(0, min(attempts, 16) - 1)
    backoff = min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings)) * (1 + jitter / 2)
    return now + max(backoff, after or timedelta())
