"""Receipts (kwitansi): one for each payment, made with its ledger entry and never without one.

ledger.enter ── issue ──> KW/2026/00001 ──> Receipt.facts = ReceiptFacts as JSON

Money that goes back later has papers of its own; a receipt stays what it was: so much came in, that day.
"""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, Invoice, LedgerEntry, Receipt
from core.messaging.messages import Document
from core.money import Money
from core.papers import numbering
from core.papers.numbering import PaperFacts
from core.states import BookingStatus

Purpose = Literal["down_payment", "part", "rest", "whole", "late"]
"""What the money was for; late: the booking was cancelled by then."""


class ReceiptFacts(PaperFacts):
    """All that a receipt says, as it was when the money came."""

    amount: Money
    purpose: Purpose
    method: str
    """As Midtrans or we call it: bca_va, qris, cash …"""
    invoice: str | None
    """The number of the booking's invoice, where one had been issued before."""
    total: Money
    """The price of the whole booking then."""
    paid: Money
    """What of it was paid then, this payment included."""
    remaining: Money


async def issue(ctx: Context, booking: Booking, entry: LedgerEntry) -> None:
    """Write the receipt of an entry that brought money; the booking is locked and its sums follow the entry."""
    number = await numbering.next_number(ctx, numbering.RECEIPT)
    invoices = await numbering.issued(ctx.session, Invoice, booking.id)
    facts = ReceiptFacts(
        **numbering.letterhead(ctx, booking, number=number),
        amount=entry.amount,
        purpose=_purpose(booking, entry.amount),
        method=entry.method,
        invoice=invoices[0].number if invoices else None,
        total=booking.total_price,
        paid=booking.paid_amount,
        remaining=booking.remaining,
    )
    ctx.session.add(
        Receipt(number=number, booking_id=booking.id, entry_id=entry.id, issued_at=ctx.now, facts=facts.to_json())
    )
    await ctx.session.flush()


async def load(session: AsyncSession, name: str) -> ReceiptFacts:
    """A receipt by its name (`papers`); raises `NotFound`."""
    return ReceiptFacts.from_json((await numbering.find(session, Receipt, name)).facts)


async def to_send(session: AsyncSession, booking: Booking) -> Document:
    """What goes with the news of a payment: the invoice with the first one, then the payment's own receipt."""
    receipts = (await numbering.of_booking(session, booking)).receipts
    return Document("receipt", receipts[-1]) if len(receipts) > 1 else Document("invoice", booking.code)


def _purpose(booking: Booking, amount: Money) -> Purpose:
    if booking.status is BookingStatus.CANCELLED:
        return "late"
    is_first = booking.paid_amount <= amount
    if booking.remaining:
        return "down_payment" if is_first else "part"
    return "whole" if is_first else "rest"
