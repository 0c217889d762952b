"""Which messages belong together: people write one thought in several messages.

text, text, text ── 2 s of silence ──> one turn
text ── tap ──> two turns: a tap or a command stands alone, and ends what came before it
text?  long text ──> half the wait: a finished thought
number, location ──> no wait: nothing more is expected after an answer from the list
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from conversations.incoming import Incoming, Kind

MOST_PARTS = 10
"""Messages of one turn; the tenth is answered at once, with those before it."""
LONGEST = timedelta(seconds=6)
"""From the first message's arrival to the turn."""
FINISHED_LENGTH = 100
"""Characters; who has written so many in one message is seldom interrupted by their own next one."""
FAR_APART = timedelta(minutes=5)
"""Messages that arrive together after an outage, but were written so far apart, are turns of their own."""
_OPTION = re.compile(r"\d{1,2}|[0-9]\ufe0f?\u20e3|\U0001f51f")
"""The number of an option, as a keycap emoji, too."""


def stands_alone(incoming: Incoming) -> bool:
    """Whether it is a turn of its own, which also ends what came before it."""
    is_command = (incoming.text or "").startswith("/")
    is_act = incoming.choice is not None or incoming.kind in (Kind.CONTACT, Kind.REACTION)
    return is_act or is_command or incoming.unread is not None


def belongs(incoming: Incoming, before: Sequence[Incoming]) -> bool:
    """Whether it belongs to the messages before it, which aren't answered yet."""
    if stands_alone(incoming):
        return False
    written, last = incoming.written_at, before[-1].written_at
    return written is None or last is None or abs(written - last) < FAR_APART


def wait_after(incoming: Incoming, gap: timedelta) -> timedelta:
    """How long more messages may be expected after this one; `gap` is the longest pause within a thought."""
    text = (incoming.text or "").strip()
    if stands_alone(incoming) or incoming.kind is Kind.LOCATION or _OPTION.fullmatch(text):
        return timedelta()
    return gap / 2 if text.endswith("?") or len(text) >= FINISHED_LENGTH else gap


def due_at(now: datetime, wait: timedelta, *, first: datetime) -> datetime:
    """When the turn is due, `first` being when the first of its messages arrived."""
    return min(now + wait, first + LONGEST)
