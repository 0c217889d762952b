"""Which values of a line aren't wanted: "bukan avanza tapi xenia", "jumat saya ga bisa", "selain senin dan selasa".

Values are tags by then (<day>, <car>, <technician>), so a rule is a few words before or after a tag; the words are in
`vocabulary/polarity.yaml`. "bisa ga besok?" is a question: "tidak" excludes only where a clause begins.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from conversations.understand.spelling import Line, table, text_at

TABLE = "polarity.yaml"
WHEN = frozenset({"<day>", "<time>", "<part_of_day>"})
PEOPLE = frozenset({"<technician>"})
VALUES = WHEN | PEOPLE | {"<car>", "<brand>", "<maker>", "<part>", "<category>", "<year>", "<location>", "<method>"}
MOST_WORDS = 3

Group = list[int]
"""Places of values that are excluded together: "avanza 2018", "senin atau selasa"."""


def rejected(line: Line) -> frozenset[int]:
    """Where in the text the values begin that the line excludes."""
    groups = [*_after_a_negation(line), *_before_a_negation(line), *_replaced(line)]
    if not groups:
        return frozenset()
    out = {at for group in groups for at in group}
    wanted = {token.text for at, token in enumerate(line) if token.text in VALUES and at not in out}
    return frozenset(line[at].start for group in groups for at in _contrasted(line, group, wanted))


def _contrasted(line: Line, group: Group, wanted: set[str]) -> Group:
    """Of "jumat jam 10", only the hour, if another hour is wanted: "jangan jumat jam 10, jam 2 aja"."""
    return [at for at in group if line[at].text in wanted] or group


def _after_a_negation(line: Line) -> Iterator[Group]:
    for at in range(len(line)):
        for size in range(MOST_WORDS, 0, -1):
            phrase = _phrase(line, at, size)
            if phrase in _list("before") and not line[at].raw.endswith("nya"):
                yield _group(line, _past(line, at + size, "between"))
                break
            if phrase in _list("leading") and _begins_a_clause(line, at) and line[at].raw != "saja":
                group = _group(line, _past(line, at + size, "between"))
                if phrase not in _list("only_when") or all(line[at].text in WHEN | PEOPLE for at in group):
                    yield group
                break


def _before_a_negation(line: Line) -> Iterator[Group]:
    at = 0
    while at < len(line):
        group = _group(line, at)
        if group:
            place = _past(line, group[-1] + 1, "after_between")
            if text_at(line, at - 1) not in _words("not_after") and _is_negated(line, group, place):
                yield group
        at = group[-1] + 1 if group else at + 1


def _replaced(line: Line) -> Iterator[Group]:
    """ "wahyu bisa diganti dedi ga?", "dari agus ke dedi"."""
    for at, token in enumerate(line):
        if token.text in VALUES - WHEN:
            place = _past(line, at + 1, "before_a_change")
            before, change = text_at(line, at - 1), text_at(line, place)
            turns = change in _words("changes") or (before, change) == ("dari", "ke")
            turns = turns or (before in _words("changes") and change in _words("into") and token.text != "<category>")
            if turns and text_at(line, _past(line, place + 1, "between")) == token.text:
                yield [at]


def _is_negated(line: Line, group: Group, at: int) -> bool:
    """Whether a negation of the group begins at a place after it, and doesn't ask."""
    about_when = all(line[place].text in WHEN | PEOPLE for place in group)
    for size in range(MOST_WORDS, 0, -1):
        phrase = _phrase(line, at, size)
        known = (about_when and phrase in _list("after")) or phrase in _list("after_anything")
        if known or f"{phrase}." in _list("after_anything"):
            after = text_at(line, _past(line, at + size, "after_between"))
            return not _asks(line, at) and (
                after not in _words("not_before") if known else after in {"", *_words("ends")}
            )
    return False


def _asks(line: Line, at: int) -> bool:
    """Whether the clause with this place ends with a question mark."""
    ends = (token.text for token in line[at:] if token.text in _words("ends"))
    return next(ends, "") == "?"


def _group(line: Line, at: int) -> Group:
    """The values that follow each other from a place on; of one kind only if they are linked by "atau"."""
    group: Group = []
    while text_at(line, at) in VALUES and (not group or _adds(line, group, at)):
        group.append(at)
        at += 1
        if text_at(line, at) in _words("links") and text_at(line, at + 1) in VALUES:
            at += 1
    return group


def _adds(line: Line, group: Group, at: int) -> bool:
    """Of one kind only days follow each other without a link, "jangan senin selasa"; not in "jangan senin selasa aja"."""
    is_linked = text_at(line, at - 1) in _words("links")
    is_new = text_at(line, at) not in {line[place].text for place in group}
    return is_linked or is_new or (text_at(line, at) == "<day>" and text_at(line, at + 1) not in _words("prefers"))


def _begins_a_clause(line: Line, at: int) -> bool:
    return at == 0 or text_at(line, at - 1) in _words("clause_starts")


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
