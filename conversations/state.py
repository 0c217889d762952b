"""What a conversation remembers: answers, and no pointer to a step.

The open question follows from the answers, and so do "back", skipped steps and flows changed by a deployment.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

VERSION = 1
"""Increased when older states can no longer be read; such a conversation starts over."""
_PROMPTS_A_DAY = 1000
"""A new conversation counts its questions from its day on: the buttons of one that was deleted stay stale."""


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
    misses: int = 0
    """Messages in a row that weren't understood."""
    correction: dict[str, Any] | None = None
    """Answers that may replace earlier ones, once the customer confirms."""
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
    version: int = VERSION

    @classmethod
    def from_json(cls, stored: dict[str, Any], *, now: datetime) -> Self:
        """The stored state without an expired takeover; a new one if its version is no longer read."""
        if stored.get("version") != VERSION:
            return cls(prompt=stored.get("prompt", now.toordinal() * _PROMPTS_A_DAY))
        until = datetime.fromisoformat(stored["human_until"]) if stored.get("human_until") else None
        state = cls(
            **stored
            | {
                "answers": [(name, value) for name, value in stored["answers"]],
                "shown": [(option, label) for option, label in stored["shown"]],
                "human": tuple(stored["human"]) if stored.get("human") else None,
                "human_until": until,
            }
        )
        if until and until <= now:
            state.human = state.customer = state.human_until = None
        return state

    def to_json(self) -> dict[str, Any]:
        until = self.human_until.isoformat() if self.human_until else None
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"human_until": until}

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
        """Start a flow (or none) without answers; the prompt number continues, so that older buttons are stale."""
        self.flow, self.about = flow, about
        self.answers, self.tentative, self.correction = [], [], None
        self.asked, self.page, self.misses = None, 0, 0
