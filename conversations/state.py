"""What a conversation remembers: answers, never a step pointer (facts: back, skip and deploys follow from that)."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

VERSION = 1
"""Grows when an older state can no longer be read; such a conversation begins anew."""


@dataclass(slots=True)
class State:
    """The state of one chat, kept as JSON in `Conversation.state`."""

    flow: str | None = None
    answers: list[tuple[str, Any]] = field(default_factory=list)
    """Name and value of each answer, in the order they were given: "back" drops the newest."""
    tentative: list[str] = field(default_factory=list)
    """Answers that were given before they could be checked, or whose ground has moved."""
    asked: str | None = None
    """The question on the screen: free text only answers this one."""
    prompt: int = 0
    """Number of the newest question: a tap on an older one is stale."""
    shown: list[tuple[str, str]] = field(default_factory=list)
    """Id and label of each option on the screen, in order."""
    page: int = 0
    misses: int = 0
    """Answers in a row that nobody understood."""
    correction: dict[str, Any] | None = None
    """Answers that the customer seems to want instead of earlier ones; asked before they replace them."""
    about: str | None = None
    """The booking that a flow is about (staff's, a rating, a move), by its code; None while one is being made."""
    human: tuple[str, str] | None = None
    """The address of the admin who took this conversation over from the bot."""
    customer: int | None = None
    """The contact whose conversation this admin has taken over."""
    human_until: datetime | None = None
    """When the takeover ends, on both sides, unless the admin writes before."""
    taken: int = 0
    """How often an admin has taken this conversation over: who calls for a person after that calls anew."""
    version: int = VERSION

    @classmethod
    def from_json(cls, stored: dict[str, Any], *, now: datetime) -> Self:
        """The state as stored, but for a takeover that is over by now; a fresh one for a version we no longer read."""
        if stored.get("version") != VERSION:
            return cls(prompt=stored.get("prompt", 0))
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
        """The state as JSON values."""
        until = self.human_until.isoformat() if self.human_until else None
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"human_until": until}

    def __contains__(self, name: str) -> bool:
        return any(known == name for known, _ in self.answers)

    def get(self, name: str, default: Any = None) -> Any:
        """The answer of that name."""
        return next((value for known, value in self.answers if known == name), default)

    def put(self, name: str, value: Any, *, tentative: bool = False) -> None:
        """Store an answer as the newest; a tentative one is checked when its step is reached."""
        self.drop(name)
        self.answers.append((name, value))
        if tentative:
            self.tentative.append(name)

    def drop(self, *names: str) -> None:
        """Forget answers."""
        self.answers = [(known, value) for known, value in self.answers if known not in names]
        self.tentative = [known for known in self.tentative if known not in names]

    def recheck(self, *names: str) -> None:
        """Let answers be checked again, because what they stand on has changed."""
        self.tentative += [name for name in names if name in self and name not in self.tentative]

    def close(self) -> tuple[str, dict[str, Any]]:
        """End the flow; returns what it was about and its answers."""
        about, answers = self.about or "", dict(self.answers)
        self.begin(None)
        return about, answers

    def begin(self, flow: str | None, *, about: str | None = None) -> None:
        """Start a flow (or none) with nothing answered; the prompt number goes on, so older buttons are stale."""
        self.flow, self.about = flow, about
        self.answers, self.tentative, self.correction = [], [], None
        self.asked, self.page, self.misses = None, 0, 0
