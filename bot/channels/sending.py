"""What the outbox loop hands to a channel, and the three ways in which sending can go wrong.

dispatch ── Parcel ──> telegram / whatsapp / email ── vendor's id, or NotSent / Unclear / Undeliverable
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from core.messaging.messages import Message

Part = TypeVar("Part")
"""One call of a vendor's API: long messages take several."""


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
    parts_left: int | None = None
    """How many parts, counted from the end, the vendor doesn't have yet; None: all of them."""
    others: Collection[str] = ()
    """Where it may have arrived: the vendor's ids of the chat's other messages, which aren't this one."""


class Sender(Protocol):
    """A channel that can deliver."""

    async def send(self, parcel: Parcel) -> str | None:
        """Deliver and return the vendor's id of the (last) message; raises the exceptions below."""
        ...


class Unfinished(Exception):
    """It wasn't sent to its end, and may be tried again; `parts_left` of it remain, counted from the end (None: all)."""

    parts_left: int | None = None


class NotSent(Unfinished):
    """Not sent (connection refused, 429, the vendor says that he failed): try again, not before `retry_after`."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unclear(Unfinished):
    """Nobody knows whether it was sent (read timeout, connection lost after the request)."""


def remaining(parcel: Parcel, parts: Sequence[Part]) -> Iterator[tuple[int, Part]]:
    """The parts that the vendor doesn't have yet, each with how many there are from it to the end."""
    first = 0 if parcel.parts_left is None else max(0, len(parts) - parcel.parts_left)
    return ((len(parts) - number, part) for number, part in enumerate(parts) if number >= first)


@contextmanager
def of_parts(left: int | None) -> Iterator[None]:
    """Around what sends a part: what goes wrong says how many remain."""
    try:
        yield
    except Unfinished as error:
        error.parts_left = left
        raise


class Undeliverable(Exception):
    """The vendor will never take this message; `unreachable` when the whole chat is closed to us (blocked)."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class OutsideWindow(Exception):
    """WhatsApp: more than 24 hours since the customer's last message, and no approved template for this kind."""
