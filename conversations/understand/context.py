"""What bare words mean as an answer to the question on the screen: "10", "lunas", "rumah aja"."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from conversations.understand.answers import read_quantity, read_year
from conversations.understand.contacts import read_email, read_plate
from conversations.understand.paying import percents_in, plain_plans_in
from conversations.understand.said import Said
from conversations.understand.spelling import Line, Span, span
from conversations.understand.when import bare_day, bare_time
from core.shop import Shop
from core.states import Location

ABOUT_PAYING = frozenset({"method", "plan", "confirmed"})
FREE_TEXT = frozenset({"name", "address"})
"""Questions whose answer is text as typed."""
PLACES = {
    Location.ONSITE: frozenset(
        {"rumah", "kantor", "ke sini", "kesini", "panggilan", "lokasi", "tempat", "onsite", "datangi"}
    ),
    Location.WORKSHOP: frozenset(
        {"bengkel", "ke sana", "kesana", "sana", "situ", "toko", "workshop", "di sana", "disana"}
    ),
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
        return span(self.line, 0, len(self.line))


def bare_answers(step: str | None, asked: Asked) -> list[Said]:
    """The values of the step's slot that only its question gives sense to."""
    read = _READERS.get(step or "")
    return list(read(asked)) if read else []


def _date(asked: Asked) -> Iterator[Said]:
    for at, token in enumerate(asked.line):
        if token.number is not None and (day := bare_day(token.number, asked.now, asked.shop)):
            yield Said("date", day.isoformat(), span(asked.line, at, at + 1))


def _time(asked: Asked) -> Iterator[Said]:
    for at, token in enumerate(asked.line):
        if token.number is not None and (time := bare_time(token.number, asked.shop)):
            yield Said("time", f"{time:%H:%M}", span(asked.line, at, at + 1))


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
}
