"""What bare words mean as an answer to the question on the screen: "10", "lunas", "rumah aja"."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from conversations.understand.answers import read_quantity, read_year
from conversations.understand.contacts import read_email, read_name, read_phone, read_plate
from conversations.understand.paying import percents_in, plain_plans_in
from conversations.understand.said import Said
from conversations.understand.spelling import Line, Span, span
from conversations.understand.when import bare_day, bare_time
from core.shop import Shop
from core.states import Location

FREE_TEXT = frozenset({"name", "address"})
"""Questions whose answer is text as typed."""
MOST_WORDS_OF_A_NAME = 4
NO_NAMES = frozenset({"nama", "sama", "wa", "saja", "tidak", "bisa", "mau", "seperti", "apa"})
IN_AN_ADDRESS = frozenset(
    [
        "jl",
        "jln",
        "jalan",
        "gang",
        "gg",
        "komplek",
        "perum",
        "perumahan",
        "rt",
        "rw",
        "blok",
        "no",
        "kav",
        "desa",
        "kelurahan",
        "kecamatan",
        "ruko",
    ]
)
_MOBILE = re.compile(r"(?<![0-9])(?:\+?62|0)[ -]?8[0-9]{2}[0-9 -]{6,12}")
PLACES = {
    Location.ONSITE: frozenset({"rumah", "kantor", "sini", "panggilan", "lokasi", "tempat", "onsite", "datangi"}),
    Location.WORKSHOP: frozenset({"bengkel", "sana", "situ", "toko", "workshop"}),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that may answer a question, and what reads it."""

    text: str
    line: Line
    """With all tags."""
    counted: Line
    """With numbers, but without tags for amounts and times."""
    now: datetime
    shop: Shop

    @property
    def whole(self) -> Span:
        return 0, len(self.text)

    @property
    def numbers(self) -> Iterator[tuple[int, Span]]:
        """The bare numbers; not the 2 of "kapan2"."""
        for token in self.line:
            if token.number is not None and not token.glued:
                yield token.number, (token.start, token.end)


def bare_answers(step: str | None, asked: Asked) -> list[Said]:
    """The values of the step's slot that only its question gives sense to."""
    read = _READERS.get(step or "")
    return list(read(asked)) if read else []


def contacts_in(text: str, line: Line) -> list[Said]:
    """A plate and a name that are called so, an e-mail address, and a mobile number."""
    names_itself = line[:1] and line[0].text in {"nama", "namanya", "atas", "name"} and "?" not in text
    found = {
        "plate": read_plate(text) if any(token.text == "plat" for token in line) else None,
        "email": read_email(text) if "@" in text else None,
        "name": read_name(text) if names_itself and len(line) <= MOST_WORDS_OF_A_NAME + 2 else None,
    }
    said = [Said(slot, value, _where(text, value)) for slot, value in found.items() if value]
    mobile = _MOBILE.search(text)
    phone = read_phone(mobile[0]) if mobile else None
    return [*said, Said("phone", phone, mobile.span())] if mobile and phone else said


def _where(text: str, value: str) -> Span:
    """Where a value stands, however it is spaced."""
    found = re.search(r"[\s.-]*".join(map(re.escape, value.split())), text, re.IGNORECASE)
    return found.span() if found else (0, len(text))


def _date(asked: Asked) -> Iterator[Said]:
    for number, where in asked.numbers:
        if day := bare_day(number, asked.now, asked.shop):
            yield Said("date", day.isoformat(), where)


def _time(asked: Asked) -> Iterator[Said]:
    for number, where in asked.numbers:
        if time := bare_time(number, asked.shop):
            yield Said("time", f"{time:%H:%M}", where)


def _year(asked: Asked) -> Iterator[Said]:
    if (year := read_year(asked.text, asked.now)) is not None:
        yield Said("year", year, asked.whole)


def _quantity(asked: Asked) -> Iterator[Said]:
    if (quantity := read_quantity(asked.text)) is not None:
        yield Said("quantity", quantity, asked.whole)


def _plan(asked: Asked) -> Iterator[Said]:
    yield from plain_plans_in(asked.line)
    yield from percents_in(asked.counted)


def _plain_plan(asked: Asked) -> Iterator[Said]:
    yield from plain_plans_in(asked.line)


def _location(asked: Asked) -> Iterator[Said]:
    for at, token in enumerate(asked.line):
        for place, words in PLACES.items():
            if token.text in words:
                yield Said("location", place, span(asked.line, at, at + 1))


def _plate(asked: Asked) -> Iterator[Said]:
    if plate := read_plate(asked.text):
        yield Said("plate", plate, asked.whole)


def _email(asked: Asked) -> Iterator[Said]:
    if email := read_email(asked.text):
        yield Said("email", email, asked.whole)


def _name(asked: Asked) -> Iterator[Said]:
    words = asked.text.split()
    name = read_name(asked.text) if len(words) <= MOST_WORDS_OF_A_NAME and "?" not in asked.text else None
    if name and not any(token.text in NO_NAMES for token in asked.line):
        yield Said("name", name, asked.whole)


def _address(asked: Asked) -> Iterator[Said]:
    if any(token.number is not None or token.text in IN_AN_ADDRESS for token in asked.counted):
        yield Said("address", asked.text.strip(), asked.whole)


_READERS: Mapping[str, Callable[[Asked], Iterator[Said]]] = {
    "date": _date,
    "time": _time,
    "year": _year,
    "quantity": _quantity,
    "plan": _plan,
    "method": _plain_plan,
    "confirmed": _plain_plan,
    "location": _location,
    "plate": _plate,
    "email": _email,
    "name": _name,
    "address": _address,
}
