"""Which values of a line aren't wanted: "bukan avanza tapi xenia", "jumat saya ga bisa", "selain senin dan selasa".

Values are tags by then (<day>, <car>, <technician>), so a rule is a few words before or after a tag; the words are in
`vocabulary/polarity.yaml`. "bisa ga besok?" is a question: "tidak" excludes only where a clause begins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from conversations.understand.spelling import Line, Span, span, table, text_at

TABLE = "polarity.yaml"
WHEN = frozenset({"<day>", "<time>", "<part_of_day>"})
PEOPLE = frozenset({"<technician>"})
VALUES = WHEN | PEOPLE | {"<car>", "<brand>", "<maker>", "<part>", "<category>", "<year>", "<location>", "<method>"}
MOST_WORDS = 3

SAME = {"<part>": "<category>"}
"""Kinds that replace each other: "ga jadi kamera mundur, head unit aja"."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Places of values that are excluded together ("avanza 2018", "senin atau selasa"), and of the words that say so."""

    values: Sequence[int]
    start: int
    end: int


def rejected(line: Line) -> Mapping[int, Span]:
    """Where in the text the values begin that the line excludes; for each, the characters that exclude it."""
    found = [*_after_a_negation(line), *_before_a_negation(line), *_replaced(line)]
    out = {at for each in found for at in each.values}
    wanted = {_kind(line, at) for at, token in enumerate(line) if token.text in VALUES and at not in out}
    return {
        line[at].start: span(line, each.start, each.end)
        for each in found
        for at in _contrasted(line, each.values, wanted)
    }


def _contrasted(line: Line, group: Sequence[int], wanted: set[str]) -> Sequence[int]:
    """Of "jumat jam 10", only the hour, if another hour is wanted: "jangan jumat jam 10, jam 2 aja"."""
    return [at for at in group if _kind(line, at) in wanted] or group


def _after_a_negation(line: Line) -> Iterator[Rejection]:
    for at in range(len(line)):
        for size in range(min(MOST_WORDS, len(line) - at), 0, -1):
            phrase = _phrase(line, at, size)
            if not _negates(line, at, phrase):
                continue
            group = _group(line, _past(line, at + size, "between"))
            if group and _suits(line, group, phrase):
                yield Rejection(group, at, group[-1] + 1)
            break


def _negates(line: Line, at: int, phrase: str) -> bool:
    """Whether a phrase at a place negates what follows it."""
    if phrase in _list("before") or phrase in _words("before_another"):
        return not line[at].raw.endswith("nya")  # "bukannya sabtu buka?" asks
    if phrase in _words("first"):
        return line[at].raw != "saja" and (at == 0 or text_at(line, at - 1) in _words("ends"))
    return phrase in _words("leading") and (at == 0 or text_at(line, at - 1) in _words("clause_starts"))


def _suits(line: Line, group: Sequence[int], phrase: str) -> bool:
    if phrase in _words("before_another"):
        return _has_another(line, group)
    only = table(TABLE)["only"].get(phrase)
    return only is None or all(line[at].text in only.split() for at in group)


def _has_another(line: Line, group: Sequence[int]) -> bool:
    """Whether a value of the same kind follows a group."""
    kinds = {_kind(line, at) for at in group}
    return any(line[at].text in VALUES and _kind(line, at) in kinds for at in range(group[-1] + 1, len(line)))


def _before_a_negation(line: Line) -> Iterator[Rejection]:
    at = 0
    while at < len(line):
        group = _group(line, at)
        if group:
            place = _past(line, group[-1] + 1, "after_between")
            size = _size_of_negation(line, group, place)
            if size and text_at(line, at - 1) not in _words("not_after"):
                yield Rejection(group, group[0], place + size)
        at = group[-1] + 1 if group else at + 1


def _replaced(line: Line) -> Iterator[Rejection]:
    """ "wahyu bisa diganti dedi ga?", "dari agus ke dedi"."""
    for at, token in enumerate(line):
        if token.text in VALUES - WHEN:
            place = _past(line, at + 1, "before_a_change")
            before, change = text_at(line, at - 1), text_at(line, place)
            turns = change in _words("changes") or (before, change) == ("dari", "ke")
            turns = turns or (before in _words("changes") and change in _words("into") and token.text != "<category>")
            if turns and text_at(line, _past(line, place + 1, "between")) == token.text:
                yield Rejection([at], at, at + 1)


def _size_of_negation(line: Line, group: Sequence[int], at: int) -> int:
    """The words of the negation of a group that stands at a place after it and doesn't ask; 0 if there is none."""
    about_when = all(line[place].text in WHEN | PEOPLE for place in group)
    for size in range(min(MOST_WORDS, len(line) - at), 0, -1):
        phrase = _phrase(line, at, size)
        known = (about_when and phrase in _list("after")) or phrase in _words("after_anything")
        known = known or (phrase in _words("after_another") and (not about_when or _has_another(line, group)))
        if known or f"{phrase}." in _words("after_anything"):
            after = text_at(line, _past(line, at + size, "after_between"))
            ends = after not in _words("not_before") if known else after in {"", *_words("ends")}
            return size if ends and (not _asks(line, at) or _has_another(line, group)) else 0
    return 0


def _asks(line: Line, at: int) -> bool:
    """Whether the clause with this place ends with a question mark."""
    ends = (token.text for token in line[at:] if token.text in _words("ends"))
    return next(ends, "") == "?"


def _group(line: Line, at: int) -> list[int]:
    """The values that follow each other from a place on; of one kind only if they are linked by "atau"."""
    group: list[int] = []
    while text_at(line, at) in VALUES and (not group or _adds(line, group, at)):
        group.append(at)
        at += 1
        if text_at(line, at) in _words("links") and text_at(line, at + 1) in VALUES:
            at += 1
    return group


def _adds(line: Line, group: Sequence[int], at: int) -> bool:
    """Of one kind only days follow each other without a link, "jangan senin selasa"; not in "jangan senin selasa aja"."""
    is_linked = text_at(line, at - 1) in _words("links")
    is_new = text_at(line, at) not in {line[place].text for place in group}
    return is_linked or is_new or (text_at(line, at) == "<day>" and text_at(line, at + 1) not in _words("prefers"))


def _kind(line: Line, at: int) -> str:
    return SAME.get(line[at].text, line[at].text)


def _past(line: Line, at: int, words: str) -> int:
    """The next place whose word isn't one of those."""
    while text_at(line, at) in _words(words):
        at += 1
    return at


def _phrase(line: Line, at: int, size: int) -> str:
    return " ".join(token.text for token in line[at : at + size])


@cache
def _list(name: str) -> frozenset[str]:
    rows: Sequence[str] = table(TABLE)[name]
    return frozenset(phrase.strip() for row in rows for phrase in row.split(","))


@cache
def _words(name: str) -> frozenset[str]:
    words: str | Sequence[str] = table(TABLE)[name]
    return frozenset(words.split() if isinstance(words, str) else words)
