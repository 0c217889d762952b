"""The invoice as a PDF: a shop's head, who and which car, the lines, the sum, what was paid and what remains.

make ── a thread, remembered by content ──> pdf ── InvoiceFacts + payments ──> bytes
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby
from zoneinfo import ZoneInfo

import phonenumbers
import segno
from babel.dates import format_date
from num2words import num2words

from bot.paper import ACCENT, INK, MARGIN, MUTED, PAGES, SHADE, WHITE, WIDTH, Colour, Paper
from conversations.texts import money, render, templates
from core.invoices import InvoiceFacts, InvoiceLine, Payment
from core.messages import say
from core.money import Money
from core.states import Location

_RIGHT = MARGIN + WIDTH
_MARKS: dict[str, tuple[Colour, Colour]] = {
    "paid": ((21, 101, 52), (220, 252, 231)),
    "down_payment": ((146, 64, 14), (254, 243, 199)),
    "unpaid": ((153, 27, 27), (254, 226, 226)),
    "refunded": ((55, 65, 81), (229, 231, 235)),
}
"""Ink and ground of each mark."""
_NAME, _QUANTITY, _PRICE, _DISCOUNT, _AMOUNT = 82.0, 14.0, 28.0, 20.0, 30.0
"""Widths of the table's columns in millimetres."""
_SUM_LEFT = MARGIN + 88


async def make(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    """The invoice's PDF, made off the event loop and remembered as long as nothing in it changes."""
    return await asyncio.to_thread(_remembered, facts, tuple(payments), language)


def name(facts: InvoiceFacts) -> str:
    """The name of its file: INV-2026-00001.pdf."""
    return facts.number.replace("/", "-") + ".pdf"


def pdf(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    """The invoice's PDF (A4); the same input gives the same bytes. Takes tens of milliseconds: see `make`."""
    paper = Paper(title=facts.number, author=facts.shop_name, language=language, made_at=facts.issued_at)
    t = partial(_text, language)
    paper.heading = partial(_running_head, paper, facts)
    paper.footing = partial(_foot, paper, facts, t)
    paper.add_page()
    _head(paper, facts, payments, language, t)
    _parties(paper, facts, language, t)
    _table(paper, facts.lines, t)
    _sums(paper, facts, payments, language, t)
    return bytes(paper.output())


def in_words(amount: Money, language: str) -> str:
    """An amount of rupiah in words."""
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah"
    words = num2words(amount, lang="id", to="currency")
    # num2words only knows "seribu" at the beginning; "dua puluh satu ribu" is right as it is.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words)


_Texts = Callable[..., str]


@lru_cache(maxsize=64)
def _remembered(facts: InvoiceFacts, payments: tuple[Payment, ...], language: str) -> bytes:
    return pdf(facts, payments, language=language)


def _text(language: str, key: str, **params: object) -> str:
    return render(say(f"invoice.{key}", **params), language)


def _head(paper: Paper, facts: InvoiceFacts, payments: Sequence[Payment], language: str, t: _Texts) -> None:
    paper.box(0, 0, paper.w, 3, ACCENT)
    _logo(paper, MARGIN, 17)
    paper.hand(16, ACCENT, bold=True)
    paper.fit(MARGIN + 18, 16.6, 92, facts.shop_name, height=7)
    paper.hand(8.5, MUTED)
    paper.put(MARGIN + 18, 23.8, 92, f"{facts.shop_address}, {facts.shop_city}", height=4.2)
    paper.put(MARGIN + 18, 28, 92, f"{_phone(facts.shop_contact)}  ·  {facts.shop_email}", height=4.2)

    paper.hand(20, INK, bold=True)
    paper.put(_RIGHT - 60, 16, 60, t("title"), height=8, align="R")
    paper.hand(9.5, INK, bold=True)
    paper.put(_RIGHT - 60, 24.4, 60, facts.number, align="R")
    paper.hand(8.5, MUTED)
    issued = _day(facts.issued_at, facts, language)
    paper.put(_RIGHT - 60, 29, 60, t("date", date=issued), height=4.2, align="R")
    mark = _mark(facts.total, payments)
    _pill(paper, t(f"mark.{mark}"), *_MARKS[mark])


def _mark(total: Money, payments: Sequence[Payment]) -> str:
    paid = sum(payment.amount for payment in payments)
    if paid >= total:
        return "paid"
    if paid > 0:
        return "down_payment"
    return "refunded" if any(payment.amount > 0 for payment in payments) else "unpaid"


def _logo(paper: Paper, x: float, y: float) -> None:
    """An equalizer in a rounded square: a sign for a shop that has sent us none."""
    paper.box(x, y, 14, 14, ACCENT, radius=3.2)
    for column, height in enumerate((4.2, 8, 5.6, 2.8)):
        paper.box(x + 2.75 + column * 2.3, y + 11 - height, 1.6, height, WHITE, radius=0.6)


def _pill(paper: Paper, text: str, ink: Colour, ground: Colour) -> None:
    paper.hand(8, ink, bold=True)
    width = paper.get_string_width(text) + 9
    paper.box(_RIGHT - width, 35.2, width, 6.6, ground, radius=2.4)
    paper.put(_RIGHT - width, 35.2, width, text, height=6.6, align="C")


def _parties(paper: Paper, facts: InvoiceFacts, language: str, t: _Texts) -> None:
    starts_at = facts.starts_at.astimezone(ZoneInfo(facts.timezone))
    columns = (
        (t("for"), facts.customer_name, [_phone(facts.customer_phone), facts.customer_email or ""]),
        (
            t("car"),
            facts.car,
            [t("plate", plate=facts.plate) if facts.plate else "", t("booking", code=facts.booking_code)],
        ),
        (
            t("appointment"),
            format_date(starts_at, "EEEE, d MMM y", locale=language),
            [
                t("clock", clock=f"{starts_at:%H:%M}"),
                t("technician", name=facts.technician) if facts.technician else "",
                _place(facts, t),
            ],
        ),
    )
    paper.rule(47)
    bottoms = []
    for number, (label, headline, details) in enumerate(columns):
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


def _place(facts: InvoiceFacts, t: _Texts) -> str:
    if facts.location is Location.WORKSHOP:
        return t("at_workshop")
    return t("onsite", address=facts.address) if facts.address else t("onsite_shared")


def _table(paper: Paper, lines: Sequence[InvoiceLine], t: _Texts) -> None:
    _table_head(paper, t)
    for line in lines:
        paper.hand(9, INK, bold=True)
        height = len(paper.lines(_NAME - 6, line.name)) * 4.6 + (3.8 if line.warranty_months else 0) + 4.6
        if not paper.room(height):
            paper.add_page()
            _table_head(paper, t)
        _row(paper, line, height, t)


def _table_head(paper: Paper, t: _Texts) -> None:
    y = paper.y
    paper.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    paper.hand(8, WHITE, bold=True)
    _cells(paper, y + 1.5, t("item"), t("quantity"), t("price"), t("discount"), t("amount"))
    paper.set_y(y + 8)


def _row(paper: Paper, line: InvoiceLine, height: float, t: _Texts) -> None:
    top = paper.y
    y = top + 2.3
    paper.hand(9, INK, bold=True)
    below = paper.block(MARGIN + 3, y, _NAME - 6, line.name)
    if line.warranty_months:
        paper.hand(7.8, MUTED)
        paper.put(MARGIN + 3, below, _NAME - 6, t("warranty", months=line.warranty_months), height=3.8)
    paper.hand(9, INK)
    discount = f"{line.discount}%" if line.discount else "–"
    _cells(paper, y - 0.2, None, str(line.quantity), money(line.price), discount, money(line.total))
    paper.rule(top + height)
    paper.set_y(top + height)


def _cells(paper: Paper, y: float, item: str | None, *figures: str) -> None:
    if item is not None:
        paper.put(MARGIN + 3, y, _NAME - 6, item)
    x = MARGIN + _NAME
    for width, figure in zip((_QUANTITY, _PRICE, _DISCOUNT, _AMOUNT), figures, strict=True):
        paper.fit(x + 1, y, width - 4, figure, align="R")
        x += width


def _sums(paper: Paper, facts: InvoiceFacts, payments: Sequence[Payment], language: str, t: _Texts) -> None:
    additions = _additions(facts, t)
    if not paper.room(max(60, 44 + 6 * (len(additions) + len(payments)))):
        paper.add_page()
    top = paper.y + 6
    _proof(paper, facts, top, language, t)
    paper.set_y(top)
    for label, amount in additions:
        _sum_row(paper, label, money(amount))
    _total(paper, t("total"), money(facts.total))
    if facts.discounts:
        _saved(paper, t("discounts", amount=facts.discounts))
    for payment in payments:
        _sum_row(paper, _entry(payment, facts, language, t), _signed(-payment.amount))
    paid = sum(payment.amount for payment in payments)
    paper.rule(paper.y + 1, left=_SUM_LEFT)
    paper.set_y(paper.y + 2)
    _sum_row(paper, t("remaining"), money(max(0, facts.total - paid)), bold=True)


def _additions(facts: InvoiceFacts, t: _Texts) -> list[tuple[str, Money]]:
    rows = [
        (t("subtotal_parts"), facts.subtotal_parts),
        (t("subtotal_services"), facts.subtotal_services),
        (t("onsite_fee"), facts.onsite_fee),
        (t("additional_costs"), facts.additional_costs),
        (t("tax", base=facts.tax_base), facts.tax_amount),
    ]
    return [(label, amount) for label, amount in rows if amount]


def _sum_row(paper: Paper, label: str, figure: str, *, bold: bool = False) -> None:
    if not paper.room(6):
        paper.add_page()
    y = paper.y
    paper.hand(9, INK if bold else MUTED, bold=bold)
    taken = paper.get_string_width(figure)
    paper.put(_SUM_LEFT + 3, y, _RIGHT - _SUM_LEFT - taken - 8, label, height=6)
    paper.hand(9, INK, bold=bold)
    paper.fit(_RIGHT - 43, y, 40, figure, height=6, align="R")
    paper.set_y(y + 6)


def _total(paper: Paper, label: str, figure: str) -> None:
    y = paper.y + 1.5
    paper.box(_SUM_LEFT, y, _RIGHT - _SUM_LEFT, 11, ACCENT, radius=1.6)
    paper.hand(10, WHITE, bold=True)
    paper.put(_SUM_LEFT + 3, y, 30, label, height=11)
    paper.hand(13, WHITE, bold=True)
    paper.fit(_RIGHT - 58, y, 55, figure, height=11, align="R")
    paper.set_y(y + 13)


def _saved(paper: Paper, text: str) -> None:
    paper.hand(8.5, _MARKS["paid"][0], bold=True)
    paper.put(_SUM_LEFT + 3, paper.y, _RIGHT - _SUM_LEFT - 6, text, align="R")
    paper.set_y(paper.y + 6.5)


def _entry(payment: Payment, facts: InvoiceFacts, language: str, t: _Texts) -> str:
    """What moved, when and how: "Diterima 23 Nov 2026 · QRIS"; a method without a name of its own is shown as it is."""
    named = f"invoice.method.{payment.method}" in templates(language)
    method = t(f"method.{payment.method}") if named else payment.method
    return t(f"entry.{payment.kind}", date=_day(payment.at, facts, language), method=method)


def _signed(amount: Money) -> str:
    return f"−{money(-amount)}" if amount < 0 else money(amount)


def _proof(paper: Paper, facts: InvoiceFacts, y: float, language: str, t: _Texts) -> None:
    """The sum in words, and the booking code to show at the counter."""
    width = _SUM_LEFT - MARGIN - 8
    paper.hand(7.5, MUTED, bold=True)
    paper.put(MARGIN, y + 0.5, width, t("in_words").upper(), height=4)
    paper.hand(9.5, INK)
    words = in_words(facts.total, language)
    y = paper.block(MARGIN, y + 5.5, width, words[:1].upper() + words[1:], height=4.8) + 5
    paper.box(MARGIN, y, width, 30, SHADE, radius=2)
    _qr(paper, facts.booking_code, MARGIN + 4, y + 4, 22)
    paper.hand(12, INK, bold=True)
    paper.put(MARGIN + 31, y + 7, width - 34, facts.booking_code, height=6)
    paper.hand(8.5, MUTED)
    onsite = facts.location is Location.ONSITE
    paper.block(MARGIN + 31, y + 14, width - 34, t("scan_onsite" if onsite else "scan"), height=4.2)


def _qr(paper: Paper, content: str, x: float, y: float, size: float) -> None:
    modules = segno.make(content, micro=False, error="m").matrix
    unit = size / len(modules)
    for row, cells in enumerate(modules):
        column = 0
        # Neighbours are drawn as one bar: seams between modules would show on screen.
        for dark, run in groupby(cells):
            length = len(list(run))
            if dark:
                paper.box(x + column * unit, y + row * unit, length * unit, unit, INK)
            column += length


def _running_head(paper: Paper, facts: InvoiceFacts) -> None:
    """What stands on top of every page but the first."""
    paper.box(0, 0, paper.w, 3, ACCENT)
    paper.hand(9, ACCENT, bold=True)
    paper.put(MARGIN, 11, 110, facts.shop_name)
    paper.hand(9, MUTED)
    paper.put(_RIGHT - 60, 11, 60, facts.number, align="R")
    paper.set_y(20)


def _foot(paper: Paper, facts: InvoiceFacts, t: _Texts) -> None:
    paper.rule(paper.h - 20)
    paper.hand(8.5, INK, bold=True)
    paper.fit(MARGIN, paper.h - 17.5, WIDTH, t("thanks", shop=facts.shop_name))
    paper.hand(8, MUTED)
    paper.put(MARGIN, paper.h - 13, 135, t("contact", contact=_phone(facts.shop_contact), email=facts.shop_email))
    paper.set_xy(_RIGHT - 40, paper.h - 13)
    paper.cell(40, 5, t("page", page=paper.page, pages=PAGES), align="R")


def _day(moment: datetime, facts: InvoiceFacts, language: str) -> str:
    return format_date(moment.astimezone(ZoneInfo(facts.timezone)), "d MMM y", locale=language)


def _phone(number: str) -> str:
    """+62 812-3456-7890; what is no number in E.164 stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
