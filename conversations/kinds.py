"""Messages that aren't plain words: voice notes, stickers, reactions, late edits.

needs_no_answer    a reaction, or an edit that changed nothing: silence
unread             what can't be read here: one kind sentence, and the open question again
"""

from datetime import timedelta
from hashlib import sha256

from conversations.incoming import Incoming, Kind
from conversations.turn import Step, Turn
from core.messaging.messages import Say, say

EDIT_COUNTS_FOR = timedelta(minutes=5)
"""An edit made later than this after its message was written is no correction any more."""


def needs_no_answer(turn: Turn) -> bool:
    """Whether it only acknowledges what was said, or says again what was answered.

    Telegram may report an edit that changed nothing that we can see: https://core.telegram.org/bots/api#update
    """
    incoming = turn.incoming
    if incoming.kind is Kind.REACTION:
        return True
    return incoming.edited and turn.state.newest.get(incoming.message_id or "") == _fingerprint(incoming)


def unread(turn: Turn, step: Step | None) -> Say | None:
    """What to say to a message that can't be read as an answer to this question; None if it can."""
    incoming = turn.incoming
    if incoming.edited and _is_late(turn):
        return say("edit.late")
    if incoming.text or _is_taken(incoming, step):
        return None
    return _SENTENCES.get(incoming.kind) if incoming.kind is not Kind.CONTACT or incoming.media else None


def newest(turn: Turn) -> dict[str, str]:
    """The messages that an edit may change after this turn: those of this turn; after an edit the same as before."""
    incoming, known = turn.incoming, turn.state.newest
    if incoming.kind is Kind.REACTION:
        return known
    said = {part.message_id: _fingerprint(part) for part in incoming.each if part.message_id}
    return known | {each: said[each] for each in said.keys() & known.keys()} if incoming.edited else said


_SENTENCES = {
    Kind.PHOTO: say("media.unread"),
    Kind.VOICE: say("media.voice"),
    Kind.VIDEO: say("media.video"),
    Kind.STICKER: say("media.sticker"),
    Kind.LOCATION: say("media.location"),
    Kind.CONTACT: say("media.contact"),
    Kind.OTHER: say("media.unread"),
}


def _is_taken(incoming: Incoming, step: Step | None) -> bool:
    if step is None:
        return False
    return (step.takes_photos and bool(incoming.media)) or (step.takes_place and incoming.place is not None)


def _is_late(turn: Turn) -> bool:
    edit = turn.incoming
    if edit.message_id not in turn.state.newest:
        return True
    began, ended = edit.first_written_at, edit.written_at
    return began is not None and ended is not None and ended - began > EDIT_COUNTS_FOR


def _fingerprint(part: Incoming) -> str:
    """Enough to see whether a text has changed, without keeping it."""
    return sha256((part.text or "").encode()).hexdigest()[:16]
