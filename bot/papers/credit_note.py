"""The credit note (nota kredit) as a PDF: the corrected invoices, the reason, what stays billed, what is credited."""

from bot.papers import letterhead
from bot.papers.letterhead import SUM_LEFT, Column, Sheet, signed
from bot.papers.sheet import ACCENT, INK, MARGIN, MUTED, RIGHT, WHITE, WIDTH
from conversations.texts import money
from core.money import Money
from core.papers.credit_notes import CreditNoteFacts

_FIGURE = 40.0
_NAME = WIDTH - _FIGURE - 6


def draw(facts: CreditNoteFacts, *, language: str) -> bytes:
    sheet = letterhead.sheet(facts, language=language)
    sheet.paper.add_page()
    letterhead.head(sheet, sheet.text("credit_note.title"))
    letterhead.columns(sheet, letterhead.customer(sheet), letterhead.car(sheet), _reason(sheet))
    _table(sheet)
    _total(sheet)
    return bytes(sheet.paper.output())


def _reason(sheet: Sheet[CreditNoteFacts]) -> Column:
    details: list[str | None] = [
        sheet.text("credit_note.refers", number=each.number, date=sheet.day(each.issued_at))
        for each in sheet.facts.invoices
    ]
    return sheet.text("credit_note.reason"), sheet.text(f"credit_note.reason.{sheet.facts.reason}"), details


def _table(sheet: Sheet[CreditNoteFacts]) -> None:
    paper, facts, y = sheet.paper, sheet.facts, sheet.paper.y
    paper.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    paper.use_font(8, WHITE, bold=True)
    paper.put(MARGIN + 3, y + 1.5, _NAME, sheet.text("credit_note.item"))
    paper.put(RIGHT - _FIGURE - 3, y + 1.5, _FIGURE, sheet.text("credit_note.amount"), align="R")
    paper.set_y(y + 8)
    for invoice in facts.invoices:
        name = sheet.text("credit_note.invoice", number=invoice.number, date=sheet.day(invoice.issued_at))
        _row(sheet, name, invoice.total, ", ".join(invoice.items))
    if facts.credited_before:
        _row(sheet, sheet.text("credit_note.before"), -facts.credited_before)
    if facts.keeps:
        kept = "credit_note.kept" if facts.reason == "refunded" else "credit_note.kept_fee"
        _row(sheet, sheet.text(kept), -facts.keeps)


def _row(sheet: Sheet[CreditNoteFacts], name: str, amount: Money, detail: str = "") -> None:
    paper, top = sheet.paper, sheet.paper.y
    paper.use_font(9, INK, bold=True)
    y = paper.block(MARGIN + 3, top + 2.3, _NAME, name)
    if detail:
        paper.use_font(7.8, MUTED)
        y = paper.block(MARGIN + 3, y, _NAME, detail, height=3.8, most=4)
    paper.use_font(9, INK)
    paper.fit(RIGHT - _FIGURE - 3, top + 2.1, _FIGURE, signed(amount), align="R")
    paper.rule(y + 2.3)
    paper.set_y(y + 2.3)


def _total(sheet: Sheet[CreditNoteFacts]) -> None:
    """The credited amount in words and figures, with the PPN that it includes."""
    paper, facts, y = sheet.paper, sheet.facts, sheet.paper.y + 6
    letterhead.total_in_words(sheet, y, SUM_LEFT - MARGIN - 8, facts.total)
    letterhead.total_box(paper, y, sheet.text("credit_note.total"), facts.total)
    if facts.tax_amount:
        paper.use_font(9, MUTED)
        paper.put(SUM_LEFT + 3, y + 13, 60, sheet.text("credit_note.includes", base=facts.tax_base), height=6)
        paper.fit(RIGHT - 26, y + 13, 23, money(facts.tax_amount), height=6, align="R")
