"""What the outbox loop hands to a channel, and the three ways in which sending can go wrong.

dispatch ── Parcel ──> telegram / whatsapp / email ── vendor's id, or NotSent / Unclear / Undeliverable
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.messages import Message


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours: its bytes, and a signed link for channels that fetch it themselves."""

    name: str
    content_type: str
    content: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One outbox row, ready to be sent."""

    id: int
    """The outbox row's number: reports of its delivery name it."""
    key: str
    """The outbox row's business key."""
    address: str
    language: str
    message: Message
    kind: str
    file: File | None = None
    in_session: bool = True
    """Whether the person wrote within the last 24 hours (WhatsApp's window); other channels don't ask."""
    written_at: datetime | None = None
    """When the row was written: what a channel holds from before can't be this message."""
    attempts: int = 0
    """How often it was handed over before; more than 0: it may have arrived."""


class Sender(Protocol):
    """A channel that can deliver."""

    async def send(self, parcel: Parcel) -> str | None:
        """Deliver and return the vendor's id of the (last) message; raises the exceptions below."""
        ...


class NotSent(Exception):
    """Provably not sent (connection refused, 429, 5xx before acceptance): try again, not before `retry_after`."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unclear(Exception):
    """Nobody knows whether it was sent (read timeout, connection lost after the request)."""


class Undeliverable(Exception):
    """The vendor will never take this message; `unreachable` when the whole chat is closed to us (blocked)."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class OutsideWindow(Exception):
    """WhatsApp: more than 24 hours since the customer's last message, and no approved template for this kind."""
