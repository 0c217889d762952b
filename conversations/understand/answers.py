"""Readers of short answers: yes or no, skip, a command, a choice from a list, a quantity, a year.

Each takes what was typed under a question and gives a value, or None where the answer isn't clear: ask again.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache

from rapidfuzz import fuzz

from conversations.understand.numbers import with_digits, without_amounts, year_of
from conversations.understand.spelling import table, tokenise


class Command(StrEnum):
    """What can be said at any step; `language` asks for the other language without naming one."""

    BACK = "back"
    START_OVER = "start_over"
    CANCEL = "cancel"
    HELP = "help"
    MENU = "menu"
    HUMAN = "human"
    LANGUAGE = "language"
    LANGUAGE_ID = "language_id"
    LANGUAGE_EN = "language_en"


def read_yes_no(text: str) -> bool | None:
    """True for yes, False for no; None for a question, for both at once, and for anything else."""
    words = _phrase(text)
    if "?" in text and len(words.split()) > 1:
        return None
    if _has(words, "turns") or _has(words, "asks"):
        return None
    said = [(yes, at) for yes, name in ((True, "agree"), (False, "refuse")) if (at := _first(words, name)) is not None]
    return None if not said or not _is_plain(words) else min(said, key=lambda each: each[1])[0]


def read_skip(text: str) -> bool:
    """Whether the question is to be left unanswered."""
    return _bare(text) in _phrases("skip") or text.strip() in _phrases("skip")


def read_command(text: str) -> Command | None:
    """The command that the whole message is; a sentence about an appointment is none."""
    text = text.strip().removeprefix("/")
    for name, phrases in _commands().items():
        if _bare(text) in phrases or text in phrases:
            return Command(name)
    return None


def read_choice(text: str, labels: Sequence[str]) -> int | None:
    """The index of the label that is meant by its words, its number, or a near spelling; None if two could be."""
    wanted = _compact(text)
    if not wanted:
        return None
    exact = [at for at, label in enumerate(labels) if _compact(label) == wanted]
    if len(exact) == 1:
        return exact[0]
    number = _position(text)
    if number is not None and (number == -1 or 1 <= number <= len(labels)):
        return number - 1 if number > 0 else len(labels) - 1
    return _only(_holding(text, labels)) if number is None else _only(_beginning(text, labels))


def read_quantity(text: str) -> int | None:
    """A count of things, as said: 0, -1 or a million are read, and refused where the shop's limit is known."""
    line = with_digits(tokenise(text))
    numbers = [(at, token.number) for at, token in enumerate(line) if token.number is not None]
    if not numbers and {"sepasang", "seset", "sebuah", "sebiji", "a", "an"} & {token.text for token in line}:
        return 1
    if len(numbers) != 1:
        return None
    at, number = numbers[0]
    assert number is not None
    if any(token.text == "<amount>" for token in without_amounts(line)):
        return None
    return -number if at and line[at - 1].text == "-" else number


def read_year(text: str, now: datetime) -> int | None:
    """A car's year, from 1980 to the next one: "2018", "thn 18", "'18"."""
    numbers = [token.number for token in with_digits(tokenise(text)) if token.number is not None]
    if len(numbers) != 1:
        return None
    return year_of(numbers[0], now)


def _phrase(text: str) -> str:
    """The words of a text in their one spelling, with signs of no meaning left out."""
    return " ".join(token.text for token in tokenise(text) if token.text not in set(",.!;:()~*_\"'…"))


def _bare(text: str) -> str:
    """The phrase without whom it is said to and without courtesy at its end: "batal dong kak" is batal."""
    words = _phrase(text).split()
    while words and words[-1] in {"kak", "dong", "ya", "deh", "saja", "tolong", "sih", "?", "lah"} and len(words) > 1:
        words.pop()
    while len(words) > 1 and words[0] in {"kak", "eh", "ya", "oh", "tolong"}:
        words.pop(0)
    return " ".join(words)


def _first(words: str, name: str) -> int | None:
    """Where the first phrase of a table stands; a longer phrase hides the words in it ("tidak apa-apa")."""
    padded = f" {words} "
    places = [padded.find(f" {phrase} ") for phrase in _phrases(name)]
    return min((place for place in places if place >= 0), default=None)


def _has(words: str, name: str) -> bool:
    return _first(words, name) is not None


def _is_plain(words: str) -> bool:
    """Whether nothing else is said."""
    rest = f" {words} "
    for name in ("agree", "refuse", "filler"):
        for phrase in sorted(_phrases(name), key=len, reverse=True):
            while f" {phrase} " in rest:
                rest = rest.replace(f" {phrase} ", " ")
    return not rest.strip()


def _position(text: str) -> int | None:
    """The place in a list that is named: "2", "no 2", "yang kedua", "pilih 2", "ke-2", "the last one"."""
    kept = [token.text for token in with_digits(tokenise(text)) if token.text not in _AROUND_A_NUMBER]
    if len(kept) != 1:
        return None
    return int(kept[0]) if kept[0].isdecimal() else _ordinals().get(kept[0])


_AROUND_A_NUMBER = {
    *(
        "nomor",
        "nomer",
        "no",
        "yang",
        "pilih",
        "pilihan",
        "opsi",
        "ke",
        "-",
        "#",
        ".",
        ")",
        "(",
        "saja",
        "kak",
        "ya",
        "dong",
        "deh",
    ),
    *("the", "one", "option", "number", "saya", "mau", "ambil", "i", "pick", "choose", ",", "itu", "tolong", "paling"),
}


def _holding(text: str, labels: Sequence[str]) -> list[int]:
    """The labels that hold all the words said, or the nearest by spelling if none does."""
    words = set(_phrase(text).split()) - _AROUND_A_NUMBER
    holding = [at for at, label in enumerate(labels) if words and words <= set(_phrase(label).split())]
    if holding:
        return holding
    wanted = _compact(text)
    scores = sorted(((fuzz.ratio(wanted, _compact(label)), at) for at, label in enumerate(labels)), reverse=True)
    close = [(score, at) for score, at in scores if score >= 74]
    if len(close) > 1 and close[0][0] - close[1][0] < 5:
        return [at for _, at in close]
    return [at for _, at in close[:1]]


def _beginning(text: str, labels: Sequence[str]) -> list[int]:
    """The labels that begin with a number said: "10" is 10:00, "40" is 40 %."""
    number = "".join(sign for sign in text if sign.isdecimal())
    return [at for at, label in enumerate(labels) if _leading(label) == number]


def _leading(label: str) -> str:
    line = tokenise(label)
    return line[0].text if line else ""


def _only(found: Sequence[int]) -> int | None:
    return found[0] if len(found) == 1 else None


def _compact(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


@cache
def _phrases(name: str) -> frozenset[str]:
    rows = table("answers.yaml")[name]
    assert isinstance(rows, list)
    return frozenset(phrase.strip() for row in rows for phrase in row.split(","))


@cache
def _commands() -> dict[str, frozenset[str]]:
    commands = table("answers.yaml")["commands"]
    assert isinstance(commands, dict)
    return {name: frozenset(_phrase(phrase) or phrase for phrase in phrases) for name, phrases in commands.items()}


@cache
def _ordinals() -> dict[str, int]:
    ordinals = table("answers.yaml")["ordinals"]
    assert isinstance(ordinals, dict)
    return {word.strip(): int(place) for place, words in ordinals.items() for word in words.split(",")}
