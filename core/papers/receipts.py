"""Receipts (kwitansi): one for each payment, issued with its ledger entry; money that goes back doesn't change it."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, LedgerEntry, Receipt
from core.messaging.messages import Document
from core.money import Money
from core.papers import invoices, numbering
from core.papers.numbering import PaperFacts
from core.states import BookingStatus

Purpose = Literal["down_payment", "part", "rest", "whole", "late"]
"""What the money was for; late: the booking was cancelled before it came."""


class ReceiptFacts(PaperFacts):
    """What a receipt says, frozen when the money comes."""

    amount: Money
    purpose: Purpose
    method: str
    """Midtrans' payment_type, or cash."""
    invoice: str | None
    """The number of the booking's invoice, if it was issued before."""
    total: Money
    """The price of the booking then."""
    paid: Money
    """What was paid then, this payment included."""
    remaining: Money


async def issue(ctx: Context, booking: Booking, entry: LedgerEntry) -> None:
    """Issue the receipt of an entry; the booking must be locked, its totals updated."""
    number = await numbering.next_number(ctx, numbering.RECEIPT)
    billed = await invoices.standing(ctx.session, booking.id)
    facts = ReceiptFacts(
        **numbering.letterhead(ctx, booking, number=number),
        amount=entry.amount,
        purpose=_purpose(booking, entry.amount),
        method=entry.method,
        invoice=billed[0].number if billed else None,
        total=booking.total_price,
        paid=booking.paid_amount,
        remaining=booking.remaining,
    )
    ctx.session.add(
        Receipt(number=number, booking_id=booking.id, entry_id=entry.id, issued_at=ctx.now, facts=facts.to_json())
    )
    await ctx.session.flush()


async def load(session: AsyncSession, name: str) -> ReceiptFacts:
    """A receipt by its name (`numbering.names`); raises `NotFound`."""
    receipts, index = await numbering.find(session, Receipt, name)
    return ReceiptFacts.from_json(receipts[index].facts)


async def to_send(session: AsyncSession, booking: Booking) -> Document:
    """The paper to send with the notice of a payment: the invoice with the first one, a receipt with any later one."""
    receipts = (await numbering.of_booking(session, booking)).receipts
    return Document("receipt", receipts[-1]) if len(receipts) > 1 else Document("invoice", booking.code)


def _purpose(booking: Booking, amount: Money) -> Purpose:
    if booking.status is BookingStatus.CANCELLED:
        return "late"
    is_first = booking.paid_amount <= amount
    if booking.remaining:
        return "down_payment" if is_first else "part"
    return "whole" if is_first else "rest"
