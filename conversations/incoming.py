"""What came in from a person, whatever the channel: the adapters in webhooks/ make it, the engine takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A shared location."""

    latitude: float
    longitude: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message from one contact; `event_id` is the vendor's id of it, the deduplication key."""

    channel: str
    address: str
    event_id: str
    text: str | None = None
    """What was typed, cleaned by `clean`; a tapped button's words where the channel tells them."""
    choice: str | None = None
    """A tap: "{prompt number}:{index}"."""
    phone: str | None = None
    """A phone number that the channel itself vouches for, E.164."""
    place: Place | None = None
    media: tuple[str, ...] = ()
    """The channel's handles of photos and files sent."""
    photos: tuple[str, ...] = ()
    """The photos among them that were stored, by their keys (`core.media`)."""
    name: str | None = None
    """The person's name as the channel shows it."""
    language: str | None = None
    """The language of the person's app ("id", "en-GB"), where the channel tells it."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The vendor's payload, kept if the turn fails."""
    unread: Exception | None = None
    """A bug met while reading the payload: its turn fails with it, and so it is kept."""


MOST_CHARACTERS = 2000


def clean(text: str) -> str:
    """A text that both databases take: no NUL, no control characters but line ends, no lone surrogates, bounded.

    Longer texts are cut at `MOST_CHARACTERS`; no answer in a chat needs more.
    """
    kept = "".join(
        sign
        for sign in text
        if sign in "\n\t" or (ord(sign) >= 32 and not 0xD800 <= ord(sign) <= 0xDFFF and ord(sign) != 127)
    )
    return kept[:MOST_CHARACTERS].strip()
