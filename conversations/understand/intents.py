"""What a line wants, by the cues of `vocabulary/intents.yaml`: the first intent that has one in the line."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from conversations.understand.spelling import Line, table, texts


class Intent(StrEnum):
    """What a person wants with a line."""

    BOOK = "book"
    FIT = "fit"
    PRICE = "price"
    STOCK = "stock"
    STATUS = "status"
    PAY = "pay"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    MY_BOOKINGS = "my_bookings"
    INVOICE = "invoice"
    WARRANTY = "warranty"
    HOURS = "hours"
    LOCATION = "location"
    HUMAN = "human"
    GREET = "greet"
    THANKS = "thanks"


Cue = tuple[tuple[bool, frozenset[str]], ...]
"""Words in a row, each with whether anything may stand before it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An intent (or another thing to tell), its cues, and those that take it back."""

    means: str
    cues: tuple[Cue, ...]
    unless: tuple[Cue, ...]

    def holds(self, words: list[str]) -> bool:
        """Whether the words have one of the cues and none of those that take it back."""
        return any(has(words, cue) for cue in self.cues) and not any(has(words, cue) for cue in self.unless)


def intent_of(line: Line) -> Intent | None:
    """The strongest intent of a line in which names and times are tags."""
    words = texts(line)
    return next((Intent(rule.means) for rule in rules("intents.yaml") if rule.holds(words)), None)


def has(words: list[str], cue: Cue) -> bool:
    """Whether the words hold the cue's words in order, with nothing between them but where it allows that."""
    return any(_follows(words, start, cue) for start, word in enumerate(words) if word in cue[0][1])


def _follows(words: list[str], start: int, cue: Cue) -> bool:
    at = start
    for gap, wanted in cue[1:]:
        at += 1
        if gap:
            at = next((place for place in range(at, len(words)) if words[place] in wanted), len(words))
        if at >= len(words) or words[at] not in wanted:
            return False
    return True


@cache
def rules(file: str) -> tuple[Rule, ...]:
    """The rules of a table, in its order."""
    return tuple(
        Rule(means, tuple(_cue(cue) for cue in body["cues"]), tuple(_cue(cue) for cue in body.get("unless", ())))
        for means, body in table(file).items()
        if isinstance(body, dict)
    )


def _cue(text: str) -> Cue:
    steps: list[tuple[bool, frozenset[str]]] = []
    gap = False
    for step in text.split():
        if step == "..":
            gap = True
            continue
        steps.append((gap, frozenset(step.replace("<thing>", "<category>|<part>").split("|"))))
        gap = False
    return tuple(steps)
