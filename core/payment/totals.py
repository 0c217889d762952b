"""A booking's totals: derived from its ledger entries, refunds and requests, and written nowhere else.

Code that changes one of these locks the booking first (`lock_booking`) and calls `update_totals` afterwards.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.db.tables import Booking, LedgerEntry, PaymentRequest, Refund
from core.money import Money
from core.states import BookingStatus, LedgerKind, PaymentStatus, RefundState, RequestState

OPEN_STATES = (RequestState.WANTED, RequestState.OPEN)


async def lock_booking(session: AsyncSession, booking_id: int) -> Booking:
    """The booking as it is now, with its lines and contact, its row locked until the transaction ends."""
    return (
        await session.scalars(
            select(Booking)
            .where(Booking.id == booking_id)
            .options(selectinload(Booking.lines), selectinload(Booking.contact))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one()


async def update_totals(session: AsyncSession, booking: Booking) -> None:
    """Update what a locked booking has paid, what is refunded or being refunded, and its payment status."""
    found = await session.execute(
        select(LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.at).where(LedgerEntry.booking_id == booking.id)
    )
    entries = found.all()
    done_at = booking.completed_at
    late = [each.amount for each in entries if each.kind is LedgerKind.REFUNDED and done_at and each.at >= done_at]
    booking.waived = -sum(late)
    states = await session.scalars(select(PaymentRequest.state).where(PaymentRequest.booking_id == booking.id))
    refunds = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.booking_id == booking.id, Refund.state != RefundState.DONE
    )
    booking.going_back = int(await session.scalar(refunds) or 0)  # PostgreSQL's sum of integers is a Decimal
    # A cancelled booking keeps its payment status until the money has gone back.
    going_back = 0 if booking.status is BookingStatus.CANCELLED else booking.going_back
    booking.paid_amount, booking.payment_status = paid_and_status(
        booking.total_price - booking.waived,
        [(each.kind, each.amount) for each in entries],
        set(states),
        going_back=going_back,
    )


def paid_and_status(
    total: Money,
    entries: Sequence[tuple[LedgerKind, Money]],
    requests: Collection[RequestState],
    *,
    going_back: Money = 0,
) -> tuple[Money, PaymentStatus]:
    """What has been paid, and the status: by the money if there is any, else by the state of the requests."""
    paid = max(0, sum(amount for _, amount in entries))
    if paid:
        return paid, PaymentStatus.PAID if paid - going_back >= total else PaymentStatus.DP_PAID
    if any(kind is LedgerKind.REFUNDED for kind, _ in entries):
        return 0, PaymentStatus.REFUNDED
    if not total:
        return 0, PaymentStatus.PAID
    ended = {RequestState.FAILED, RequestState.EXPIRED} & set(requests)
    reversed_ = bool(entries)
    if (ended or reversed_) and not set(OPEN_STATES) & set(requests):
        return 0, PaymentStatus.FAILED
    return 0, PaymentStatus.PENDING
