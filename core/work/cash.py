"""Cash payments to staff."""

from sqlalchemy import func, select

from core import payment
from core.context import Context
from core.db.tables import Booking, LedgerEntry
from core.money import Money
from core.papers import invoices
from core.refusals import AlreadyPaid, BadAmount, InvalidTransition
from core.schedule import bookings
from core.states import BookingStatus, LedgerKind
from core.work import notices


async def receive_cash(ctx: Context, booking: Booking, amount: Money, *, actor: str) -> None:
    """Enter cash that `actor` received; it confirms a pending booking and issues the invoice.

    Open payment links are closed. Raises `InvalidTransition` (cancelled), `AlreadyPaid`, `BadAmount` (more than
    remains), and what `bookings.hold_again` refuses once the hold has ended.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.status is BookingStatus.CANCELLED:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    if not booking.remaining:
        raise AlreadyPaid
    if not 1 <= amount <= booking.remaining:
        raise BadAmount(least=1, most=booking.remaining)
    number = await _enter(ctx, booking, amount, actor=actor)
    first = booking.status is BookingStatus.PENDING
    if first:
        if not booking.holding:
            await bookings.hold_again(ctx, booking)
        bookings.confirm(ctx, booking, actor=actor)
    await invoices.issue(ctx, booking)
    await notices.cash_received(ctx, booking, amount, number=number, first=first)


async def _enter(ctx: Context, booking: Booking, amount: Money, *, actor: str) -> int:
    taken = select(func.count()).where(LedgerEntry.booking_id == booking.id, LedgerEntry.kind == LedgerKind.CASH)
    number = (await ctx.session.scalar(taken) or 0) + 1
    await payment.enter_money(
        ctx,
        booking,
        LedgerKind.CASH,
        amount,
        actor=actor,
        reference=f"{booking.code}:{number}",
        order_id=None,
        transaction_id=None,
        method="cash",
        evidence={"taken_by": actor},
    )
    await payment.withdraw_requests(ctx, booking)
    await payment.update_totals(ctx.session, booking)
    booking.paid_at = booking.paid_at or ctx.now
    return number
