"""What a line wants and where, by the cues of `vocabulary/intents.yaml` and `locations.yaml`.

Names and times are tags by then, so a cue can say "ganti .. <category>" (book) or "ganti .. <day>" (reschedule).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import TypeVar

from conversations.understand.spelling import Line, table
from core.states import Location


class Intent(StrEnum):
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
"""Words in a row, each with whether other words may come before it."""
Cues = Mapping[str, Sequence[Cue]]
"""The rest of each cue, by its first word."""


@dataclass(frozen=True, slots=True)
class Rule:
    meaning: str
    cues: Cues
    unless: Cues


_M = TypeVar("_M", Intent, Location)


def first_meaning(line: Line, file: str, kind: type[_M]) -> _M | None:
    """The first meaning in a table with a cue in the line, and none against it; names and times are tags by then."""
    words = [token.text for token in line]
    found = (rule.meaning for rule in _rules(file) if _any(rule.cues, words) and not _any(rule.unless, words))
    meaning = next(found, None)
    return kind(meaning) if meaning else None


def _any(cues: Cues, words: Sequence[str]) -> bool:
    return any(_follows(words, at + 1, rest) for at, word in enumerate(words) for rest in cues.get(word, ()))


def _follows(words: Sequence[str], at: int, cue: Cue) -> bool:
    for gap, wanted in cue:
        if gap:
            at = next((place for place in range(at, len(words)) if words[place] in wanted), len(words))
        if at >= len(words) or words[at] not in wanted:
            return False
        at += 1
    return True


@cache
def _rules(file: str) -> tuple[Rule, ...]:
    groups = table(file).get("groups", {})
    return tuple(
        Rule(meaning, _cues(rule["cues"], groups), _cues(rule.get("unless", ()), groups))
        for meaning, rule in table(file).items()
        if meaning != "groups"
    )


def _cues(texts: Iterable[str], groups: Mapping[str, str]) -> Cues:
    by_first_word: dict[str, list[Cue]] = {}
    for text in texts:
        (_, first), *rest = _steps(text, groups)
        for word in first:
            by_first_word.setdefault(word, []).append(tuple(rest))
    return by_first_word


def _steps(text: str, groups: Mapping[str, str]) -> Iterator[tuple[bool, frozenset[str]]]:
    """The steps of "ganti|ubah .. <day>"; "@job" stands for the words of that group."""
    gap = False
    for step in text.split():
        if step != "..":
            words = (groups[word[1:]].split() if word.startswith("@") else [word] for word in step.split("|"))
            yield gap, frozenset(chain.from_iterable(words))
        gap = step == ".."
