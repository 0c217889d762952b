"""How long the server waits for each of those it needs, and how long they ask it to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(hours=1)
"""However long a vendor asks us to wait: what he says by mistake must not hold up messages and money for a day."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Short enough that nobody's own patience runs out (Twilio gives a webhook 15 s), long enough for a slow day."""

    database: timedelta = timedelta(seconds=7)
    """For a connection, and then for somebody else's lock."""
    statement: timedelta = timedelta(seconds=10)
    """For what PostgreSQL does when nobody holds it up; longer, and it counts as away."""
    chat: timedelta = timedelta(seconds=15)
    """For Telegram and Twilio."""
    midtrans: timedelta = timedelta(seconds=10)
    mail: timedelta = timedelta(seconds=20)
    keys: timedelta = timedelta(seconds=5)
    """For the issuer of sign-in tokens."""


USUAL = Patience()


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long an answer asks us to wait, at most `LONGEST_WAIT`; None where it doesn't say so in a readable way.

    A moment is read by the clock that wrote it (the `Date` beside it).
    Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdecimal():
        return timedelta(seconds=min(int(asked[:9]), LONGEST_WAIT.total_seconds()))
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):  # no date, or one of the two without a time zone
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)
