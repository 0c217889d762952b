"""A line as its readers see it: tokens, some of which are tags such as <day> for what was read already."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, sign or tag; `raw` is what was typed, "" for a tag and the later words of a spelled-out form."""

    text: str
    raw: str = ""
    glued: bool = False
    """Nothing stood between it and the token before."""

    @property
    def number(self) -> int | None:
        """Its value where it is a number."""
        return int(self.text) if self.text.isdecimal() else None


Line = tuple[Token, ...]


def text_at(line: Line, at: int) -> str:
    """The word at a place, "" beyond either end."""
    return line[at].text if 0 <= at < len(line) else ""


def number_at(line: Line, at: int) -> int | None:
    """The number at a place."""
    return line[at].number if 0 <= at < len(line) else None


def glued_at(line: Line, at: int) -> bool:
    """Whether there is a token at a place that nothing parts from the one before."""
    return 0 <= at < len(line) and line[at].glued


def stands(line: Line, at: int, *words: str | Collection[str]) -> bool:
    """Whether these words (or, of a set, one of them) stand in a row from a place on."""
    for place, wanted in enumerate(words, start=at):
        text = text_at(line, place)
        if text != wanted if isinstance(wanted, str) else text not in wanted:
            return False
    return True


def replace(line: Line, start: int, end: int, tag: str) -> Line:
    """The line with a tag in place of a span, so that nobody reads it twice."""
    return (*line[:start], Token(tag), *line[end:])
