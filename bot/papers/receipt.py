"""The receipt (kwitansi) as a PDF on half a page: payer, amount in figures and words, purpose, and what remains."""

from bot.papers import letterhead
from bot.papers.letterhead import GOOD, PARTLY, Sheet, sentence
from bot.papers.sheet import ACCENT, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, WIDTH
from conversations.texts import money
from core.papers.receipts import ReceiptFacts

_LABEL = 42.0
_SUM_LEFT = MARGIN + 94


def draw(facts: ReceiptFacts, *, language: str) -> bytes:
    sheet = letterhead.sheet(facts, language=language, size="half")
    sheet.paper.add_page()
    settled = facts.purpose in ("rest", "whole")
    mark = sheet.text("receipt.mark.paid" if settled else "receipt.mark.received")
    letterhead.head(sheet, sheet.text("receipt.title"), mark, GOOD if settled else PARTLY)
    sheet.paper.rule(46)
    sheet.paper.set_y(50)
    _details(sheet)
    _amount(sheet)
    _sums(sheet)
    return bytes(sheet.paper.output())


def _details(sheet: Sheet[ReceiptFacts]) -> None:
    facts = sheet.facts
    _row(sheet, "receipt.from", facts.customer_name, letterhead.phone(facts.customer_phone))
    _row(sheet, "receipt.amount", sentence(facts.amount, sheet.language), most=3)
    invoice = [sheet.text("receipt.invoice", number=facts.invoice)] if facts.invoice else []
    car = " · ".join([facts.car, *([facts.plate] if facts.plate else []), *invoice])
    _row(sheet, "receipt.for", sheet.text(f"receipt.{facts.purpose}", code=facts.booking_code), car)
    _row(sheet, "receipt.by", f"{sheet.method(facts.method)} · {sheet.day(facts.issued_at)}")


def _row(sheet: Sheet[ReceiptFacts], label: str, headline: str, detail: str = "", *, most: int = 2) -> None:
    paper, width = sheet.paper, WIDTH - _LABEL
    y = paper.y
    paper.use_font(8.5, MUTED)
    paper.put(MARGIN, y, _LABEL - 4, sheet.text(label))
    paper.use_font(10, INK, bold=True)
    y = paper.block(MARGIN + _LABEL, y, width, headline, height=5, most=most)
    if detail:
        paper.use_font(8.5, MUTED)
        paper.put(MARGIN + _LABEL, y, width, detail, height=4.4)
        y += 4.4
    paper.set_y(y + 2.4)


def _amount(sheet: Sheet[ReceiptFacts]) -> None:
    paper, y = sheet.paper, sheet.paper.h - 47
    paper.box(MARGIN, y, 82, 22, ACCENT, radius=2)
    paper.use_font(20, WHITE, bold=True)
    paper.fit(MARGIN + 5, y, 72, money(sheet.facts.amount), height=22, align="C")


def _sums(sheet: Sheet[ReceiptFacts]) -> None:
    """What the payment means for the booking's price; nothing for a cancelled booking."""
    facts, paper = sheet.facts, sheet.paper
    if facts.purpose == "late":
        return
    rows = [
        ("receipt.total", facts.total),
        ("receipt.before", facts.paid - facts.amount),
        ("receipt.now", facts.amount),
        ("receipt.remaining", facts.remaining),
    ]
    top = paper.h - 47
    paper.box(_SUM_LEFT, top, RIGHT - _SUM_LEFT, 22, SHADE, radius=2)
    for number, (label, amount) in enumerate(rows):
        y, is_last = top + 2 + number * 4.5, number == len(rows) - 1
        paper.use_font(8.5, INK if is_last else MUTED, bold=is_last)
        paper.put(_SUM_LEFT + 4, y, 36, sheet.text(label), height=4.5)
        paper.fit(RIGHT - 40, y, 36, money(amount), height=4.5, align="R")
