"""The lower part of an invoice: totals, payments, the balance, the total in words."""

from collections.abc import Sequence

from bot.papers.letterhead import SUM_LEFT, Sheet, signed, total_box, total_in_words
from bot.papers.sheet import GREEN, INK, MARGIN, MUTED, RIGHT, SHADE, Paper
from conversations.texts import money
from core.money import Money
from core.papers.invoices import CREDITED, InvoiceFacts, Payment
from core.states import Location

InvoiceSheet = Sheet[InvoiceFacts]
_LEFT_WIDTH = 80.0


def sums(sheet: InvoiceSheet, payments: Sequence[Payment]) -> None:
    """Draw the totals, the payments and the balance; beside them the total in words and the booking's QR code."""
    paper, facts = sheet.paper, sheet.facts
    additions = _additions(sheet)
    if not paper.has_room(max(66, 44 + 6 * (len(additions) + len(payments)))):
        paper.add_page()
    top = paper.y + 6
    below = total_in_words(sheet, top, _LEFT_WIDTH, facts.total)
    if not credited(payments):  # a cancelled booking has no arrival
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


def credited(payments: Sequence[Payment]) -> bool:
    return any(payment.kind == CREDITED for payment in payments)


def paid(payments: Sequence[Payment]) -> Money:
    return sum(payment.amount for payment in payments if payment.kind != CREDITED)


def _balance(sheet: InvoiceSheet, remaining: Money, payments: Sequence[Payment]) -> None:
    """What remains to be paid, or is to be refunded after a credit note."""
    if remaining < 0 and credited(payments):
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
