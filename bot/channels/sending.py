"""What the dispatcher hands to a channel, the errors of sending, and the rate limit.

dispatcher ── Outgoing ──> telegram / whatsapp / email ── the vendor's id, or NotSent / Unclear / Undeliverable
"""

import asyncio
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
    name: str
    content_type: str
    content: bytes
    url: str
    """A signed link, for a vendor that fetches the file itself."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One outbox row, ready to be sent."""

    id: int
    """Of the outbox row; delivery reports name it."""
    key: str
    """The business key of the outbox row."""
    address: str
    language: str
    message: Message
    kind: str
    written_at: datetime
    """When the row was written: what the vendor accepted earlier isn't this message."""
    file: File | None = None
    in_session: bool = True
    """WhatsApp: whether the person has written within the last 24 hours."""
    attempts: int = 0
    """Earlier attempts; after one the vendor may have the message already."""
    may_have_arrived: bool = False
    """Whether an earlier attempt may have reached the person: where the vendor can't be asked, the message says so."""
    parts_left: int | None = None
    """How many parts at the end are still to be sent; None: all."""
    others: Collection[str] = ()
    """When it may have arrived: the vendor's ids of the chat's other messages."""


class Sender(Protocol):
    """A channel that can send."""

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send, and return the vendor's id of the (last) message; raises the errors below."""
        ...


class Unfinished(Exception):
    """Not sent to its end, but may be retried; `parts_left` parts at the end remain (None: all)."""

    parts_left: int | None = None


class NotSent(Unfinished):
    """Not sent (connection refused, 429, 5xx): retry, but not before `retry_after`."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unclear(Unfinished):
    """It is unknown whether it was sent (read timeout, connection lost after the request)."""


class Undeliverable(Exception):
    """The vendor will never accept this message; `unreachable`: nor any other to this chat (we are blocked)."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class OutsideWindow(Exception):
    """WhatsApp: the person's last message is older than 24 hours, and this kind has no approved template."""


def parts_to_send(outgoing: Outgoing, parts: Sequence[Part]) -> Iterator[tuple[int, Part]]:
    """The parts that the vendor doesn't have yet, each with the number of parts left when it is sent."""
    left = len(parts) if outgoing.parts_left is None else min(outgoing.parts_left, len(parts))
    return ((len(parts) - at, parts[at]) for at in range(len(parts) - left, len(parts)))


@contextmanager
def sending_part(left: int | None) -> Iterator[None]:
    """Note on an error how many parts are left."""
    try:
        yield
    except Unfinished as error:
        error.parts_left = left
        raise


class RateLimit:
    """Spaces messages evenly, so that a burst isn't rejected by the vendor; a single message doesn't wait."""

    def __init__(self, per_second: int) -> None:
        self._gap = 1 / per_second
        self._free_at = 0.0

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._free_at)
        self._free_at = at + self._gap
        await asyncio.sleep(at - now)
