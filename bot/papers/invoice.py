"""The invoice as a PDF: customer and car, the lines, the totals, payments and the balance.

Facts are frozen, and ledger entries and credit notes never change, so the invoice of any day can be rendered again:
the same facts and payments give the same bytes on any machine.
"""

from collections.abc import Sequence

from bot.papers import letterhead
from bot.papers.letterhead import (
    BAD,
    GOOD,
    PARTLY,
    QUIET,
    SUM_LEFT,
    Column,
    Mark,
    Sheet,
    signed,
    total_box,
    total_in_words,
)
from bot.papers.sheet import ACCENT, GREEN, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, WIDTH, Paper
from conversations.texts import money
from core.money import Money
from core.papers.invoices import CREDITED, InvoiceFacts, InvoiceLine, Payment
from core.states import Location

InvoiceSheet = Sheet[InvoiceFacts]
_LEFT_WIDTH = 80.0
_MARKS: dict[str, Mark] = {
    "paid": GOOD,
    "down_payment": PARTLY,
    "unpaid": BAD,
    "refunded": QUIET,
    "credited": QUIET,
}
_NAME, _QUANTITY, _PRICE, _DISCOUNT, _AMOUNT = 82.0, 14.0, 28.0, 20.0, 30.0
"""Column widths in millimetres."""


def draw(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    sheet = letterhead.sheet(facts, language=language)
    sheet.paper.add_page()
    mark = _mark(facts, payments)
    letterhead.head(sheet, sheet.text("invoice.title"), sheet.text(f"invoice.mark.{mark}"), _MARKS[mark])
    letterhead.columns(sheet, letterhead.customer(sheet), _car(sheet), _appointment(sheet))
    _table(sheet)
    _sums(sheet, payments)
    return bytes(sheet.paper.output())


def _mark(facts: InvoiceFacts, payments: Sequence[Payment]) -> str:
    came = any(payment.amount > 0 and payment.kind != CREDITED for payment in payments)
    if came and _paid(payments) <= 0:
        return "refunded"
    if _credited(payments):
        return "credited"
    if _paid(payments) >= facts.total:
        return "paid"
    return "down_payment" if came else "unpaid"


def _car(sheet: InvoiceSheet) -> Column:
    supplements = sheet.facts.supplements
    more = [sheet.text("invoice.supplements", number=supplements)] if supplements else []
    return letterhead.car(sheet, *more)


def _appointment(sheet: InvoiceSheet) -> Column:
    facts = sheet.facts
    clock = sheet.text("invoice.clock", clock=f"{sheet.local(facts.starts_at):%H:%M}")
    technician = sheet.text("invoice.technician", name=facts.technician) if facts.technician else None
    day = sheet.day(facts.starts_at, "EEEE, d MMM y")
    return sheet.text("invoice.appointment"), day, [clock, technician, _place(sheet)]


def _place(sheet: InvoiceSheet) -> str:
    if sheet.facts.location is Location.WORKSHOP:
        return sheet.text("invoice.at_workshop")
    address = sheet.facts.address
    return sheet.text("invoice.onsite", address=address) if address else sheet.text("invoice.onsite_shared")


def _table(sheet: InvoiceSheet) -> None:
    paper = sheet.paper
    _table_head(sheet)
    for line in sheet.facts.lines:
        paper.use_font(9, INK, bold=True)
        height = len(paper.lines(_NAME - 6, line.name)) * 4.6 + (3.8 if line.warranty_months else 0) + 4.6
        if not paper.has_room(height):
            paper.add_page()
            _table_head(sheet)
        _row(sheet, line, height)


def _table_head(sheet: InvoiceSheet) -> None:
    paper, y = sheet.paper, sheet.paper.y
    paper.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    paper.use_font(8, WHITE, bold=True)
    paper.put(MARGIN + 3, y + 1.5, _NAME - 6, sheet.text("invoice.item"))
    heads = ("invoice.quantity", "invoice.price", "invoice.discount", "invoice.amount")
    _cells(paper, y + 1.5, *map(sheet.text, heads))
    paper.set_y(y + 8)


def _row(sheet: InvoiceSheet, line: InvoiceLine, height: float) -> None:
    paper, top = sheet.paper, sheet.paper.y
    paper.use_font(9, INK, bold=True)
    below = paper.block(MARGIN + 3, top + 2.3, _NAME - 6, line.name)
    if line.warranty_months:
        paper.use_font(7.8, MUTED)
        paper.put(MARGIN + 3, below, _NAME - 6, sheet.text("invoice.warranty", months=line.warranty_months), height=3.8)
    paper.use_font(9, INK)
    discount = f"{line.discount}%" if line.discount else "–"
    _cells(paper, top + 2.1, str(line.quantity), money(line.price), discount, money(line.total))
    paper.rule(top + height)
    paper.set_y(top + height)


def _cells(paper: Paper, y: float, *figures: str) -> None:
    x = MARGIN + _NAME
    for width, figure in zip((_QUANTITY, _PRICE, _DISCOUNT, _AMOUNT), figures, strict=True):
        paper.fit(x + 1, y, width - 4, figure, align="R")
        x += width


def _sums(sheet: InvoiceSheet, payments: Sequence[Payment]) -> None:
    """Draw the totals, the payments and the balance; beside them the total in words and the booking's QR code."""
    paper, facts = sheet.paper, sheet.facts
    additions = _additions(sheet)
    if not paper.has_room(max(66, 44 + 6 * (len(additions) + len(payments)))):
        paper.add_page()
    top = paper.y + 6
    below = total_in_words(sheet, top, _LEFT_WIDTH, facts.total)
    if not _credited(payments):  # a cancelled booking has no arrival
        _booking_code(sheet, below + 5)
    paper.set_y(top)
    for label, amount in additions:
        _sum_row(paper, label, money(amount))
    total_box(paper, paper.y + 1.5, sheet.text("invoice.total"), facts.total)
    paper.set_y(paper.y + 14.5)
    if facts.discounts:
        y, discounts = paper.y, sheet.text("invoice.discounts", amount=facts.discounts)
        paper.use_font(8.5, GREEN, bold=True)
        paper.put(SUM_LEFT + 3, y, RIGHT - SUM_LEFT - 6, discounts, align="R")
        paper.set_y(y + 6.5)
    for payment in payments:
        _sum_row(paper, _entry(sheet, payment), signed(-payment.amount))
    paper.rule(paper.y + 1, left=SUM_LEFT)
    paper.set_y(paper.y + 2)
    _balance(sheet, facts.total - sum(payment.amount for payment in payments), payments)


def _credited(payments: Sequence[Payment]) -> bool:
    return any(payment.kind == CREDITED for payment in payments)


def _paid(payments: Sequence[Payment]) -> Money:
    return sum(payment.amount for payment in payments if payment.kind != CREDITED)


def _balance(sheet: InvoiceSheet, remaining: Money, payments: Sequence[Payment]) -> None:
    """What remains to be paid, or is to be refunded after a credit note."""
    if remaining < 0 and _credited(payments):
        _sum_row(sheet.paper, sheet.text("invoice.going_back"), money(-remaining), bold=True)
    else:
        _sum_row(sheet.paper, sheet.text("invoice.remaining"), money(max(0, remaining)), bold=True)


def _additions(sheet: InvoiceSheet) -> list[tuple[str, Money]]:
    text, facts = sheet.text, sheet.facts
    rows = [
        (text("invoice.subtotal_parts"), facts.subtotal_parts),
        (text("invoice.subtotal_services"), facts.subtotal_services),
        (text("invoice.onsite_fee"), facts.onsite_fee),
        (text("invoice.additional_costs"), facts.additional_costs),
        (sheet.text("paper.tax", base=facts.tax_base), facts.tax_amount),
    ]
    return [(label, amount) for label, amount in rows if amount]


def _sum_row(paper: Paper, label: str, figure: str, *, bold: bool = False) -> None:
    if not paper.has_room(6):
        paper.add_page()
    y = paper.y
    paper.use_font(9, INK if bold else MUTED, bold=bold)
    taken = paper.get_string_width(figure)
    paper.put(SUM_LEFT + 3, y, RIGHT - SUM_LEFT - taken - 8, label, height=6)
    paper.use_font(9, INK, bold=bold)
    paper.fit(RIGHT - 43, y, 40, figure, height=6, align="R")
    paper.set_y(y + 6)


def _entry(sheet: InvoiceSheet, payment: Payment) -> str:
    """What moved, when and how, for example "Diterima 23 Nov 2026 · QRIS"."""
    return sheet.text(f"invoice.entry.{payment.kind}", date=sheet.day(payment.at), method=sheet.method(payment.method))


def _booking_code(sheet: InvoiceSheet, y: float) -> None:
    """The booking code, to be shown on arrival."""
    paper, facts = sheet.paper, sheet.facts
    left, width = MARGIN + 31, _LEFT_WIDTH - 34
    paper.box(MARGIN, y, _LEFT_WIDTH, 30, SHADE, radius=2)
    paper.qr(MARGIN + 4, y + 4, 22, facts.booking_code)
    paper.use_font(12, INK, bold=True)
    paper.put(left, y + 7, width, facts.booking_code, height=6)
    paper.use_font(8.5, MUTED)
    onsite = facts.location is Location.ONSITE
    paper.block(left, y + 14, width, sheet.text("invoice.scan_onsite" if onsite else "invoice.scan"), height=4.2)
