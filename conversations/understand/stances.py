"""What is said of an answer instead of one: any will do, it isn't known, it won't be given ("ga inget platnya")."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from conversations.understand.acts import Act
from conversations.understand.answers import read_skip, read_whatever
from conversations.understand.cues import find
from conversations.understand.spelling import Line, Span

TABLE = "stances.yaml"
OPTIONAL = frozenset(
    {"email", "plate", "phone", "name", "address", "services", "service", "part", "category", "year", "technician"}
)
"""Slots that somebody may leave out."""
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


def stances_on(text: str, line: Line, said: Collection[str], asked: str | None) -> list[Stance]:
    """What is said of answers; not of the slots that have one in the line."""
    found: list[Stance] = []
    for each in stances_in(line):
        slots = each.slots or ((asked,) if asked else ())
        if asked in slots and asked != "date":
            slots = (asked,)
        if each.act is Act.REFUSE and not each.slots and asked not in OPTIONAL:
            continue
        if not slots and not (each.act is Act.ANY and read_whatever(text.split(",", maxsplit=1)[0])):
            continue
        slots = tuple(slot for slot in slots if slot not in said)
        if slots or not each.slots:
            found.append(Stance(each.act, slots, each.span))
    if not found and asked in OPTIONAL and not said and read_skip(text):
        found.append(Stance(Act.REFUSE, (asked,), (0, len(text))))
    return found


def slots_of(stances: Sequence[Stance], act: Act) -> frozenset[str]:
    return frozenset(slot for each in stances if each.act is act for slot in each.slots or ("",))
