"""A line as its readers see it: tokens, some of them tags such as <day> for what was read before."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, sign or tag; `raw` is what was typed, "" for a tag and the later words of a spelled-out form."""

    text: str
    raw: str = ""
    glued: bool = False
    """Without a space before it."""

    @property
    def number(self) -> int | None:
        return int(self.text) if self.text.isdecimal() else None


Line = tuple[Token, ...]


def text_at(line: Line, at: int) -> str:
    return line[at].text if 0 <= at < len(line) else ""


def number_at(line: Line, at: int) -> int | None:
    return line[at].number if 0 <= at < len(line) else None


def glued_at(line: Line, at: int) -> bool:
    return 0 <= at < len(line) and line[at].glued


def matches(line: Line, at: int, *words: str | Collection[str]) -> bool:
    """Whether these words (or, of a set, one of them) follow each other from a place on."""
    for place, wanted in enumerate(words, start=at):
        text = text_at(line, place)
        if text != wanted if isinstance(wanted, str) else text not in wanted:
            return False
    return True


def replace(line: Line, start: int, end: int, tag: str) -> Line:
    """The line with a tag in place of a span, so that no later reader reads it."""
    return (*line[:start], Token(tag), *line[end:])
