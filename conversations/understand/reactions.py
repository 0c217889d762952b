"""What a line says to the message before it: yes, no, "ok siap", a laugh."""

from collections.abc import Iterator
from functools import cache

from conversations.understand.acts import Act, DialogueAct
from conversations.understand.answers import IDLE, read_done, read_yes_no
from conversations.understand.spelling import Line, Span, span, table

TABLE = "answers.yaml"
YES_NO = frozenset({"confirmed", "correction", "fit", "agreed", "more", "email", "offer"})
"""Questions to which "ok" is a yes."""
ENOUGH = frozenset({"more", "category", "part", "service", "services", "serviced"})
"""Questions to which "udah, itu aja" is a no."""
MOST_WORDS = 3

Reaction = tuple[DialogueAct, Span]


def reactions_in(text: str, line: Line, asked: str | None) -> Iterator[Reaction]:
    """The reaction that a line is, or begins with."""
    whole = span(line, 0, len(line))
    said = read_yes_no(text)
    if (asked in ENOUGH and read_done(text)) or said is False:
        yield DialogueAct(Act.DENY, text.strip(), slot=asked), whole
    elif said:
        act = Act.CONFIRM if asked in YES_NO or not _only_acknowledges(line) else Act.ACKNOWLEDGE
        yield DialogueAct(act, text.strip(), slot=asked if act is Act.CONFIRM else None), whole
    else:
        yield from _beginning(text, line, asked)


def smalltalk_in(text: str, line: Line) -> Iterator[Reaction]:
    for at in range(len(line)):
        for size in range(MOST_WORDS, 0, -1):
            if _phrase(line, at, size) in _list("smalltalk"):
                where = span(line, at, min(at + size, len(line)))
                yield DialogueAct(Act.SMALLTALK, text[slice(*where)]), where
                return


def _beginning(text: str, line: Line, asked: str | None) -> Iterator[Reaction]:
    """ "oke, jam 10 ya", "ngga, sabtu aja"."""
    for size in range(MOST_WORDS, 0, -1):
        phrase = _phrase(line, 0, size)
        stops = (
            len(line) <= size
            or line[size].text in IDLE | {"tapi"}
            or (phrase in _list("plain_yes") and line[size].text[0] == "<")
        )
        if phrase in _list("acknowledge"):
            act, slot = (Act.CONFIRM, asked) if asked in YES_NO else (Act.ACKNOWLEDGE, None)
        elif phrase in _list("agree") and stops and line[-1].text != "?":
            act, slot = Act.CONFIRM, asked
        elif phrase in _list("refuse") and len(line) > size and line[size].text == ",":
            act, slot = Act.DENY, asked
        else:
            continue
        where = span(line, 0, size)
        yield DialogueAct(act, text[slice(*where)], slot=slot), where
        return


def _only_acknowledges(line: Line) -> bool:
    """Whether each word is one such as "ok" or "siap", or means nothing by itself."""
    known = _list("acknowledge") | _list("filler") | IDLE | {"kak", "terima", "kasih"}
    return all(token.text in known for token in line)


def _phrase(line: Line, at: int, size: int) -> str:
    return " ".join(token.text for token in line[at : at + size])


@cache
def _list(name: str) -> frozenset[str]:
    rows: list[str] = table(TABLE)[name]
    return frozenset(phrase.strip() for row in rows for phrase in row.split(","))
