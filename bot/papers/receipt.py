"""The receipt (kwitansi) as a PDF on half a page: payer, amount in figures and words, purpose, and what remains."""

from bot.papers.letterhead import GOOD, PARTLY, Sheet, in_words, phone
from bot.papers.sheet import ACCENT, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, WIDTH
from conversations.texts import money
from core.papers.receipts import ReceiptFacts

_LABEL = 42.0
_SUM_LEFT = MARGIN + 94


def draw(facts: ReceiptFacts, *, language: str) -> bytes:
    sheet = Sheet(facts, language=language, size="half")
    settled = facts.purpose in ("rest", "whole")
    mark = sheet.phrase("receipt.mark.paid" if settled else "receipt.mark.received")
    sheet.head(sheet.phrase("receipt.title"), mark, GOOD if settled else PARTLY)
    sheet.rule(46)
    sheet.set_y(50)
    _details(sheet)
    top = sheet.h - 47
    sheet.box(MARGIN, top, 82, 22, ACCENT, radius=2)
    sheet.put(MARGIN + 5, top, 72, money(facts.amount), 20, WHITE, bold=True, height=22, align="C", in_full=True)
    if facts.purpose != "late":  # a cancelled booking has no price that the payment could count towards
        _sums(sheet, top)
    return bytes(sheet.output())


def _details(sheet: Sheet[ReceiptFacts]) -> None:
    facts = sheet.facts
    _row(sheet, "receipt.from", facts.customer_name, phone(facts.customer_phone))
    _row(sheet, "receipt.amount", in_words(facts.amount, sheet.language), most=3)
    invoice = sheet.phrase("receipt.invoice", number=facts.invoice) if facts.invoice else None
    car = " · ".join(filter(None, [facts.car, facts.plate, invoice]))
    _row(sheet, "receipt.for", sheet.phrase(f"receipt.{facts.purpose}", code=facts.booking_code), car)
    _row(sheet, "receipt.by", f"{sheet.method(facts.method)} · {sheet.day(facts.issued_at)}")


def _row(sheet: Sheet[ReceiptFacts], label: str, headline: str, detail: str = "", *, most: int = 2) -> None:
    y, width = sheet.y, WIDTH - _LABEL
    sheet.put(MARGIN, y, _LABEL - 4, sheet.phrase(label), 8.5, MUTED)
    y = sheet.block(MARGIN + _LABEL, y, width, headline, 10, bold=True, height=5, most=most)
    if detail:
        sheet.put(MARGIN + _LABEL, y, width, detail, 8.5, MUTED, height=4.4)
        y += 4.4
    sheet.set_y(y + 2.4)


def _sums(sheet: Sheet[ReceiptFacts], top: float) -> None:
    """What the payment means for the booking's price."""
    facts = sheet.facts
    rows = [
        ("receipt.total", facts.total),
        ("receipt.before", facts.paid - facts.amount),
        ("receipt.now", facts.amount),
        ("receipt.remaining", facts.remaining),
    ]
    sheet.box(_SUM_LEFT, top, RIGHT - _SUM_LEFT, 22, SHADE, radius=2)
    for number, (label, amount) in enumerate(rows):
        y, last = top + 2 + number * 4.5, number == len(rows) - 1
        ink = INK if last else MUTED
        sheet.put(_SUM_LEFT + 4, y, 36, sheet.phrase(label), 8.5, ink, bold=last, height=4.5)
        sheet.put(RIGHT - 40, y, 36, money(amount), 8.5, ink, bold=last, height=4.5, align="R", in_full=True)
