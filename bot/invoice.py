"""The invoice as a PDF: a shop's head, who and which car, the lines, the sum, what was paid and what remains.

make ── a thread, remembered by content ──> pdf ── InvoiceFacts + payments ──> bytes
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache, partial

import phonenumbers

from bot.invoice_sheet import Sheet
from bot.invoice_sums import sums
from bot.paper import ACCENT, GREEN, INK, MARGIN, MUTED, PAGES, RIGHT, WHITE, WIDTH, Colour, Paper
from conversations.texts import money
from core.invoices import InvoiceFacts, InvoiceLine, Payment
from core.states import Location

_MARKS: dict[str, tuple[Colour, Colour]] = {
    "paid": (GREEN, (220, 252, 231)),
    "down_payment": ((146, 64, 14), (254, 243, 199)),
    "unpaid": ((153, 27, 27), (254, 226, 226)),
    "refunded": ((55, 65, 81), (229, 231, 235)),
}
"""Ink and ground of each mark."""
_NAME, _QUANTITY, _PRICE, _DISCOUNT, _AMOUNT = 82.0, 14.0, 28.0, 20.0, 30.0
"""Widths of the table's columns in millimetres."""


async def make(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    """The invoice's PDF, made off the event loop and remembered as long as nothing in it changes."""
    return await asyncio.to_thread(_remembered, facts, tuple(payments), language)


def name(facts: InvoiceFacts) -> str:
    """The name of its file: INV-2026-00001.pdf."""
    return facts.number.replace("/", "-") + ".pdf"


def pdf(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    """The invoice's PDF (A4); the same input gives the same bytes. Takes about a tenth of a second: see `make`."""
    paper = Paper(title=facts.number, author=facts.shop_name, language=language, made_at=facts.issued_at)
    sheet = Sheet(paper, facts, payments, language)
    paper.heading = partial(_running_head, sheet)
    paper.footing = partial(_foot, sheet)
    paper.add_page()
    _head(sheet)
    _parties(sheet)
    _table(sheet)
    sums(sheet)
    return bytes(paper.output())


@lru_cache(maxsize=64)
def _remembered(facts: InvoiceFacts, payments: tuple[Payment, ...], language: str) -> bytes:
    return pdf(facts, payments, language=language)


def _head(sheet: Sheet) -> None:
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    _logo(paper, MARGIN, 17)
    paper.hand(16, ACCENT, bold=True)
    paper.fit(MARGIN + 18, 16.6, 92, facts.shop_name, height=7)
    paper.hand(8.5, MUTED)
    paper.put(MARGIN + 18, 23.8, 92, f"{facts.shop_address}, {facts.shop_city}", height=4.2)
    paper.put(MARGIN + 18, 28, 92, f"{_phone(facts.shop_contact)} · {facts.shop_email}", height=4.2)

    paper.hand(20, INK, bold=True)
    paper.put(RIGHT - 60, 16, 60, sheet.text("title"), height=8, align="R")
    paper.hand(9.5, INK, bold=True)
    paper.put(RIGHT - 60, 24.4, 60, facts.number, align="R")
    paper.hand(8.5, MUTED)
    paper.put(RIGHT - 60, 29, 60, sheet.text("date", date=sheet.day(facts.issued_at)), height=4.2, align="R")
    mark = _mark(sheet)
    _pill(paper, sheet.text(f"mark.{mark}"), *_MARKS[mark])


def _mark(sheet: Sheet) -> str:
    if sheet.paid >= sheet.facts.total:
        return "paid"
    if sheet.paid > 0:
        return "down_payment"
    return "refunded" if any(payment.amount > 0 for payment in sheet.payments) else "unpaid"


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


def _parties(sheet: Sheet) -> None:
    paper = sheet.paper
    paper.rule(47)
    bottoms = []
    for number, (label, headline, details) in enumerate((_customer(sheet), _car(sheet), _appointment(sheet))):
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


_Column = tuple[str, str, list[str | None]]
"""Label, headline and details, those that there are."""


def _customer(sheet: Sheet) -> _Column:
    facts = sheet.facts
    return sheet.text("for"), facts.customer_name, [_phone(facts.customer_phone), facts.customer_email]


def _car(sheet: Sheet) -> _Column:
    facts = sheet.facts
    plate = sheet.text("plate", plate=facts.plate) if facts.plate else None
    supplements = sheet.text("supplements", number=facts.supplements) if facts.supplements else None
    return sheet.text("car"), facts.car, [plate, sheet.text("booking", code=facts.booking_code), supplements]


def _appointment(sheet: Sheet) -> _Column:
    facts = sheet.facts
    clock = sheet.text("clock", clock=f"{sheet.local(facts.starts_at):%H:%M}")
    technician = sheet.text("technician", name=facts.technician) if facts.technician else None
    day = sheet.day(facts.starts_at, "EEEE, d MMM y")
    return sheet.text("appointment"), day, [clock, technician, _place(sheet)]


def _place(sheet: Sheet) -> str:
    if sheet.facts.location is Location.WORKSHOP:
        return sheet.text("at_workshop")
    address = sheet.facts.address
    return sheet.text("onsite", address=address) if address else sheet.text("onsite_shared")


def _table(sheet: Sheet) -> None:
    paper = sheet.paper
    _table_head(sheet)
    for line in sheet.facts.lines:
        paper.hand(9, INK, bold=True)
        height = len(paper.lines(_NAME - 6, line.name)) * 4.6 + (3.8 if line.warranty_months else 0) + 4.6
        if not paper.room(height):
            paper.add_page()
            _table_head(sheet)
        _row(sheet, line, height)


def _table_head(sheet: Sheet) -> None:
    paper, y = sheet.paper, sheet.paper.y
    paper.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    paper.hand(8, WHITE, bold=True)
    paper.put(MARGIN + 3, y + 1.5, _NAME - 6, sheet.text("item"))
    _cells(paper, y + 1.5, *map(sheet.text, ("quantity", "price", "discount", "amount")))
    paper.set_y(y + 8)


def _row(sheet: Sheet, line: InvoiceLine, height: float) -> None:
    paper, top = sheet.paper, sheet.paper.y
    paper.hand(9, INK, bold=True)
    below = paper.block(MARGIN + 3, top + 2.3, _NAME - 6, line.name)
    if line.warranty_months:
        paper.hand(7.8, MUTED)
        paper.put(MARGIN + 3, below, _NAME - 6, sheet.text("warranty", months=line.warranty_months), height=3.8)
    paper.hand(9, INK)
    discount = f"{line.discount}%" if line.discount else "–"
    _cells(paper, top + 2.1, str(line.quantity), money(line.price), discount, money(line.total))
    paper.rule(top + height)
    paper.set_y(top + height)


def _cells(paper: Paper, y: float, *figures: str) -> None:
    x = MARGIN + _NAME
    for width, figure in zip((_QUANTITY, _PRICE, _DISCOUNT, _AMOUNT), figures, strict=True):
        paper.fit(x + 1, y, width - 4, figure, align="R")
        x += width


def _running_head(sheet: Sheet) -> None:
    """What stands on top of every page but the first."""
    paper, facts = sheet.paper, sheet.facts
    paper.box(0, 0, paper.w, 3, ACCENT)
    paper.hand(9, ACCENT, bold=True)
    paper.put(MARGIN, 11, 110, facts.shop_name)
    paper.hand(9, MUTED)
    paper.put(RIGHT - 60, 11, 60, facts.number, align="R")
    paper.set_y(20)


def _foot(sheet: Sheet) -> None:
    paper, facts = sheet.paper, sheet.facts
    paper.rule(paper.h - 20)
    paper.hand(8.5, INK, bold=True)
    paper.fit(MARGIN, paper.h - 17.5, WIDTH, sheet.text("thanks", shop=facts.shop_name))
    paper.hand(8, MUTED)
    contact = sheet.text("contact", contact=_phone(facts.shop_contact), email=facts.shop_email)
    paper.put(MARGIN, paper.h - 13, 135, contact)
    paper.set_xy(RIGHT - 40, paper.h - 13)
    paper.cell(40, 5, sheet.text("page", page=paper.page, pages=PAGES), align="R")


def _phone(number: str) -> str:
    """+62 812-3456-7890; what is no number in E.164 stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
