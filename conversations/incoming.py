"""An incoming message, the same for every channel; adapters in webhooks/ and bot/channels/ make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    latitude: float
    longitude: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message from one contact; `event_id` is the vendor's id, the deduplication key."""

    channel: str
    address: str
    event_id: str
    text: str | None = None
    """Typed text, cleaned by `clean`; a tapped button's label if the channel sends it."""
    choice: str | None = None
    """A tap: "{prompt number}:{index}", or an action's id."""
    phone: str | None = None
    """A phone number verified by the channel, E.164."""
    place: Place | None = None
    media: tuple[str, ...] = ()
    """The channel's handles of photos and files sent."""
    photos: tuple[str, ...] = ()
    """The keys of photos that were stored (`core.media`)."""
    files: tuple[str, ...] = ()
    """The keys of other files that were stored: voice notes, videos, PDFs."""
    name: str | None = None
    """The person's name as the channel shows it."""
    language: str | None = None
    """The language of the person's app ("id", "en-GB"), if the channel sends it."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The vendor's payload, kept if the turn fails."""
    unread: Exception | None = None
    """A bug met while reading the payload; the turn raises it, so that the payload is kept as a failed turn."""


MAX_CHARACTERS = 2000


def clean(text: str) -> str:
    """Make text storable in both databases: no NUL, no control characters but line ends and tabs, no lone surrogates.

    Text beyond `MAX_CHARACTERS` is cut; no answer in a chat needs more.
    """
    kept = "".join(
        sign
        for sign in text
        if sign in "\n\t" or (ord(sign) >= 32 and not 0xD800 <= ord(sign) <= 0xDFFF and ord(sign) != 127)
    )
    return kept[:MAX_CHARACTERS].strip()
