"""The invoice as a PDF: customer and car, the lines, the totals, payments and the balance.

Facts are frozen, and ledger entries and credit notes never change, so the invoice of any day can be rendered again:
the same facts and payments give the same bytes on any machine.
"""

from collections.abc import Sequence

from bot.papers.letterhead import BAD, GOOD, PARTLY, QUIET, SUM_LEFT, Column, Mark, Sheet, signed
from bot.papers.sheet import ACCENT, GREEN, INK, MARGIN, MUTED, RIGHT, SHADE, WHITE, WIDTH
from conversations.texts import money
from core.money import Money
from core.papers.invoices import CREDITED, InvoiceFacts, InvoiceLine, Payment
from core.states import LedgerKind, Location

InvoiceSheet = Sheet[InvoiceFacts]
_LEFT_WIDTH = 80.0
_MARKS: dict[str, Mark] = {"paid": GOOD, "down_payment": PARTLY, "unpaid": BAD, "refunded": QUIET, "credited": QUIET}
_NAME = 82.0
_FIGURES = {"quantity": 14.0, "price": 28.0, "discount": 20.0, "amount": 30.0}
"""Column widths in millimetres."""


def draw(facts: InvoiceFacts, payments: Sequence[Payment], *, language: str) -> bytes:
    sheet = Sheet(facts, language=language)
    mark = _mark(facts, payments)
    sheet.head(sheet.phrase("invoice.title"), sheet.phrase(f"invoice.mark.{mark}"), _MARKS[mark])
    supplements = facts.supplements
    more = [sheet.phrase("invoice.supplements", number=supplements)] if supplements else []
    sheet.columns(sheet.customer(), sheet.car(*more), _appointment(sheet))
    _table(sheet)
    _sums(sheet, payments)
    return bytes(sheet.output())


def _mark(facts: InvoiceFacts, payments: Sequence[Payment]) -> str:
    moved = [payment.amount for payment in payments if payment.kind != CREDITED]
    came = any(amount > 0 for amount in moved)
    if came and sum(moved) <= 0:
        return "refunded"
    if _is_credited(payments):
        return "credited"
    if sum(moved) >= facts.total:
        return "paid"
    return "down_payment" if came else "unpaid"


def _appointment(sheet: InvoiceSheet) -> Column:
    facts = sheet.facts
    clock = sheet.phrase("invoice.clock", clock=f"{sheet.local(facts.starts_at):%H:%M}")
    technician = sheet.phrase("invoice.technician", name=facts.technician) if facts.technician else None
    if facts.location is Location.WORKSHOP:
        place = sheet.phrase("invoice.at_workshop")
    elif facts.address:
        place = sheet.phrase("invoice.onsite", address=facts.address)
    else:
        place = sheet.phrase("invoice.onsite_shared")
    day = sheet.day(facts.starts_at, "EEEE, d MMM y")
    return sheet.phrase("invoice.appointment"), day, [clock, technician, place]


def _table(sheet: InvoiceSheet) -> None:
    _table_head(sheet)
    for line in sheet.facts.lines:
        sheet.use_font(9, bold=True)
        height = len(sheet.lines(_NAME - 6, line.name)) * 4.6 + (3.8 if line.warranty_months else 0) + 4.6
        if not sheet.has_room(height):
            sheet.add_page()
            _table_head(sheet)
        _row(sheet, line, height)


def _table_head(sheet: InvoiceSheet) -> None:
    y = sheet.y
    sheet.box(MARGIN, y, WIDTH, 8, ACCENT, radius=1.6)
    sheet.put(MARGIN + 3, y + 1.5, _NAME - 6, sheet.phrase("invoice.item"), 8, WHITE, bold=True)
    x = MARGIN + _NAME
    for name, width in _FIGURES.items():
        head = sheet.phrase(f"invoice.{name}")
        sheet.put(x + 1, y + 1.5, width - 4, head, 8, WHITE, bold=True, align="R", in_full=True)
        x += width
    sheet.set_y(y + 8)


def _row(sheet: InvoiceSheet, line: InvoiceLine, height: float) -> None:
    top = sheet.y
    below = sheet.block(MARGIN + 3, top + 2.3, _NAME - 6, line.name, 9, bold=True)
    if line.warranty_months:
        warranty = sheet.phrase("invoice.warranty", months=line.warranty_months)
        sheet.put(MARGIN + 3, below, _NAME - 6, warranty, 7.8, MUTED, height=3.8)
    discount = f"{line.discount}%" if line.discount else "–"
    figures = (str(line.quantity), money(line.price), discount, money(line.total))
    x = MARGIN + _NAME
    for width, figure in zip(_FIGURES.values(), figures, strict=True):
        sheet.put(x + 1, top + 2.1, width - 4, figure, 9, align="R", in_full=True)
        x += width
    sheet.rule(top + height)
    sheet.set_y(top + height)


def _sums(sheet: InvoiceSheet, payments: Sequence[Payment]) -> None:
    """Draw the totals, the payments and the balance; beside them the total in words and the booking's QR code."""
    facts = sheet.facts
    additions = _additions(sheet)
    if not sheet.has_room(max(66, 44 + 6 * (len(additions) + len(payments)))):
        sheet.add_page()
    top = sheet.y + 6
    below = sheet.total_in_words(top, _LEFT_WIDTH, facts.total)
    if not _is_credited(payments):  # a cancelled booking has no arrival
        _booking_code(sheet, below + 5)
    sheet.set_y(top)
    for label, amount in additions:
        _sum_row(sheet, label, money(amount))
    sheet.total_box(sheet.y + 1.5, sheet.phrase("invoice.total"), facts.total)
    sheet.set_y(sheet.y + 14.5)
    if facts.discounts:
        y, discounts = sheet.y, sheet.phrase("invoice.discounts", amount=facts.discounts)
        sheet.put(SUM_LEFT + 3, y, RIGHT - SUM_LEFT - 6, discounts, 8.5, GREEN, bold=True, align="R")
        sheet.set_y(y + 6.5)
    for each in payments:  # for example "Diterima 23 Nov 2026 · QRIS"
        entry = sheet.phrase(f"invoice.entry.{each.kind}", date=sheet.day(each.at), method=sheet.method(each.method))
        _sum_row(sheet, entry, signed(-each.amount))
    sheet.rule(sheet.y + 1, left=SUM_LEFT)
    sheet.set_y(sheet.y + 2)
    remaining = balance(facts, payments)
    if remaining < 0 and _is_credited(payments):
        _sum_row(sheet, sheet.phrase("invoice.going_back"), money(-remaining), bold=True)
    else:
        _sum_row(sheet, sheet.phrase("invoice.remaining"), money(max(0, remaining)), bold=True)


def balance(facts: InvoiceFacts, payments: Sequence[Payment]) -> Money:
    """What is left to pay; negative: to be refunded. Nothing where all the money was refunded."""
    kept = sum(payment.amount for payment in payments)
    if not kept and any(payment.kind == LedgerKind.REFUNDED for payment in payments):
        return 0
    return facts.total - kept


def _is_credited(payments: Sequence[Payment]) -> bool:
    return any(payment.kind == CREDITED for payment in payments)


def _additions(sheet: InvoiceSheet) -> list[tuple[str, Money]]:
    facts = sheet.facts
    rows = [
        (sheet.phrase("invoice.subtotal_parts"), facts.subtotal_parts),
        (sheet.phrase("invoice.subtotal_services"), facts.subtotal_services),
        (sheet.phrase("invoice.onsite_fee"), facts.onsite_fee),
        (sheet.phrase("invoice.additional_costs"), facts.additional_costs),
        (sheet.phrase("paper.tax", base=facts.tax_base), facts.tax_amount),
    ]
    return [(label, amount) for label, amount in rows if amount]


def _sum_row(sheet: InvoiceSheet, label: str, figure: str, *, bold: bool = False) -> None:
    if not sheet.has_room(6):
        sheet.add_page()
    y = sheet.y
    sheet.use_font(9, bold=bold)
    taken = sheet.get_string_width(figure)
    sheet.put(SUM_LEFT + 3, y, RIGHT - SUM_LEFT - taken - 8, label, 9, INK if bold else MUTED, bold=bold, height=6)
    sheet.put(RIGHT - 43, y, 40, figure, 9, bold=bold, height=6, align="R", in_full=True)
    sheet.set_y(y + 6)


def _booking_code(sheet: InvoiceSheet, y: float) -> None:
    """The booking code, to be shown on arrival."""
    code, left, width = sheet.facts.booking_code, MARGIN + 31, _LEFT_WIDTH - 34
    sheet.box(MARGIN, y, _LEFT_WIDTH, 30, SHADE, radius=2)
    sheet.qr(MARGIN + 4, y + 4, 22, code)
    sheet.put(left, y + 7, width, code, 12, bold=True, height=6)
    onsite = sheet.facts.location is Location.ONSITE
    scan = sheet.phrase("invoice.scan_onsite" if onsite else "invoice.scan")
    sheet.block(left, y + 14, width, scan, 8.5, MUTED, height=4.2)
