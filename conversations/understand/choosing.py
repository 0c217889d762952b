"""Words by which people choose or ask before they buy: "yang murah aja", "yg venom 8 inch", "bisa cicil?", "lebaran buka?"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from conversations.understand.answers import AROUND_A_CHOICE, IDLE, read_choice
from conversations.understand.numbers import SIZES
from conversations.understand.spelling import phrases, tokenise
from core.catalogue.advice import chosen_among
from core.catalogue.attributes import Attributes, Rank
from core.db.tables import Part

TABLE = "advice.yaml"
ASKING = frozenset(
    {"apa", "mana", "berapa", "bagaimana", "kenapa", "siapa", "kapan", "ada"}
    | {"which", "what", "how", "why", "when", "where"}
)
"""Words of a question, also without its mark."""
RAMADAN, ANY_HOLIDAY = "ramadan", "any"
_WORD = re.compile(r"[^\W_]+")
_CARD = re.compile(r"\b(?:kartu kredit|credit card|cc)\b")


class Terms(StrEnum):
    """What about paying is asked."""

    SAFE = "safe"
    INSTALMENTS = "instalments"
    CASH = "cash"
    DOWN_PAYMENT = "down_payment"
    METHODS = "methods"


def read_chosen(text: str, shown: Sequence[Part], wanted: Attributes) -> Part | None:
    """The one part on the screen that is meant: by its attributes, as the cheapest or best, by its place or its words.

    `wanted`: what a reader has found in the text. None for a question, and for more than one.
    """
    if "?" in text or not shown or not ASKING.isdisjoint(_words(text)):
        return None
    wanted = wanted if wanted.order else replace(wanted, order=read_rank(text))
    if wanted:
        return chosen_among(shown, wanted)
    at = read_choice(text, [part.name for part in shown])
    if at is not None:
        return shown[at]
    words = {word for word in _words(text) if word not in AROUND_A_CHOICE | SIZES | IDLE}
    named = [part for part in shown if words and words <= set(_words(" ".join((part.name, part.brand, *part.aliases))))]
    has_letters = any(word.isalpha() for word in words)
    return named[0] if len(named) == 1 and has_letters else None


def read_rank(text: str) -> Rank | None:
    found = _said(text, "ranks")
    return Rank(found[0][1]) if found else None


def read_terms(text: str) -> set[Terms]:
    """What about paying a text asks; a credit card isn't credit."""
    said = _CARD.sub("kartu", text.casefold())
    return {Terms(name) for _, name in _said(said, "terms")}


def read_season(text: str) -> str | None:
    """The public holiday, by words of its Indonesian name, `RAMADAN`, or `ANY_HOLIDAY` that a text names."""
    found = _said(text, "seasons")
    named = [(len(phrase), name) for phrase, name in found if name != ANY_HOLIDAY]
    return max(named)[1] if named else ANY_HOLIDAY if found else None


def read_names(text: str, names: Iterable[str]) -> list[str]:
    """Which of these names, in small letters, a text holds, in its order; the first word of a longer one is enough."""
    said = _padded(text)
    places = {name: max(said.find(_padded(each)) for each in (name, name.split()[0])) for name in names if name.strip()}
    return sorted((name for name, place in places.items() if place >= 0), key=lambda name: places[name])


def _said(text: str, section: str) -> list[tuple[str, str]]:
    """The phrases of a section that a text holds, as typed or as spelling repairs it, with their keys."""
    lines = _padded(text), _padded(" ".join(_words(text)))
    return [
        (phrase, name)
        for phrase, name in phrases(TABLE, section).items()
        if any(f" {phrase} " in line for line in lines)
    ]


def _padded(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _words(text: str) -> list[str]:
    return [token.text for token in tokenise(text)]
