"""Readers of short answers: yes or no, skip, a command, a choice from a list, a quantity, a year.

Each returns a value, or None (or False) if the answer isn't clear and must be asked again.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache

from rapidfuzz import fuzz

from conversations.understand.numbers import with_digits, without_amounts, year_of
from conversations.understand.spelling import phrases, table, text_at, tokenise


class Command(StrEnum):
    """What can be said at any step; `language` switches without naming one."""

    BACK = "back"
    START_OVER = "start_over"
    CANCEL = "cancel"
    HELP = "help"
    MENU = "menu"
    HUMAN = "human"
    LANGUAGE = "language"
    LANGUAGE_ID = "language_id"
    LANGUAGE_EN = "language_en"


TABLE = "answers.yaml"
FULL = "full"
DOWN_PAYMENT = "dp"
STAFF_TABLE = "staff.yaml"
_CODE = re.compile(r"\bbk[- ]?([0-9a-z]{6,8})\b", re.IGNORECASE)
IDLE = frozenset(",.!;:()~*_\"'…-")
"""Signs without meaning in a short answer."""
COURTESY = frozenset({"kak", "dong", "ya", "deh", "saja", "tolong", "sih", "lah", "eh", "oh"})
_AROUND_A_CHOICE = (
    "nomor nomer no yang pilih pilihan opsi ke # itu ini saya mau ambil paling the one option number pick choose i %"
)
AROUND_A_CHOICE = COURTESY.union(_AROUND_A_CHOICE.split())
LAST = -1
"""The place of "terakhir" in the table of ordinals."""
MIN_SIMILARITY = 74
"""Least similarity of an answer to a label, out of 100."""
MIN_LEAD = 5
"""Least distance to the next similar label."""


def read_yes_no(text: str) -> bool | None:
    """True for yes, False for no; None for a question, for "yes, but", and for anything else."""
    clauses = re.split("[,.;]", text)  # "nggak, salah" isn't "tidak salah"
    answers = [answer for clause in clauses for answer in _answers(_words(clause))]
    if "?" in text or "" in answers:
        return None
    said = [answer for answer in answers if answer != "filler"]
    if not said or (said[0] == "agree" and "refuse" in said):
        return None  # "boleh ga" asks; "ya jangan" is ambiguous
    return said[0] == "agree"


def read_skip(text: str) -> bool:
    return text.strip() in _list("skip") or _bare(text) in _list("skip")


def read_done(text: str) -> bool:
    """ "udah", "itu aja", "that's all"."""
    return _bare(text) in _list("done")


def read_whatever(text: str) -> bool:
    """Any choice will do: "bebas", "terserah", "siapa aja boleh"."""
    return _bare(text) in _list("whatever")


def read_wait(text: str) -> bool:
    """A wish to join the waitlist: "antri", "waiting list dong", "kabari kalau ada"."""
    return _says(text, "wait")


def read_notify(text: str) -> bool:
    """A wish to be told when a part is back: "kabari kalau ada", "let me know when it's back"."""
    return _says(text, "notify") and not read_no_notice(text)


def read_no_notice(text: str) -> bool:
    """A wish not to be told any more: "ga usah dikabari lagi"."""
    return _says(text, "no_notice")


def reads_as_adding(text: str) -> bool:
    """ "tambah kabel juga", "sekalian", "plus"."""
    return _says(text, "adding")


def reads_as_changing(text: str) -> bool:
    """ "ganti", "jadi dua", "tukar", "instead": something else in place of what was ordered."""
    return _says(text, "changing")


def reads_as_dropping(text: str) -> bool:
    """ "hapus", "coret", "keluarin": something less than what was ordered."""
    return _says(text, "dropping")


def reads_as_joining(text: str) -> bool:
    """ "sekalian", "nambah": something more for the appointment that stands."""
    return _says(text, "joining")


def reads_as_an_answer(text: str) -> bool:
    """Whether a text is only "udah", "bebas", "ya" and the like, and so no name of anything."""
    return read_done(text) or read_whatever(text) or read_skip(text) or read_yes_no(text) is not None


def reads_as_paying(text: str) -> bool:
    """ "oke bayar", "lanjut ke pembayaran", "sip, bayar skrg"; no question."""
    return "?" not in text and _says(text, "paying")


def read_command(text: str) -> Command | None:
    """The command that the whole message is; a sentence about an appointment is none."""
    text, commands = text.strip().removeprefix("/"), phrases(TABLE, "commands")
    name = commands.get(_bare(text)) or commands.get(text)
    return Command(name) if name else None


def read_staff_action(text: str) -> str | None:
    """The action of staff that a whole message names, with a booking's code or search words: "mulai BK-7F3K2Q"."""
    words = " ".join(text.casefold().lstrip("/").split())
    if code := _CODE.search(words):
        verb = " ".join((words[: code.start()] + words[code.end() :]).split())
        name = phrases(STAFF_TABLE, "of_a_job").get(verb) if verb else "job"
        return f"{name}:BK-{code[1].upper()}" if name else None
    if words in phrases(STAFF_TABLE, "plain"):
        return phrases(STAFF_TABLE, "plain")[words]
    first, _, rest = words.partition(" ")
    name = phrases(STAFF_TABLE, "with_words").get(first)
    return f"{name}:{rest}" if name and rest else None


def is_hand_back(text: str) -> bool:
    """Whether an admin ends a takeover; only the exact phrase, since any other text goes to the customer."""
    return text.casefold().strip(" .!/") in phrases(STAFF_TABLE, "taken_over")


def read_choice(text: str, labels: Sequence[str]) -> int | None:
    """The index of the label meant: by its text, its place in the list, or a near spelling; None if ambiguous."""
    wanted = _letters(text)
    same = [at for at, label in enumerate(labels) if wanted and _letters(label) == wanted]
    return _only(same) if same else _by_place(text, labels)


def reads_as_english(text: str) -> bool:
    """Whether most of at least three words are English."""
    words = re.findall(r"[a-z]+", text.lower().replace("'", ""))
    english = sum(word in _list("english") for word in words)
    return english >= 3 and english * 2 > len(words)


def read_quantity(text: str) -> int | None:
    """A count of things; 0, -1 and a million are read too, and refused by the caller."""
    line = with_digits(tokenise(text))
    if any(token.text == "<amount>" for token in without_amounts(line)):
        return None
    numbers = [(at, token.number) for at, token in enumerate(line) if token.number is not None]
    if not numbers and any(token.text in {"sepasang", "seset", "sebuah", "sebiji"} for token in line):
        return 1
    if len(numbers) != 1:
        return None
    (at, number), *_ = numbers
    return -number if text_at(line, at - 1) == "-" else number


def read_year(text: str, now: datetime) -> int | None:
    """A car's year, from 1980 to next year: "2018", "thn 18", "'18"."""
    numbers = [token.number for token in with_digits(tokenise(text)) if token.number is not None]
    return year_of(numbers[0], now) if len(numbers) == 1 else None


def _says(text: str, name: str) -> bool:
    """Whether a text contains one of a list's phrases."""
    said = f" {' '.join(_words(text))} "
    return any(f" {phrase} " in said for phrase in _list(name))


def _words(text: str) -> list[str]:
    return [token.text for token in tokenise(text) if token.text not in IDLE]


def _bare(text: str) -> str:
    """The words without courtesy around them: "batal dong kak" is batal."""
    words = _words(text)
    while len(words) > 1 and words[-1] in COURTESY | {"?"}:
        words.pop()
    while len(words) > 1 and words[0] in COURTESY:
        words.pop(0)
    return " ".join(words)


def _answers(words: Sequence[str]) -> Iterator[str]:
    """The meaning of each run of words, the longest known first: agree, refuse, filler; "" for other words."""
    at = 0
    while at < len(words):
        runs = ((size, " ".join(words[at : at + size])) for size in (3, 2, 1))
        size, meaning = next(((size, _meanings()[run]) for size, run in runs if run in _meanings()), (1, ""))
        yield meaning
        at += size


def _by_place(text: str, labels: Sequence[str]) -> int | None:
    """The label at the named place; if there is none, by the first number of a label, or by its words."""
    place = _place(text)
    if place is None:
        said = set(_words(text)) - AROUND_A_CHOICE
        holding = [at for at, label in enumerate(labels) if said and said <= set(_words(label))]
        return _only(holding or _nearest(text, labels))
    if place == LAST:
        return len(labels) - 1 if labels else None
    if 1 <= place <= len(labels):
        return place - 1
    return _only([at for at, label in enumerate(labels) if text_at(tokenise(label), 0).lstrip("0") == str(place)])


def _place(text: str) -> int | None:
    """ "2", "no 2", "yang kedua", "pilih 2", "ke-2", "the last one" as a place in a list."""
    kept = with_digits(tuple(token for token in tokenise(text) if token.text not in AROUND_A_CHOICE | IDLE))
    if len(kept) != 1:
        return None
    if kept[0].number is not None:
        return kept[0].number
    ordinal = phrases(TABLE, "ordinals").get(kept[0].text)
    return int(ordinal) if ordinal else None


def _nearest(text: str, labels: Sequence[str]) -> list[int]:
    scores = [fuzz.ratio(_letters(text), _letters(label)) for label in labels]
    best = max(scores, default=0)
    return [at for at, score in enumerate(scores) if score >= max(MIN_SIMILARITY, best - MIN_LEAD)]


def _only(found: Sequence[int]) -> int | None:
    return found[0] if len(found) == 1 else None


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


@cache
def _meanings() -> dict[str, str]:
    return {phrase: name for name in ("filler", "refuse", "agree") for phrase in _phrases(table(TABLE)[name])}


@cache
def _list(name: str) -> frozenset[str]:
    return frozenset(_phrases(table(TABLE)[name]))


def _phrases(rows: list[str]) -> list[str]:
    return [phrase.strip() for row in rows for phrase in row.split(",")]
