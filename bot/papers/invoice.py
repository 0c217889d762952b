"""The invoice as a PDF: customer and car, the lines, the totals, payments and the balance.

Facts are frozen, and ledger entries and credit notes never change, so the invoice of any day can be rendered again:
the same facts and payments give the same bytes on any machine.
"""

from collections.abc import Sequence

from bot.papers import letterhead
from bot.papers.invoice_sums import InvoiceSheet, credited, paid, sums
from bot.papers.letterhead import BAD, GOOD, PARTLY, QUIET, Column, Mark
from bot.papers.sheet import ACCENT, INK, MARGIN, MUTED, WHITE, WIDTH, Paper
from conversations.texts import money
from core.papers.invoices import CREDITED, InvoiceFacts, InvoiceLine, Payment
from core.states import Location

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
    sums(sheet, payments)
    return bytes(sheet.paper.output())


def _mark(facts: InvoiceFacts, payments: Sequence[Payment]) -> str:
    came = any(payment.amount > 0 and payment.kind != CREDITED for payment in payments)
    if came and paid(payments) <= 0:
        return "refunded"
    if credited(payments):
        return "credited"
    if paid(payments) >= facts.total:
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
