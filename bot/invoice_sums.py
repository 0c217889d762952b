"""The lower part of an invoice: sums, what was paid and what remains, the total in words."""

import re

from num2words import num2words

from bot.invoice_sheet import Sheet
from bot.paper import ACCENT, GREEN, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, Paper
from conversations.texts import money, templates
from core.invoices import Payment
from core.money import Money
from core.states import Location

_SUM_LEFT = MARGIN + 88


def sums(sheet: Sheet) -> None:
    """Draw the sums, the payments and what remains; beside them the total in words and the code to show."""
    paper, facts = sheet.paper, sheet.facts
    additions = _additions(sheet)
    if not paper.room(max(66, 44 + 6 * (len(additions) + len(sheet.payments)))):
        paper.add_page()
    top = paper.y + 6
    _proof(sheet, top)
    paper.set_y(top)
    for label, amount in additions:
        _sum_row(paper, label, money(amount))
    _total(paper, sheet.text("total"), money(facts.total))
    if facts.discounts:
        _saved(paper, sheet.text("discounts", amount=facts.discounts))
    for payment in sheet.payments:
        _sum_row(paper, _entry(sheet, payment), _signed(-payment.amount))
    paper.rule(paper.y + 1, left=_SUM_LEFT)
    paper.set_y(paper.y + 2)
    _sum_row(paper, sheet.text("remaining"), money(max(0, facts.total - sheet.paid)), bold=True)


def in_words(amount: Money, language: str) -> str:
    """An amount of rupiah in words."""
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah"
    words = num2words(amount, lang="id", to="currency")
    # num2words only knows "seribu" at the beginning; "dua puluh satu ribu" is right as it is.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words)


def _additions(sheet: Sheet) -> list[tuple[str, Money]]:
    text, facts = sheet.text, sheet.facts
    rows = [
        (text("subtotal_parts"), facts.subtotal_parts),
        (text("subtotal_services"), facts.subtotal_services),
        (text("onsite_fee"), facts.onsite_fee),
        (text("additional_costs"), facts.additional_costs),
        (text("tax", base=facts.tax_base), facts.tax_amount),
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


def _entry(sheet: Sheet, payment: Payment) -> str:
    """What moved, when and how: "Diterima 23 Nov 2026 · QRIS"; a method without a name of its own is shown as it is."""
    named = f"invoice.method.{payment.method}" in templates(sheet.language)
    method = sheet.text(f"method.{payment.method}") if named else payment.method
    return sheet.text(f"entry.{payment.kind}", date=sheet.day(payment.at), method=method)


def _signed(amount: Money) -> str:
    return f"−{money(-amount)}" if amount < 0 else money(amount)


def _proof(sheet: Sheet, y: float) -> None:
    """The total in words, and the booking code to show on arrival."""
    paper, facts = sheet.paper, sheet.facts
    width = _SUM_LEFT - MARGIN - 8
    paper.hand(7.5, MUTED, bold=True)
    paper.put(MARGIN, y + 0.5, width, sheet.text("in_words").upper(), height=4)
    paper.hand(9.5, INK)
    words = in_words(facts.total, sheet.language)
    y = paper.block(MARGIN, y + 5.5, width, words[:1].upper() + words[1:], height=4.8, most=4) + 5
    paper.box(MARGIN, y, width, 30, SHADE, radius=2)
    paper.qr(MARGIN + 4, y + 4, 22, facts.booking_code)
    paper.hand(12, INK, bold=True)
    paper.put(MARGIN + 31, y + 7, width - 34, facts.booking_code, height=6)
    paper.hand(8.5, MUTED)
    onsite = facts.location is Location.ONSITE
    paper.block(MARGIN + 31, y + 14, width - 34, sheet.text("scan_onsite" if onsite else "scan"), height=4.2)
