"""What every paper looks like: the shop's header, number and mark, the customer, the total, and each page's footer."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date
from num2words import num2words

from bot.papers.sheet import ACCENT, GREEN, INK, MARGIN, MUTED, PAGES, RIGHT, WHITE, WIDTH, Colour, Paper, Size
from conversations.texts import money, render, templates
from core.messaging.messages import say
from core.money import Money
from core.papers.numbering import PaperFacts

Facts = TypeVar("Facts", bound=PaperFacts)
Column = tuple[str, str, list[str | None]]
"""Label, headline and details; a detail of None is skipped."""
Mark = tuple[Colour, Colour]
"""Text and background colour."""
GOOD: Mark = (GREEN, (220, 252, 231))
PARTLY: Mark = ((146, 64, 14), (254, 243, 199))
BAD: Mark = ((153, 27, 27), (254, 226, 226))
QUIET: Mark = ((55, 65, 81), (229, 231, 235))
SUM_LEFT = MARGIN + 88


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Facts]):
    paper: Paper
    facts: Facts
    language: str

    def text(self, key: str, **params: object) -> str:
        return render(say(key, **params), self.language)

    def method(self, method: str) -> str:
        """The name of a payment method; a method without a text is shown as it is."""
        key = f"paper.method.{method}"
        return self.text(key) if key in templates(self.language) else method

    def day(self, moment: datetime, form: str = "d MMM y") -> str:
        return format_date(self.local(moment), form, locale=self.language)

    def local(self, moment: datetime) -> datetime:
        """The moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.facts.timezone))


def sheet(facts: Facts, *, language: str, size: Size = "A4") -> Sheet[Facts]:
    """An empty paper that draws its own running heads and footers."""
    paper = Paper(title=facts.number, author=facts.shop_name, language=language, made_at=facts.issued_at, size=size)
    made = Sheet(paper, facts, language)
    paper.heading = partial(_running_head, made)
    paper.footing = partial(_foot, made)
    return made


def head(sheet: Sheet[Facts], title: str, mark: str | None = None, colours: Mark = GOOD) -> None:
    """The shop on the left; title, number, date and mark on the right."""
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    _logo(paper, MARGIN, 17)
    paper.use_font(16, ACCENT, bold=True)
    paper.fit(MARGIN + 18, 16.6, 92, facts.shop_name, height=7)
    paper.use_font(8.5, MUTED)
    paper.put(MARGIN + 18, 23.8, 92, f"{facts.shop_address}, {facts.shop_city}", height=4.2)
    paper.put(MARGIN + 18, 28, 92, f"{phone(facts.shop_contact)} · {facts.shop_email}", height=4.2)

    paper.use_font(20, INK, bold=True)
    paper.put(RIGHT - 60, 16, 60, title, height=8, align="R")
    paper.use_font(9.5, INK, bold=True)
    paper.put(RIGHT - 60, 24.4, 60, facts.number, align="R")
    paper.use_font(8.5, MUTED)
    paper.put(RIGHT - 60, 29, 60, sheet.text("paper.date", date=sheet.day(facts.issued_at)), height=4.2, align="R")
    if mark:
        _pill(paper, mark, *colours)


def columns(sheet: Sheet[Facts], *shown: Column) -> None:
    """Draw up to three columns side by side below a rule."""
    paper = sheet.paper
    paper.rule(47)
    bottoms = []
    for number, (label, headline, details) in enumerate(shown):
        x = MARGIN + number * 60
        paper.use_font(7.5, MUTED, bold=True)
        paper.put(x, 51, 54, label.upper(), height=4)
        paper.use_font(10, INK, bold=True)
        y = paper.block(x, 56, 54, headline, most=3) + 0.6
        paper.use_font(8.5, MUTED)
        for detail in filter(None, details):
            y = paper.block(x, y, 54, detail, height=4.3, most=4)
        bottoms.append(y)
    paper.set_y(max(bottoms) + 7)


def customer(sheet: Sheet[Facts]) -> Column:
    facts = sheet.facts
    return sheet.text("paper.for"), facts.customer_name, [phone(facts.customer_phone), facts.customer_email]


def car(sheet: Sheet[Facts], *more: str) -> Column:
    facts = sheet.facts
    plate = sheet.text("paper.plate", plate=facts.plate) if facts.plate else None
    return sheet.text("paper.car"), facts.car, [plate, sheet.text("paper.booking", code=facts.booking_code), *more]


def total_in_words(sheet: Sheet[Facts], y: float, width: float, total: Money) -> float:
    """Write the total in words at the left margin; returns the y below it."""
    paper = sheet.paper
    paper.use_font(7.5, MUTED, bold=True)
    paper.put(MARGIN, y + 0.5, width, sheet.text("paper.in_words").upper(), height=4)
    paper.use_font(9.5, INK)
    return paper.block(MARGIN, y + 5.5, width, sentence(total, sheet.language), height=4.8, most=4)


def total_box(paper: Paper, y: float, label: str, total: Money) -> None:
    paper.box(SUM_LEFT, y, RIGHT - SUM_LEFT, 11, ACCENT, radius=1.6)
    paper.use_font(10, WHITE, bold=True)
    paper.put(SUM_LEFT + 3, y, 30, label, height=11)
    paper.use_font(13, WHITE, bold=True)
    paper.fit(RIGHT - 58, y, 55, money(total), height=11, align="R")


def signed(amount: Money) -> str:
    return f"−{money(-amount)}" if amount < 0 else money(amount)


def in_words(amount: Money, language: str) -> str:
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah"
    words = num2words(amount, lang="id", to="currency")
    # num2words writes "seribu" only at the beginning; "dua puluh satu ribu" is already right.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words)


def sentence(amount: Money, language: str) -> str:
    """The amount in words, capitalized."""
    words = in_words(amount, language)
    return words[:1].upper() + words[1:]


def phone(number: str) -> str:
    """+62 812-3456-7890; text that isn't an E.164 number stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _logo(paper: Paper, x: float, y: float) -> None:
    """An equalizer in a rounded square: the settings hold a shop name but no logo."""
    paper.box(x, y, 14, 14, ACCENT, radius=3.2)
    for column, height in enumerate((4.2, 8, 5.6, 2.8)):
        paper.box(x + 2.75 + column * 2.3, y + 11 - height, 1.6, height, WHITE, radius=0.6)


def _pill(paper: Paper, text: str, ink: Colour, ground: Colour) -> None:
    paper.use_font(8, ink, bold=True)
    width = paper.get_string_width(text) + 9
    paper.box(RIGHT - width, 35.2, width, 6.6, ground, radius=2.4)
    paper.put(RIGHT - width, 35.2, width, text, height=6.6, align="C")


def _running_head(sheet: Sheet[Facts]) -> None:
    """The header of every page but the first."""
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    paper.use_font(9, ACCENT, bold=True)
    paper.put(MARGIN, 11, 110, facts.shop_name)
    paper.use_font(9, MUTED)
    paper.put(RIGHT - 60, 11, 60, facts.number, align="R")
    paper.set_y(20)


def _foot(sheet: Sheet[Facts]) -> None:
    paper, facts = sheet.paper, sheet.facts
    paper.rule(paper.h - 20)
    paper.use_font(8.5, INK, bold=True)
    paper.fit(MARGIN, paper.h - 17.5, WIDTH, sheet.text("paper.thanks", shop=facts.shop_name))
    paper.use_font(8, MUTED)
    contact = sheet.text("paper.contact", contact=phone(facts.shop_contact), email=facts.shop_email)
    paper.put(MARGIN, paper.h - 13, 135, contact)
    paper.set_xy(RIGHT - 40, paper.h - 13)
    paper.cell(40, 5, sheet.text("paper.page", page=paper.page, pages=PAGES), align="R")
