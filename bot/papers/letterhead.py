"""What every paper looks like: the shop's header, number and mark, the customer, the total, and each page's footer."""

import re
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date
from num2words import num2words

from bot.papers.sheet import ACCENT, GREEN, MARGIN, MUTED, PAGES, RIGHT, WHITE, WIDTH, Colour, Paper, Size
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


class Sheet(Paper, Generic[Facts]):
    """A paper about some facts, with the shop's running head and footer on each page."""

    def __init__(self, facts: Facts, *, language: str, size: Size = "A4") -> None:
        self.facts, self.language = facts, language
        super().__init__(
            title=facts.number, author=facts.shop_name, language=language, made_at=facts.issued_at, size=size
        )
        self.add_page()

    def phrase(self, key: str, **params: object) -> str:
        return render(say(key, **params), self.language)

    def method(self, method: str) -> str:
        """The name of a payment method; a method without a text is shown as it is."""
        key = f"paper.method.{method}"
        return self.phrase(key) if key in templates(self.language) else method

    def day(self, moment: datetime, form: str = "d MMM y") -> str:
        return format_date(self.local(moment), form, locale=self.language)

    def local(self, moment: datetime) -> datetime:
        """The moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.facts.timezone))

    def head(self, title: str, mark: str | None = None, colours: Mark = GOOD) -> None:
        """The shop on the left; title, number, date and mark on the right."""
        facts = self.facts
        self.box(0, 0, self.w, 3, ACCENT)
        # The logo is an equalizer in a rounded square: the settings hold a shop name but no logo.
        self.box(MARGIN, 17, 14, 14, ACCENT, radius=3.2)
        for column, height in enumerate((4.2, 8, 5.6, 2.8)):
            self.box(MARGIN + 2.75 + column * 2.3, 28 - height, 1.6, height, WHITE, radius=0.6)
        self.put(MARGIN + 18, 16.6, 92, facts.shop_name, 16, ACCENT, bold=True, height=7, in_full=True)
        self.put(MARGIN + 18, 23.8, 92, f"{facts.shop_address}, {facts.shop_city}", 8.5, MUTED, height=4.2)
        self.put(MARGIN + 18, 28, 92, f"{phone(facts.shop_contact)} · {facts.shop_email}", 8.5, MUTED, height=4.2)

        date = self.phrase("paper.date", date=self.day(facts.issued_at))
        self.put(RIGHT - 60, 16, 60, title, 20, bold=True, height=8, align="R")
        self.put(RIGHT - 60, 24.4, 60, facts.number, 9.5, bold=True, align="R")
        self.put(RIGHT - 60, 29, 60, date, 8.5, MUTED, height=4.2, align="R")
        if mark:
            ink, ground = colours
            self.use_font(8, ink, bold=True)
            width = self.get_string_width(mark) + 9
            self.box(RIGHT - width, 35.2, width, 6.6, ground, radius=2.4)
            self.put(RIGHT - width, 35.2, width, mark, 8, ink, bold=True, height=6.6, align="C")

    def columns(self, *shown: Column) -> None:
        """Draw up to three columns side by side below a rule."""
        self.rule(47)
        bottoms = []
        for number, (label, headline, details) in enumerate(shown):
            x = MARGIN + number * 60
            self.put(x, 51, 54, label.upper(), 7.5, MUTED, bold=True, height=4)
            y = self.block(x, 56, 54, headline, 10, bold=True, most=3) + 0.6
            for detail in filter(None, details):
                y = self.block(x, y, 54, detail, 8.5, MUTED, height=4.3, most=4)
            bottoms.append(y)
        self.set_y(max(bottoms) + 7)

    def customer(self) -> Column:
        facts = self.facts
        return self.phrase("paper.for"), facts.customer_name, [phone(facts.customer_phone), facts.customer_email]

    def car(self, *more: str) -> Column:
        facts = self.facts
        plate = self.phrase("paper.plate", plate=facts.plate) if facts.plate else None
        booking = self.phrase("paper.booking", code=facts.booking_code)
        return self.phrase("paper.car"), facts.car, [plate, booking, *more]

    def total_in_words(self, y: float, width: float, total: Money) -> float:
        """Write the total in words at the left margin; returns the y below it."""
        self.put(MARGIN, y + 0.5, width, self.phrase("paper.in_words").upper(), 7.5, MUTED, bold=True, height=4)
        return self.block(MARGIN, y + 5.5, width, in_words(total, self.language), 9.5, height=4.8, most=4)

    def total_box(self, y: float, label: str, total: Money) -> None:
        self.box(SUM_LEFT, y, RIGHT - SUM_LEFT, 11, ACCENT, radius=1.6)
        self.put(SUM_LEFT + 3, y, 30, label, 10, WHITE, bold=True, height=11)
        self.put(RIGHT - 58, y, 55, money(total), 13, WHITE, bold=True, height=11, align="R", in_full=True)

    def header(self) -> None:
        """The header of every page but the first; fpdf2 calls this on each new page."""
        if self.page > 1:
            self.box(0, 0, self.w, 3, ACCENT)
            self.put(MARGIN, 11, 110, self.facts.shop_name, 9, ACCENT, bold=True)
            self.put(RIGHT - 60, 11, 60, self.facts.number, 9, MUTED, align="R")
            self.set_y(20)

    def footer(self) -> None:
        """fpdf2 calls this when a page is full."""
        facts = self.facts
        self.rule(self.h - 20)
        thanks = self.phrase("paper.thanks", shop=facts.shop_name)
        contact = self.phrase("paper.contact", contact=phone(facts.shop_contact), email=facts.shop_email)
        self.put(MARGIN, self.h - 17.5, WIDTH, thanks, 8.5, bold=True, in_full=True)
        self.put(MARGIN, self.h - 13, 135, contact, 8, MUTED)
        self.set_xy(RIGHT - 40, self.h - 13)
        self.cell(40, 5, self.phrase("paper.page", page=self.page, pages=PAGES), align="R")


def signed(amount: Money) -> str:
    return f"−{money(-amount)}" if amount < 0 else money(amount)


def in_words(amount: Money, language: str) -> str:
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah".capitalize()
    words = num2words(amount, lang="id", to="currency")
    # num2words writes "seribu" only at the beginning; "dua puluh satu ribu" is already right.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words).capitalize()


def phone(number: str) -> str:
    """+62 812-3456-7890; text that isn't an E.164 number stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
