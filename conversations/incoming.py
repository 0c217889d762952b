"""An incoming message, the same for every channel; adapters in webhooks/ and bot/channels/ make it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a message is, apart from its text: a photo's or a video's caption is text, too."""

    TEXT = "text"  # also a tap
    PHOTO = "photo"  # also a picture sent as a file
    VOICE = "voice"  # also music
    VIDEO = "video"  # also a video note and an animation
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    REACTION = "reaction"  # its text is the emoji
    OTHER = "other"  # files, polls, dice, what the channel doesn't name


@dataclass(frozen=True, slots=True)
class Place:
    latitude: float
    longitude: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message from one contact, or several that came together (`together`).

    `event_id` is the vendor's id, the deduplication key; of several messages the first one's.
    """

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
    kind: Kind = Kind.TEXT
    media: tuple[str, ...] = ()
    """The channel's handles of photos, voice notes, videos and files sent."""
    photos: tuple[str, ...] = ()
    """The keys of photos that were stored (`core.media`)."""
    files: tuple[str, ...] = ()
    """The keys of other files that were stored: voice notes, videos, PDFs."""
    name: str | None = None
    """The person's name as the channel shows it."""
    language: str | None = None
    """The language of the person's app ("id", "en-GB"), if the channel sends it."""
    written_at: datetime | None = None
    """When it was written (an edit: when it was edited); None: when it was received."""
    message_id: str | None = None
    """The channel's id of the message, which an edit shares with its original; None where nothing can be edited."""
    edited: bool = False
    """The text is an earlier message's new text."""
    first_written_at: datetime | None = None
    """When an edited message was first written."""
    parts: tuple["Incoming", ...] = ()
    """The messages that were put together, in order; empty for one that never was."""
    second: tuple[Any, ...] = ()
    """Acts that a second reader found in the text, as JSON; nothing of it has been checked."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The vendor's payload, kept if the turn fails; each part has its own."""
    unread: Exception | None = None
    """A bug met while reading the payload; the turn raises it, so that the payload is kept as a failed turn."""

    @property
    def each(self) -> tuple["Incoming", ...]:
        """Its parts, or itself."""
        return self.parts or (self,)

    @property
    def event_ids(self) -> tuple[str, ...]:
        return tuple(part.event_id for part in self.each)

    def written_by(self, now: datetime) -> datetime:
        """When it was written, by our clock: never after `now`."""
        return min(self.written_at or now, now)


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


def together(parts: Sequence[Incoming]) -> Incoming:
    """Several messages of one chat as one: texts line by line, media in order; an edit takes its original's place."""
    said = _edits_applied(parts)
    return replace(
        parts[-1],
        event_id=parts[0].event_id,
        text="\n".join(part.text for part in said if part.text)[:MAX_CHARACTERS] or None,
        phone=_last(part.phone for part in parts),
        place=_last(part.place for part in parts),
        kind=min((part.kind for part in said), key=_TELLING.index),
        media=tuple(handle for part in said for handle in part.media),
        photos=tuple(photo for part in said for photo in part.photos),
        files=tuple(file for part in said for file in part.files),
        edited=all(part.edited for part in said),
        parts=tuple(parts),
        raw={},
    )


_TELLING = (
    Kind.PHOTO,
    Kind.VOICE,
    Kind.VIDEO,
    Kind.LOCATION,
    Kind.CONTACT,
    Kind.OTHER,
    Kind.TEXT,
    Kind.STICKER,
    Kind.REACTION,
)
"""Several messages are of the first of these kinds that one of them is."""


def _edits_applied(parts: Iterable[Incoming]) -> list[Incoming]:
    said = list[Incoming]()
    for part in parts:
        original = next(
            (at for at, each in enumerate(said) if part.edited and each.message_id == part.message_id), None
        )
        if original is None:
            said.append(part)
        else:
            said[original] = replace(said[original], text=part.text)
    return said


def _last(values: Iterable[Any]) -> Any:
    return next((value for value in reversed([*values]) if value is not None), None)
