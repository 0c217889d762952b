"""How long the server waits for each of those it needs."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """Short enough that nobody's own patience runs out (Twilio gives a webhook 15 s), long enough for a slow day."""

    database: timedelta = timedelta(seconds=7)
    """For a connection, and then for somebody else's lock."""
    chat: timedelta = timedelta(seconds=15)
    """For Telegram and Twilio."""
    midtrans: timedelta = timedelta(seconds=10)
    mail: timedelta = timedelta(seconds=20)
    keys: timedelta = timedelta(seconds=5)
    """For the issuer of sign-in tokens."""


USUAL = Patience()
