"""Cues: words in a row that tell what a line means, from the tables of `vocabulary`.

Names and times are tags by then, so a cue can say "ganti .. <category>" (book) or "ganti .. <day>" (reschedule).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from conversations.understand.spelling import Line, Span, table

Cue = tuple[tuple[bool, frozenset[str]], ...]
"""Words in a row, each with whether other words may come before it."""
Cues = Mapping[str, Sequence[Cue]]
"""The rest of each cue, by its first word."""
Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of a table: what its cues mean, and what else the row says."""

    name: str
    cues: Cues
    unless: Cues
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that a line obeys, and the places of the words that say so."""

    rule: Rule
    places: Places
    spoken: Places
    """All places of the rule's cues, not those of its first cue alone."""

    def span(self, line: Line) -> Span:
        return line[self.places[0]].start, line[self.places[-1]].end


def find(line: Line, file: str) -> list[Found]:
    """The rules of a table with a cue in the line and none against it, the strongest first.

    A word that a stronger rule has used can't speak for a weaker one: "bayar" in "gagal bayar" is no wish to pay.
    """
    words = [token.text for token in line]
    used: set[int] = set()
    hidden: set[str] = set()
    found: list[Found] = []
    known = set(words)
    for rule in rules(file):
        if rule.cues.keys().isdisjoint(known):
            continue
        hits = list(_hits(rule.cues, words))
        if not hits or any(True for _ in _hits(rule.unless, words)):
            continue
        spoken = tuple(sorted({at for places in hits for at in places}))
        places = next((places for places in hits if used.isdisjoint(places)), ())
        if rule.name in hidden or not places:
            found = [_also_said(each, spoken) for each in found]
            continue
        found.append(Found(rule, places, spoken))
        used.update(at for at in places if not words[at].startswith("<"))
        hidden.update(rule.says.get("hides", ()))
    return found


def _also_said(found: Found, spoken: Places) -> Found:
    return Found(found.rule, found.places, tuple(sorted({*found.spoken, *spoken})))


def _hits(cues: Cues, words: Sequence[str]) -> Iterator[Places]:
    """The places of each cue in the line."""
    for at, word in enumerate(words):
        for rest in cues.get(word, ()):
            if places := _follow(words, at, rest):
                yield places


def _follow(words: Sequence[str], at: int, cue: Cue) -> Places:
    places = [at]
    for gap, wanted in cue:
        at += 1
        if gap:
            at = next((place for place in range(at, len(words)) if words[place] in wanted), len(words))
        if at >= len(words) or words[at] not in wanted:
            return ()
        places.append(at)
    return tuple(places)


@cache
def rules(file: str) -> tuple[Rule, ...]:
    groups = table(file).get("groups", {})
    return tuple(
        Rule(name, _cues(rule["cues"], groups), _cues(rule.get("unless", ()), groups), rule)
        for name, rule in table(file).items()
        if name != "groups"
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
