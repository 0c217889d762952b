"""The credit note (nota kredit) as a PDF: which invoices it corrects, why, what stays billed and what is taken off."""

from bot.papers import letterhead
from bot.papers.in_words import sentence
from bot.papers.letterhead import Column, Sheet
from bot.papers.sheet import ACCENT, INK, MARGIN, MUTED, RIGHT, WHITE, WIDTH
from conversations.texts import money
from core.money import Money
from core.papers.credit_notes import CreditedInvoice, CreditNoteFacts

_FIGURE = 40.0
_NAME = WIDTH - _FIGURE - 6
_SUM_LEFT = MARGIN + 88


def draw(facts: CreditNoteFacts, *, language: str) -> bytes:
    """The credit note (A4), as bytes."""
    sheet = letterhead.sheet(facts, language=language)
    sheet.paper.add_page()
    letterhead.head(sheet, sheet.text("credit_note.title"))
    letterhead.columns(sheet, letterhead.customer(sheet), letterhead.car(sheet), _reason(sheet))
    _table(sheet)
    _total(sheet)
    return bytes(sheet.paper.output())


def _reason(sheet: Sheet[CreditNoteFacts]) -> Column:
    corrects = [
        sheet.text("credit_note.refers", number=each.number, date=sheet.day(each.issued_at))
        for each in sheet.facts.invoices
    ]
    return sheet.text("credit_note.reason"), sheet.text(f"credit_note.reason.{sheet.facts.reason}"), [*corrects]


def _table(sheet: Sheet[CreditNoteFacts]) -> None:
    paper, facts, y = sheet.paper, sheet.facts, sheet.paper.y
    paper.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    paper.hand(8, WHITE, bold=True)
    paper.put(MARGIN + 3, y + 1.5, _NAME, sheet.text("credit_note.item"))
    paper.put(RIGHT - _FIGURE - 3, y + 1.5, _FIGURE, sheet.text("credit_note.amount"), align="R")
    paper.set_y(y + 8)
    for invoice in facts.invoices:
        _invoice(sheet, invoice)
    if facts.credited_before:
        _row(sheet, sheet.text("credit_note.before"), -facts.credited_before)
    if facts.keeps:
        _row(
            sheet,
            sheet.text("credit_note.kept" if facts.reason == "refunded" else "credit_note.kept_fee"),
            -facts.keeps,
        )


def _invoice(sheet: Sheet[CreditNoteFacts], invoice: CreditedInvoice) -> None:
    name = sheet.text("credit_note.invoice", number=invoice.number, date=sheet.day(invoice.issued_at))
    _row(sheet, name, invoice.total, ", ".join(invoice.items))


def _row(sheet: Sheet[CreditNoteFacts], name: str, amount: Money, detail: str = "") -> None:
    paper, top = sheet.paper, sheet.paper.y
    paper.hand(9, INK, bold=True)
    y = paper.block(MARGIN + 3, top + 2.3, _NAME, name)
    if detail:
        paper.hand(7.8, MUTED)
        y = paper.block(MARGIN + 3, y, _NAME, detail, height=3.8, most=4)
    paper.hand(9, INK)
    figure = f"−{money(-amount)}" if amount < 0 else money(amount)
    paper.fit(RIGHT - _FIGURE - 3, top + 2.1, _FIGURE, figure, align="R")
    paper.rule(y + 2.3)
    paper.set_y(y + 2.3)


def _total(sheet: Sheet[CreditNoteFacts]) -> None:
    """What is taken off: in words on the left, in figures on the right, with the PPN that is part of it."""
    paper, facts, y = sheet.paper, sheet.facts, sheet.paper.y + 6
    width = _SUM_LEFT - MARGIN - 8
    paper.hand(7.5, MUTED, bold=True)
    paper.put(MARGIN, y + 0.5, width, sheet.text("paper.in_words").upper(), height=4)
    paper.hand(9.5, INK)
    paper.block(MARGIN, y + 5.5, width, sentence(facts.total, sheet.language), height=4.8, most=4)
    paper.box(_SUM_LEFT, y, RIGHT - _SUM_LEFT, 11, ACCENT, radius=1.6)
    paper.hand(10, WHITE, bold=True)
    paper.put(_SUM_LEFT + 3, y, 30, sheet.text("credit_note.total"), height=11)
    paper.hand(13, WHITE, bold=True)
    paper.fit(RIGHT - 58, y, 55, money(facts.total), height=11, align="R")
    if facts.tax_amount:
        paper.hand(9, MUTED)
        paper.put(_SUM_LEFT + 3, y + 13, 60, sheet.text("credit_note.includes", base=facts.tax_base), height=6)
        paper.fit(RIGHT - 26, y + 13, 23, money(facts.tax_amount), height=6, align="R")
