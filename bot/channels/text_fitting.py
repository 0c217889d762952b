"""Measuring, shortening and splitting text for a channel.

Lengths are in UTF-16 units (an emoji has two), since both vendors count them in some of their limits.
"""

import re
from collections.abc import Sequence
from functools import cache

from conversations.texts import Style, render
from core.messaging.messages import Option

LONGEST_LINE = 200
"""Of a numbered option."""

# Marks that reverse the rest of a line, such as an amount behind a name; no name needs them.
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


def width(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def one_line(text: str) -> str:
    """The text with all line ends and runs of spaces replaced by one space."""
    return " ".join(text.split())


def upright(text: str) -> str:
    """The text without marks that override its direction; right-to-left letters stay."""
    return _OVERRIDES.sub("", text)


def numbered(options: Sequence[Option], language: str, style: Style) -> str:
    """Options as lines "1. …"; the engine accepts the number as an answer."""
    texts = (": ".join(render(each, language) for each in (option.label, option.hint) if each) for option in options)
    return "\n".join(
        style.escape(shorten(one_line(f"{number}. {text}"), LONGEST_LINE)) for number, text in enumerate(texts, start=1)
    )


def distinct(labels: Sequence[str], limit: int) -> list[str]:
    """The labels, shortened; numbered if one would be empty or two would look the same."""
    short = [shorten(label, limit) for label in labels]
    if all(short) and len(set(short)) == len(short):
        return short
    return [shorten(f"{number}. {label}", limit) for number, label in enumerate(labels, start=1)]


def shorten(text: str, limit: int) -> str:
    """At most `limit` units, ending in "…" if it was cut."""
    return text if width(text) <= limit else _head(text, limit - 1).rstrip() + "…"


def split(text: str, limit: int, bold: tuple[str, str] = ("", "")) -> list[str]:
    """Pieces of at most `limit` units, cut after a paragraph if possible, else a line, else a word.

    Bold text that is cut is closed before the cut and opened again after it.
    """
    opening, closing = bold
    pieces = []
    while width(text) > limit:
        piece, text = _cut(text, limit - width(closing))
        if _is_open(piece, bold):
            piece, text = piece + closing, opening + text
        pieces.append(piece)
    return [*pieces, text] if text or not pieces else pieces


def _cut(text: str, limit: int) -> tuple[str, str]:
    head = _head(text, limit)
    for end in ("\n\n", "\n", " "):
        place = head.rfind(end)
        if head[: max(place, 0)].strip():
            return head[:place].rstrip(), text[place:].lstrip()
    head = _without_half_an_entity(head)
    return head, text[len(head) :]


def _head(text: str, limit: int) -> str:
    return text.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")


def _without_half_an_entity(head: str) -> str:
    """The longest start that cuts no `&lt;` and no tag; entities have at most ten characters."""
    place = max(head.rfind("&", -10), head.rfind("<", -10))
    return head[:place] if place > 0 and not re.search("[;>]", head[place:]) else head


@cache
def _at_the_edge_of_words(mark: str) -> re.Pattern[str]:
    """Where a mark means something: not as in "2*3", which is people's text."""
    return re.compile(rf"(?<!\w){re.escape(mark)}(?=\S)|(?<=\S){re.escape(mark)}(?!\w)")


def _is_open(piece: str, bold: tuple[str, str]) -> bool:
    opening, closing = bold
    if opening == closing:
        return bool(opening) and len(_at_the_edge_of_words(opening).findall(piece)) % 2 == 1
    return piece.count(opening) > piece.count(closing)
