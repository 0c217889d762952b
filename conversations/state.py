"""What a conversation remembers: answers, and no pointer to a step.

The open question follows from the answers, and so do "back", skipped steps and flows changed by a deployment.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

VERSION = 1
"""Increased when older states can no longer be read; such a conversation starts over."""
ORDER = "booking"
"""The flow that makes a booking; it is never lost by something else that the customer does."""
_PROMPTS_A_DAY = 1000
"""A new conversation counts its questions from its day on: the buttons of one that was deleted stay stale."""


MOST_HEARD = 10
LONGEST_HEARD = 300
"""Characters kept of a message."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the customer, for the person who may have to help them."""

    at: datetime
    text: str = ""
    media: tuple[str, ...] = ()
    """Keys of its photos and files."""
    unkept: int = 0
    """How many more it had that weren't stored."""

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(datetime.fromisoformat(stored["at"]), stored["text"], tuple(stored["media"]), stored["unkept"])

    def to_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "text": self.text, "media": list(self.media), "unkept": self.unkept}


@dataclass(slots=True)
class State:
    """The state of one chat, kept as JSON in `Conversation.state`."""

    flow: str | None = None
    answers: list[tuple[str, Any]] = field(default_factory=list)
    """Name and value of each answer, in the order they were given: "back" drops the newest."""
    tentative: list[str] = field(default_factory=list)
    """Answers that must be checked when their step is reached."""
    asked: str | None = None
    """The step whose question is on the screen; text answers it."""
    prompt: int = 0
    """Number of the newest question; a tap on an older one is stale."""
    shown: list[tuple[str, str]] = field(default_factory=list)
    """Id and label of each option on the screen, in order."""
    page: int = 0
    screen: str | None = None
    """The action whose reply is on the screen, to show its next page; None in a flow."""
    misses: int = 0
    """Messages in a row that weren't understood."""
    correction: dict[str, Any] | None = None
    """Answers that may replace earlier ones, once the customer confirms."""
    guess: list[dict[str, Any]] = field(default_factory=list)
    """Acts that a second reader found, while the customer is asked whether they are meant (`guesses`)."""
    about: str | None = None
    """The code of the booking (or the key of the refund) that the flow is about; None for a new booking."""
    human: tuple[str, str] | None = None
    """Channel and address of the admin who has taken this conversation over."""
    customer: int | None = None
    """The id of the contact whose conversation this admin has taken over."""
    human_until: datetime | None = None
    """When the takeover ends; each message of the admin extends it."""
    taken: int = 0
    """How often admins have taken this conversation over; after a takeover, a call for a person is a new one."""
    newest: dict[str, str] = field(default_factory=dict)
    """The newest messages, which an edit may still change: the channel's id, and a digest of the text."""
    parked: dict[str, Any] | None = None
    """The answers of an open order, while the customer does something else; it comes back when that is done."""
    waits: bool = False
    """Whether this customer waits for a person (`Escalation`); `person.refresh` makes it true to the row."""
    writer: tuple[str, str] | None = None
    """Channel and address of the admin who wrote to this customer last: an answer goes there, not to the bot."""
    writer_until: datetime | None = None
    heard: list[Heard] = field(default_factory=list)
    """This customer's last messages, at most `MOST_HEARD`, the newest last."""
    called: str | None = None
    """The customer's name as the channel shows it."""
    version: int = VERSION

    @classmethod
    def from_json(cls, stored: dict[str, Any], *, now: datetime) -> Self:
        """The stored state without an expired takeover or writer; a new one if its version is no longer read."""
        if stored.get("version") != VERSION:
            return cls(prompt=stored.get("prompt", now.toordinal() * _PROMPTS_A_DAY))
        until, writer_until = _moment(stored, "human_until"), _moment(stored, "writer_until")
        state = cls(
            **stored
            | {
                "answers": [(name, value) for name, value in stored["answers"]],
                "shown": [(option, label) for option, label in stored["shown"]],
                "human": tuple(stored["human"]) if stored.get("human") else None,
                "human_until": until,
                "writer": tuple(stored["writer"]) if stored.get("writer") else None,
                "writer_until": writer_until,
                "heard": [Heard.from_json(each) for each in stored.get("heard", ())],
            }
        )
        if writer_until and writer_until <= now:
            state.writer = state.writer_until = None
        if until and until <= now:
            state.human = state.customer = state.human_until = None
        return state

    def to_json(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "human_until": self.human_until.isoformat() if self.human_until else None,
            "writer_until": self.writer_until.isoformat() if self.writer_until else None,
            "heard": [each.to_json() for each in self.heard],
        }

    def hear(self, message: Heard) -> None:
        """Remember a message as the newest."""
        self.heard = [*self.heard, message][-MOST_HEARD:]

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self.answers)

    def get(self, name: str, default: Any = None) -> Any:
        return next((value for known, value in self.answers if known == name), default)

    def put(self, name: str, value: Any, *, tentative: bool = False) -> None:
        """Store an answer as the newest; a tentative one is checked when its step is reached."""
        self.drop(name)
        self.answers.append((name, value))
        if tentative:
            self.tentative.append(name)

    def drop(self, *names: str) -> None:
        self.answers = [(known, value) for known, value in self.answers if known not in names]
        self.tentative = [known for known in self.tentative if known not in names]

    def recheck(self, *names: str) -> None:
        """Check these answers again, because what they depend on has changed."""
        self.tentative += [name for name in names if name in self and name not in self.tentative]

    def close(self) -> tuple[str, dict[str, Any]]:
        """End the flow; returns what it was about and its answers."""
        about, answers = self.about or "", dict(self.answers)
        self.begin(None)
        return about, answers

    def begin(self, flow: str | None, *, about: str | None = None) -> None:
        """Start a flow (or none) without answers; the prompt number continues, so that older buttons are stale.

        An open order is parked by another flow, and comes back when that one ends.
        """
        if self.flow == ORDER and flow not in (None, ORDER):
            self.parked = {"answers": self.answers, "tentative": self.tentative}
        back, self.flow, self.about = None, flow, about
        self.answers, self.tentative, self.correction = [], [], None
        if flow in (None, ORDER):
            back, self.parked = self.parked, None
        if back is not None:
            self.flow = ORDER
            self.answers, self.tentative = [(name, value) for name, value in back["answers"]], [*back["tentative"]]
        self.asked, self.page, self.misses = None, 0, 0


def _moment(stored: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(stored[name]) if stored.get(name) else None
