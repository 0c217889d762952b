"""What is said of an answer instead of one: any will do, it isn't known, it won't be given ("ga inget platnya")."""

from dataclasses import dataclass

from conversations.understand.acts import Act
from conversations.understand.cues import find
from conversations.understand.spelling import Line, Span

TABLE = "stances.yaml"
_ACTS = {"any": Act.ANY, "unknown": Act.UNKNOWN, "refuse": Act.REFUSE}


@dataclass(frozen=True, slots=True)
class Stance:
    act: Act
    slots: tuple[str, ...]
    """Empty: the slot of the question on the screen."""
    span: Span


def stances_in(line: Line) -> list[Stance]:
    found = []
    for each in find(line, TABLE):
        act, *slots = each.rule.name.split()
        found.append(Stance(_ACTS[act], tuple(slots), each.span(line)))
    return found
