"""What people mean by what they type: pure readers of Indonesian chat and English.

    text ── spelling ──▶ words ── lexicon ──▶ names ── numbers ── when ──▶ day, time ── intents ──▶ Understanding

Each reader takes its words out of the line and leaves a tag such as <car>, so that the next can't read them again.
"""

import datetime as dt
from dataclasses import dataclass, field
from datetime import datetime

from conversations.understand.answers import (
    Command,
    read_choice,
    read_command,
    read_quantity,
    read_skip,
    read_year,
    read_yes_no,
    year_of,
)
from conversations.understand.clock import STRETCHES, PartOfDay
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from conversations.understand.intents import Intent, intent_of, rules
from conversations.understand.lexicon import Lexicon
from conversations.understand.numbers import number_at, text_at, with_digits, without_amounts
from conversations.understand.spelling import Line, replace, texts, tokenise
from conversations.understand.when import When, read_when, take_when
from core.shop import Shop
from core.states import Location

__all__ = [
    "Command",
    "Intent",
    "Lexicon",
    "PartOfDay",
    "Understanding",
    "When",
    "is_landline",
    "read_choice",
    "read_command",
    "read_email",
    "read_name",
    "read_phone",
    "read_plate",
    "read_quantity",
    "read_skip",
    "read_when",
    "read_year",
    "read_yes_no",
    "understand",
]


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that one line says; what it doesn't say is None or empty."""

    intent: Intent | None = None
    categories: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    brand: str | None = None
    model: str | None = None
    year: int | None = None
    date: dt.date | None = None
    date_is_ambiguous: bool = False
    time: dt.time | None = None
    part_of_day: PartOfDay | None = None
    technician: str | None = None
    technician_id: str | None = None
    location: Location | None = None
    quantity: int | None = None

    def as_json(self) -> dict[str, object]:
        """What `bengkel understand` prints (api.md): only what was said."""
        said = {
            "intent": self.intent,
            "categories": self.categories,
            "parts": self.parts,
            "brand": self.brand,
            "model": self.model,
            "year": self.year,
            "date": self.date.isoformat() if self.date else None,
            "time": f"{self.time:%H:%M}" if self.time else None,
            "part_of_day": self.part_of_day,
            "technician": self.technician,
            "location": self.location,
        }
        return {key: value for key, value in said.items() if value}


def understand(text: str, lexicon: Lexicon, *, now: datetime, shop: Shop) -> Understanding:
    """What a text says, wherever in a conversation it comes; never raises, whatever the text."""
    line = tokenise(text)
    services = lexicon.services_in(line)
    found, line = lexicon.take_names(_greeted(line))
    line = without_amounts(with_digits(line))
    when, line = take_when(line, shop.local(now), shop)
    year, line = _take_year(line, now)
    quantity = _quantity(line)
    intent = intent_of(line)
    if intent is Intent.GREET and (found.names or when or year):
        intent = None
    if when.faint and intent not in {None, Intent.BOOK, Intent.HOURS, Intent.RESCHEDULE}:
        when = When(None, when.time, when.part_of_day)
    parts = [part for name in found.of("part") for part in name]
    categories = [name.of[0] if name.kind == "category" else lexicon.part_category(name.of[0]) for name in found.names if name.kind in {"category", "part"}]
    brand, model = _car(found.of("car"), found.of("brand"))
    technicians = found.of("technician")
    technician = technicians[0][0] if technicians else None
    return Understanding(
        intent=intent,
        categories=list(dict.fromkeys(categories)),
        parts=list(dict.fromkeys(parts)),
        services=services,
        brand=brand,
        model=model,
        year=year,
        date=when.day,
        date_is_ambiguous=when.ambiguous,
        time=when.time,
        part_of_day=when.part_of_day,
        technician=lexicon.technician_name(technician) if technician else None,
        technician_id=technician,
        location=_location(line),
        quantity=quantity,
    )


def _greeted(line: Line) -> Line:
    """The line with "siang bang", "selamat sore" at its beginning as <greeting>: no part of the day is asked for."""
    at = 0
    while text_at(line, at) in {"halo", "kak", "selamat", ",", "."}:
        at += 1
    if text_at(line, at) not in STRETCHES or text_at(line, at) in {"jumatan", "noon"}:
        return line
    after = text_at(line, at + 1)
    if text_at(line, at - 1) == "selamat" or after in {"kak", "", ",", ".", "!", "semua", "admin"}:
        return replace(line, at, at + 1, "<greeting>")
    return line


def _take_year(line: Line, now: datetime) -> tuple[int | None, Line]:
    for at, token in enumerate(line):
        if token.number is None:
            continue
        before = text_at(line, at - 1)
        if len(token.text) == 4 and year_of(token.number, now) == token.number:
            return token.number, replace(line, at, at + 1, "<year>")
        if before in {"tahun", "<car>", "'"} and len(token.text) == 2 and (year := year_of(token.number, now)):
            return year, replace(line, at, at + 1, "<year>")
    return None, line


def _quantity(line: Line) -> int | None:
    for at, token in enumerate(line):
        if token.number is not None and text_at(line, at + 1) in {"<category>", "<part>", "pcs", "buah", "biji", "unit", "set", "pasang"}:
            return token.number
    return None


def _car(cars: list[tuple[str, ...]], brands: list[tuple[str, ...]]) -> tuple[str | None, str | None]:
    if cars:
        return cars[0][0], cars[0][1]
    return (brands[0][0], None) if brands else (None, None)


def _location(line: Line) -> Location | None:
    words = texts(line)
    return next((Location(rule.means) for rule in rules("locations.yaml") if rule.holds(words)), None)
