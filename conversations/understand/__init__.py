"""What people mean by what they type: pure readers of Indonesian chat and English.

    text ── spelling ──▶ words ── lexicon ──▶ names ── numbers ── when ──▶ day, time ── intents ──▶ Understanding

Each reader replaces its words with a tag such as <car>, so that the next can't read them again.
"""

import datetime as dt
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conversations.understand.clock import PartOfDay
from conversations.understand.intents import Intent, first_meaning
from conversations.understand.lexicon import Lexicon, Name
from conversations.understand.numbers import count_in, take_year, with_digits, without_amounts
from conversations.understand.spelling import Line, replace, text_at, tokenise
from conversations.understand.when import When, take_when
from core.shop import Shop
from core.states import Location

ABOUT_A_VISIT = frozenset({None, Intent.BOOK, Intent.HOURS, Intent.RESCHEDULE})
"""Intents with which "sekarang" and "nanti jam 3" mean an appointment."""
GREETINGS = frozenset({"pagi", "siang", "sore", "malam"})
BEFORE_A_GREETING = frozenset({"halo", "kak", "selamat", ",", "."})
AFTER_A_GREETING = frozenset({"", "kak", "semua", "admin", ",", ".", "!"})


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

    @property
    def answers(self) -> dict[str, Any]:
        """What was said, by the name of the step (`conversations.booking`) it answers and as that step stores it."""
        said = {
            "brand": self.brand,
            "model": self.model,
            "year": self.year,
            "date": self.date.isoformat() if self.date else None,
            "time": f"{self.time:%H:%M}" if self.time else None,
            "technician": self.technician_id,
            "location": self.location,
        }
        return {name: answer for name, answer in said.items() if answer is not None}

    def as_json(self) -> dict[str, object]:
        """What `bengkel understand` prints: only what was said."""
        goods = {"intent": self.intent, "categories": self.categories, "parts": self.parts}
        said = goods | self.answers | {"part_of_day": self.part_of_day, "technician": self.technician}
        return {key: value for key, value in said.items() if value}


def understand(text: str, lexicon: Lexicon, *, now: datetime, shop: Shop) -> Understanding:
    """What a text says, at any point of a conversation; never raises."""
    line = tokenise(text)
    services = lexicon.services_in(line)
    names, line = lexicon.take_names(_with_greeting(line))
    when, line = take_when(without_amounts(with_digits(line)), now, shop)
    year, line = take_year(line, shop.local(now))
    intent = first_meaning(line, "intents.yaml", Intent)
    if intent is Intent.GREET and (names or when or year):
        intent = None  # "siang kak, besok bisa?" is more than a greeting
    if when.faint and intent not in ABOUT_A_VISIT:
        when = When(time=when.time, part_of_day=when.part_of_day)
    cars, brands = _of(names, "car"), _of(names, "brand")
    brand, model = cars[0] if cars else (brands[0][0] if brands else None, None)
    technician = next((of[0] for of in _of(names, "technician")), None)
    return Understanding(
        intent=intent,
        categories=_categories(names, lexicon),
        parts=list(dict.fromkeys(part for parts in _of(names, "part") for part in parts)),
        services=services,
        brand=brand,
        model=model,
        year=year,
        date=when.day,
        date_is_ambiguous=when.ambiguous,
        time=when.time,
        part_of_day=when.part_of_day,
        technician=lexicon.catalogue.technicians[technician].name if technician else None,
        technician_id=technician,
        location=first_meaning(line, "locations.yaml", Location),
        quantity=count_in(line),
    )


def _with_greeting(line: Line) -> Line:
    """The part of the day in "siang bang" or "selamat sore" as <greeting>, since it is no time to come."""
    at = 0
    while text_at(line, at) in BEFORE_A_GREETING:
        at += 1
    led = text_at(line, at - 1) == "selamat"
    if text_at(line, at) in GREETINGS and (led or text_at(line, at + 1) in AFTER_A_GREETING):
        return replace(line, at, at + 1, "<greeting>")
    return line


def _categories(names: list[Name], lexicon: Lexicon) -> list[str]:
    found: list[str] = []
    for name in names:
        if name.kind == "category":
            found.extend(name.of)
        elif name.kind == "part":
            found.extend(lexicon.catalogue.parts[part].category for part in name.of)
    return list(dict.fromkeys(found))


def _of(names: list[Name], kind: str) -> list[tuple[str, ...]]:
    return [name.of for name in names if name.kind == kind]
