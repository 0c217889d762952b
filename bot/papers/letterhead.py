"""What every paper looks like: the shop's head, its number and mark, whom it is for, and the foot of each page."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date

from bot.papers.sheet import ACCENT, GREEN, INK, MARGIN, MUTED, PAGES, RIGHT, WHITE, WIDTH, Colour, Paper, Size
from conversations.texts import render, templates
from core.messaging.messages import say
from core.papers.numbering import PaperFacts

Facts = TypeVar("Facts", bound=PaperFacts)
Column = tuple[str, str, list[str | None]]
"""Label, headline and details, those that there are."""
Mark = tuple[Colour, Colour]
"""Ink and ground."""
GOOD: Mark = (GREEN, (220, 252, 231))
PARTLY: Mark = ((146, 64, 14), (254, 243, 199))
BAD: Mark = ((153, 27, 27), (254, 226, 226))
QUIET: Mark = ((55, 65, 81), (229, 231, 235))


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Facts]):
    """One paper in one language: what it says, and what it is drawn on."""

    paper: Paper
    facts: Facts
    language: str

    def text(self, key: str, **params: object) -> str:
        """A text in the paper's language."""
        return render(say(key, **params), self.language)

    def method(self, method: str) -> str:
        """A way to pay; one without a name of its own is shown as it is."""
        key = f"paper.method.{method}"
        return self.text(key) if key in templates(self.language) else method

    def day(self, moment: datetime, form: str = "d MMM y") -> str:
        """The day of a moment at the shop."""
        return format_date(self.local(moment), form, locale=self.language)

    def local(self, moment: datetime) -> datetime:
        """A moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.facts.timezone))


def sheet(facts: Facts, *, language: str, size: Size = "A4") -> Sheet[Facts]:
    """An empty paper whose further pages and feet draw themselves."""
    paper = Paper(title=facts.number, author=facts.shop_name, language=language, made_at=facts.issued_at, size=size)
    made = Sheet(paper, facts, language)
    paper.heading = partial(_running_head, made)
    paper.footing = partial(_foot, made)
    return made


def head(sheet: Sheet[Facts], title: str, mark: str | None = None, colours: Mark = GOOD) -> None:
    """The shop on the left; title, number, day and mark on the right."""
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    _logo(paper, MARGIN, 17)
    paper.hand(16, ACCENT, bold=True)
    paper.fit(MARGIN + 18, 16.6, 92, facts.shop_name, height=7)
    paper.hand(8.5, MUTED)
    paper.put(MARGIN + 18, 23.8, 92, f"{facts.shop_address}, {facts.shop_city}", height=4.2)
    paper.put(MARGIN + 18, 28, 92, f"{phone(facts.shop_contact)} · {facts.shop_email}", height=4.2)

    paper.hand(20, INK, bold=True)
    paper.put(RIGHT - 60, 16, 60, title, height=8, align="R")
    paper.hand(9.5, INK, bold=True)
    paper.put(RIGHT - 60, 24.4, 60, facts.number, align="R")
    paper.hand(8.5, MUTED)
    paper.put(RIGHT - 60, 29, 60, sheet.text("paper.date", date=sheet.day(facts.issued_at)), height=4.2, align="R")
    if mark:
        _pill(paper, mark, *colours)


def columns(sheet: Sheet[Facts], *told: Column) -> None:
    """Up to three columns side by side, below a line."""
    paper = sheet.paper
    paper.rule(47)
    bottoms = []
    for number, (label, headline, details) in enumerate(told):
        x = MARGIN + number * 60
        paper.hand(7.5, MUTED, bold=True)
        paper.put(x, 51, 54, label.upper(), height=4)
        paper.hand(10, INK, bold=True)
        y = paper.block(x, 56, 54, headline, most=3) + 0.6
        paper.hand(8.5, MUTED)
        for detail in filter(None, details):
            y = paper.block(x, y, 54, detail, height=4.3, most=4)
        bottoms.append(y)
    paper.set_y(max(bottoms) + 7)


def customer(sheet: Sheet[Facts]) -> Column:
    """Whom it is for."""
    facts = sheet.facts
    return sheet.text("paper.for"), facts.customer_name, [phone(facts.customer_phone), facts.customer_email]


def car(sheet: Sheet[Facts], *more: str) -> Column:
    """Which car, and which booking."""
    facts = sheet.facts
    plate = sheet.text("paper.plate", plate=facts.plate) if facts.plate else None
    return sheet.text("paper.car"), facts.car, [plate, sheet.text("paper.booking", code=facts.booking_code), *more]


def phone(number: str) -> str:
    """+62 812-3456-7890; what is no number in E.164 stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _logo(paper: Paper, x: float, y: float) -> None:
    """An equalizer in a rounded square, since a shop has a name but no picture in its settings."""
    paper.box(x, y, 14, 14, ACCENT, radius=3.2)
    for column, height in enumerate((4.2, 8, 5.6, 2.8)):
        paper.box(x + 2.75 + column * 2.3, y + 11 - height, 1.6, height, WHITE, radius=0.6)


def _pill(paper: Paper, text: str, ink: Colour, ground: Colour) -> None:
    paper.hand(8, ink, bold=True)
    width = paper.get_string_width(text) + 9
    paper.box(RIGHT - width, 35.2, width, 6.6, ground, radius=2.4)
    paper.put(RIGHT - width, 35.2, width, text, height=6.6, align="C")


def _running_head(sheet: Sheet[Facts]) -> None:
    """What stands on top of every page but the first."""
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    paper.hand(9, ACCENT, bold=True)
    paper.put(MARGIN, 11, 110, facts.shop_name)
    paper.hand(9, MUTED)
    paper.put(RIGHT - 60, 11, 60, facts.number, align="R")
    paper.set_y(20)


def _foot(sheet: Sheet[Facts]) -> None:
    paper, facts = sheet.paper, sheet.facts
    paper.rule(paper.h - 20)
    paper.hand(8.5, INK, bold=True)
    paper.fit(MARGIN, paper.h - 17.5, WIDTH, sheet.text("paper.thanks", shop=facts.shop_name))
    paper.hand(8, MUTED)
    contact = sheet.text("paper.contact", contact=phone(facts.shop_contact), email=facts.shop_email)
    paper.put(MARGIN, paper.h - 13, 135, contact)
    paper.set_xy(RIGHT - 40, paper.h - 13)
    paper.cell(40, 5, sheet.text("paper.page", page=paper.page, pages=PAGES), align="R")
