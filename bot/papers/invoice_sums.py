"""The lower part of an invoice: sums, what was paid and what remains, the total in words."""

from collections.abc import Sequence

from bot.papers.in_words import sentence
from bot.papers.letterhead import Sheet
from bot.papers.sheet import ACCENT, GREEN, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, Paper
from conversations.texts import money
from core.money import Money
from core.papers.invoices import CREDITED, InvoiceFacts, Payment
from core.states import Location

InvoiceSheet = Sheet[InvoiceFacts]
_SUM_LEFT = MARGIN + 88
_PROOF = 80.0


def sums(sheet: InvoiceSheet, payments: Sequence[Payment]) -> None:
    """Draw the sums, the payments and what remains; beside them the total in words and the code to show."""
    paper, facts = sheet.paper, sheet.facts
    additions = _additions(sheet)
    if not paper.room(max(66, 44 + 6 * (len(additions) + len(payments)))):
        paper.add_page()
    top = paper.y + 6
    below = _words(sheet, top)
    if not credited(payments):  # then nobody is expected any more
        _code_to_show(sheet, below + 5)
    paper.set_y(top)
    for label, amount in additions:
        _sum_row(paper, label, money(amount))
    _total(paper, sheet.text("invoice.total"), money(facts.total))
    if facts.discounts:
        _saved(paper, sheet.text("invoice.discounts", amount=facts.discounts))
    for payment in payments:
        _sum_row(paper, _entry(sheet, payment), _signed(-payment.amount))
    paper.rule(paper.y + 1, left=_SUM_LEFT)
    paper.set_y(paper.y + 2)
    _balance(sheet, facts.total - sum(payment.amount for payment in payments), payments)


def credited(payments: Sequence[Payment]) -> bool:
    """Whether a credit note took something off."""
    return any(payment.kind == CREDITED for payment in payments)


def paid(payments: Sequence[Payment]) -> Money:
    """What was paid, less what went back."""
    return sum(payment.amount for payment in payments if payment.kind != CREDITED)


def _balance(sheet: InvoiceSheet, remaining: Money, payments: Sequence[Payment]) -> None:
    """What is still to be paid; or to be sent back, of what was paid before a credit note."""
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
    if not paper.room(6):
        paper.add_page()
    y = paper.y
    paper.hand(9, INK if bold else MUTED, bold=bold)
    taken = paper.get_string_width(figure)
    paper.put(_SUM_LEFT + 3, y, RIGHT - _SUM_LEFT - taken - 8, label, height=6)
    paper.hand(9, INK, bold=bold)
    paper.fit(RIGHT - 43, y, 40, figure, height=6, align="R")
    paper.set_y(y + 6)


def _total(paper: Paper, label: str, figure: str) -> None:
    y = paper.y + 1.5
    paper.box(_SUM_LEFT, y, RIGHT - _SUM_LEFT, 11, ACCENT, radius=1.6)
    paper.hand(10, WHITE, bold=True)
    paper.put(_SUM_LEFT + 3, y, 30, label, height=11)
    paper.hand(13, WHITE, bold=True)
    paper.fit(RIGHT - 58, y, 55, figure, height=11, align="R")
    paper.set_y(y + 13)


def _saved(paper: Paper, text: str) -> None:
    paper.hand(8.5, GREEN, bold=True)
    paper.put(_SUM_LEFT + 3, paper.y, RIGHT - _SUM_LEFT - 6, text, align="R")
    paper.set_y(paper.y + 6.5)


def _entry(sheet: InvoiceSheet, payment: Payment) -> str:
    """What moved, when and how: "Diterima 23 Nov 2026 · QRIS"."""
    return sheet.text(f"invoice.entry.{payment.kind}", date=sheet.day(payment.at), method=sheet.method(payment.method))


def _signed(amount: Money) -> str:
    return f"−{money(-amount)}" if amount < 0 else money(amount)


def _words(sheet: InvoiceSheet, y: float) -> float:
    """The total in words; the y below it."""
    paper = sheet.paper
    paper.hand(7.5, MUTED, bold=True)
    paper.put(MARGIN, y + 0.5, _PROOF, sheet.text("paper.in_words").upper(), height=4)
    paper.hand(9.5, INK)
    return paper.block(MARGIN, y + 5.5, _PROOF, sentence(sheet.facts.total, sheet.language), height=4.8, most=4)


def _code_to_show(sheet: InvoiceSheet, y: float) -> None:
    """The booking code, to be shown on arrival."""
    paper, facts = sheet.paper, sheet.facts
    left, width = MARGIN + 31, _PROOF - 34
    paper.box(MARGIN, y, _PROOF, 30, SHADE, radius=2)
    paper.qr(MARGIN + 4, y + 4, 22, facts.booking_code)
    paper.hand(12, INK, bold=True)
    paper.put(left, y + 7, width, facts.booking_code, height=6)
    paper.hand(8.5, MUTED)
    onsite = facts.location is Location.ONSITE
    paper.block(left, y + 14, width, sheet.text("invoice.scan_onsite" if onsite else "invoice.scan"), height=4.2)
