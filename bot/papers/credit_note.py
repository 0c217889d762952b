"""The credit note (nota kredit) as a PDF: the corrected invoices, the reason, what stays billed, what is credited."""

from bot.papers.letterhead import SUM_LEFT, Sheet, signed
from bot.papers.sheet import ACCENT, MARGIN, MUTED, RIGHT, WHITE, WIDTH
from conversations.texts import money
from core.money import Money
from core.papers.credit_notes import CreditNoteFacts

_FIGURE = 40.0
_NAME = WIDTH - _FIGURE - 6


def draw(facts: CreditNoteFacts, *, language: str) -> bytes:
    sheet = Sheet(facts, language=language)
    sheet.head(sheet.phrase("credit_note.title"))
    corrected: list[str | None] = [
        sheet.phrase("credit_note.refers", number=each.number, date=sheet.day(each.issued_at))
        for each in facts.invoices
    ]
    reason = sheet.phrase("credit_note.reason"), sheet.phrase(f"credit_note.reason.{facts.reason}"), corrected
    sheet.columns(sheet.customer(), sheet.car(), reason)
    _table(sheet)
    _total(sheet)
    return bytes(sheet.output())


def _table(sheet: Sheet[CreditNoteFacts]) -> None:
    facts, y = sheet.facts, sheet.y
    sheet.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    sheet.put(MARGIN + 3, y + 1.5, _NAME, sheet.phrase("credit_note.item"), 8, WHITE, bold=True)
    amount = sheet.phrase("credit_note.amount")
    sheet.put(RIGHT - _FIGURE - 3, y + 1.5, _FIGURE, amount, 8, WHITE, bold=True, align="R")
    sheet.set_y(y + 8)
    for invoice in facts.invoices:
        name = sheet.phrase("credit_note.invoice", number=invoice.number, date=sheet.day(invoice.issued_at))
        _row(sheet, name, invoice.total, ", ".join(invoice.items))
    if facts.credited_before:
        _row(sheet, sheet.phrase("credit_note.before"), -facts.credited_before)
    if facts.keeps:
        kept = "credit_note.kept" if facts.reason == "refunded" else "credit_note.kept_fee"
        _row(sheet, sheet.phrase(kept), -facts.keeps)


def _row(sheet: Sheet[CreditNoteFacts], name: str, amount: Money, detail: str = "") -> None:
    top = sheet.y
    y = sheet.block(MARGIN + 3, top + 2.3, _NAME, name, 9, bold=True)
    if detail:
        y = sheet.block(MARGIN + 3, y, _NAME, detail, 7.8, MUTED, height=3.8, most=4)
    sheet.put(RIGHT - _FIGURE - 3, top + 2.1, _FIGURE, signed(amount), 9, align="R", in_full=True)
    sheet.rule(y + 2.3)
    sheet.set_y(y + 2.3)


def _total(sheet: Sheet[CreditNoteFacts]) -> None:
    """The credited amount in words and figures, with the PPN that it includes."""
    facts, y = sheet.facts, sheet.y + 6
    sheet.total_in_words(y, SUM_LEFT - MARGIN - 8, facts.total)
    sheet.total_box(y, sheet.phrase("credit_note.total"), facts.total)
    if facts.tax_amount:
        included = sheet.phrase("credit_note.includes", base=facts.tax_base)
        sheet.put(SUM_LEFT + 3, y + 13, 60, included, 9, MUTED, height=6)
        sheet.put(RIGHT - 26, y + 13, 23, money(facts.tax_amount), 9, MUTED, height=6, align="R", in_full=True)
