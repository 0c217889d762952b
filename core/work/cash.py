"""Cash that staff takes from the customer's hand."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Booking, LedgerEntry
from core.money import Money
from core.papers import invoices
from core.payment import ledger, payment_requests
from core.refusals import AlreadyPaid, BadAmount, InvalidTransition
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus
from core.work import notices


async def receive_cash(
    session: AsyncSession, booking: Booking, amount: Money, *, shop: Shop, now: datetime, actor: str
) -> None:
    """Enter cash that `actor` took; like any money it confirms a booking that was pending, and brings the invoice.

    Links for the money that came so are withdrawn. Raises `InvalidTransition` (cancelled), `AlreadyPaid`,
    `BadAmount` (more than remains), and what `bookings.hold_again` refuses when places were given back.
    """
    booking = await payment_requests.locked(session, booking.id)
    if booking.status is BookingStatus.CANCELLED:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    if not booking.remaining:
        raise AlreadyPaid
    if not 1 <= amount <= booking.remaining:
        raise BadAmount(least=1, most=booking.remaining)
    number = await _enter(session, booking, amount, shop=shop, now=now, actor=actor)
    bookings.note(session, booking, "cash", actor=actor, now=now, amount=amount)
    first = booking.status is BookingStatus.PENDING
    if first:
        await _confirm(session, booking, shop=shop, now=now, actor=actor)
    await invoices.issue(session, booking, shop=shop, now=now)
    await notices.cash_received(session, booking, amount, number=number, first=first, shop=shop, now=now)


async def _enter(
    session: AsyncSession, booking: Booking, amount: Money, *, shop: Shop, now: datetime, actor: str
) -> int:
    taken = select(func.count()).where(LedgerEntry.booking_id == booking.id, LedgerEntry.kind == "cash")
    number = (await session.scalar(taken) or 0) + 1
    await ledger.enter(
        session,
        booking,
        "cash",
        amount,
        reference=f"{booking.code}:{number}",
        order_id=None,
        transaction_id=None,
        method="cash",
        evidence={"taken_by": actor},
        shop=shop,
        now=now,
    )
    await payment_requests.void(session, booking, now=now)
    await payment_requests.refresh(session, booking)
    booking.paid_at = booking.paid_at or now
    return number


async def _confirm(session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime, actor: str) -> None:
    if not booking.holding:
        await bookings.hold_again(session, booking, shop=shop, now=now)
    booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
    bookings.note(session, booking, "confirmed", actor=actor, now=now)
