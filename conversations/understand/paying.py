"""How a line wants to pay: the method, and in full or a part first."""

from collections.abc import Iterator
from functools import cache

from conversations.understand.numbers import MONEY
from conversations.understand.said import Said
from conversations.understand.spelling import Line, number_at, phrases, span, table, text_at

TABLE = "answers.yaml"
MOST_WORDS = 4
FULL = "full"
DOWN = "dp"
"""A down payment without its percent."""
PERCENT = frozenset({"%", "persen", "percent"})


def methods_in(line: Line) -> Iterator[Said]:
    """The payment methods that a line names, in its order."""
    yield from _phrases(line, "methods", "method")


def is_sure(line: Line, said: Said) -> bool:
    """Whether a method's words mean nothing else: "qris", not "dana" or "bank"."""
    words = [token.text for token in line if said.span[0] <= token.start < said.span[1]]
    return " ".join(words) in table(TABLE)["sure_methods"]


def plans_in(line: Line) -> Iterator[Said]:
    """ "lunas aja", "dp 30", "bayar penuh": full, a percent, or `DOWN`; not "udah lunas"."""
    for said in _phrases(line, "plans", "plan"):
        at = next(at for at, token in enumerate(line) if token.start == said.span[0])
        if line[at].text in _plain() or text_at(line, at - 1) in {"sudah", "belum", "habis", "sisa"}:
            continue
        end = next(at for at, token in enumerate(line) if token.end == said.span[1]) + 1
        percent = number_at(line, end)
        if said.value == DOWN and percent is not None and 0 < percent <= 100 and text_at(line, end + 1) not in MONEY:
            end += 1 + (text_at(line, end + 1) in PERCENT)
            yield Said("plan", str(percent), (said.span[0], line[end - 1].end))
        else:
            yield said


def plain_plans_in(line: Line) -> Iterator[Said]:
    """Words that mean a plan only where the question is about it: "full", "setengah aja"."""
    yield from (said for said in _phrases(line, "plans", "plan") if _word(line, said) in _plain())


def percents_in(line: Line) -> Iterator[Said]:
    """A percent alone, "30 persen aja"; at the question of how much first, also a bare number."""
    for at, token in enumerate(line):
        if token.number is not None and 0 < token.number <= 100:
            yield Said("plan", str(token.number), span(line, at, at + 1 + (text_at(line, at + 1) in PERCENT)))


def _word(line: Line, said: Said) -> str:
    return next(token.text for token in line if token.start == said.span[0])


@cache
def _plain() -> frozenset[str]:
    return frozenset(table(TABLE)["plain_plans"])


def _phrases(line: Line, section: str, slot: str) -> Iterator[Said]:
    known, order = phrases(TABLE, section), list(table(TABLE)[section])
    hits = []
    for at in range(len(line)):
        for size in range(min(MOST_WORDS, len(line) - at), 0, -1):
            phrase = " ".join(token.text for token in line[at : at + size])
            if phrase in known:
                hits.append(Said(slot, known[phrase], span(line, at, at + size)))
                break
    yield from sorted(hits, key=lambda said: order.index(said.value) if said.value in order else 0)
