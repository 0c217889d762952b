"""Timeouts for everything the server waits for, and the wait that a vendor asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = timedelta(hours=1)
"""Upper limit for a vendor's Retry-After: a mistaken value must not hold up messages and payments for a day."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Short enough for callers' own timeouts (Twilio gives a webhook 15 s), long enough for slow days."""

    database: timedelta = timedelta(seconds=7)
    """For a connection, and then for a lock."""
    statement: timedelta = timedelta(seconds=10)
    """For a PostgreSQL statement that waits for no lock; after this PostgreSQL counts as away."""
    chat: timedelta = timedelta(seconds=15)
    """For Telegram and Twilio."""
    midtrans: timedelta = timedelta(seconds=10)
    mail: timedelta = timedelta(seconds=20)
    second_reader: timedelta = timedelta(seconds=2)
    """In all, since a customer waits for the turn."""
    keys: timedelta = timedelta(seconds=5)
    """For the issuer of sign-in tokens."""


DEFAULT_TIMEOUTS = Timeouts()


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The wait that Retry-After asks for, at most `MAX_RETRY_AFTER`; None if the header is missing or unreadable.

    A date is compared with the answer's own `Date` header, so that clocks needn't agree.
    Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdecimal():
        return timedelta(seconds=min(int(asked[:9]), MAX_RETRY_AFTER.total_seconds()))
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):  # no date, or one of the two without a time zone
        return None
    return min(max(wait, timedelta()), MAX_RETRY_AFTER)
