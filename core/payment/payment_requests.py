"""Requests for money, each with one Midtrans order_id and a payment link that a worker makes after the commit.

request ──> WANTED ── link_made ──> OPEN ──> PAID, FAILED, EXPIRED        (see settlement)
               └─ withdraw_requests ─> CANCELLED <─┘
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context, Work
from core.db.tables import Booking, PaymentRequest
from core.money import Money
from core.notices import booking_notices
from core.payment.payment_methods import channels
from core.payment.slot_regained import confirm_with_slot, has_lost_slot
from core.payment.totals import OPEN_STATES, lock_booking, update_totals
from core.pricing import trust
from core.pricing.prices import check_down_payment, down_payment
from core.refusals import AlreadyPaid, InvalidTransition
from core.schedule import bookings, obstacles
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, RequestPurpose, RequestState

_RECENT = timedelta(days=7)
"""Midtrans' longest time to pay."""


async def request(ctx: Context, booking: Booking, *, percent: int | None) -> PaymentRequest:
    """Ask for a down payment of `percent`, or (None) for all that remains.

    Returns the open request where there is one for the same amount; a link that failed is then retried at once.
    Where the slot is lost it is taken again: a booking that is paid in part is confirmed, any other holds the slot as
    long as the new link is open. Raises `InvalidTransition` (cancelled), `AlreadyPaid`, `BadDownPayment`,
    `MethodCannotPay`, what makes the booking impossible (`obstacles`), and what `bookings.hold_again` does.
    """
    await lock_booking(ctx.session, booking.id)
    if has_lost_slot(booking):
        await bookings.hold_again(ctx, booking)
        await confirm_with_slot(ctx, booking)
    if booking.status is BookingStatus.CANCELLED:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    if booking.holding and (impossible := await obstacles.of_booking(ctx, booking)):
        raise impossible
    amount = _amount(booking, ctx.shop, percent)
    able = channels(booking.payment_method, amount)
    if percent != booking.down_payment_percent:
        await trust.check_payment_terms(ctx, booking.customer_id, booking.payment_method, percent)
    for earlier in await _open_requests(ctx.session, booking):
        if (earlier.amount, earlier.channels) == (amount, able) and earlier.expires_at > ctx.now:
            # Skip the backoff of a link that failed. While a worker makes the link, the error is None.
            failed = (PaymentRequest.state == RequestState.WANTED, PaymentRequest.error.is_not(None))
            retry = update(PaymentRequest).where(PaymentRequest.order_id == earlier.order_id, *failed)
            await ctx.session.execute(retry.values(due_at=ctx.now))
            return earlier
    await withdraw_requests(ctx, booking)
    await _hold(ctx, booking)
    if not booking.paid_amount:
        booking.down_payment_percent = percent
    expires_at = booking.hold_until or ctx.now + ctx.shop.hold
    made = await add_request(ctx, booking, _purpose(booking, percent), amount, able, expires_at=expires_at)
    ctx.effects.work.add(Work.PAYMENTS)
    await update_totals(ctx.session, booking)
    return made


async def renew(ctx: Context, booking: Booking, *, method: PaymentMethod | None = None) -> PaymentRequest:
    """Ask for the same money by a new link, and close the one before; `method`: another way to pay.

    Raises what `request` does.
    """
    await lock_booking(ctx.session, booking.id)
    if method is not None:
        channels(method, _amount(booking, ctx.shop, _percent(booking)))
        booking.payment_method = method
    await withdraw_requests(ctx, booking)
    return await request(ctx, booking, percent=_percent(booking))


async def count_requests(session: AsyncSession, booking: Booking) -> int:
    """How often a booking's money was asked for, with the links that were closed."""
    made = select(func.count()).select_from(PaymentRequest).where(PaymentRequest.booking_id == booking.id)
    return await session.scalar(made) or 0


async def check_now(ctx: Context, customer_id: int) -> None:
    """Have Midtrans asked at once about the customer's links of the last days, also those that ended unpaid."""
    theirs = select(Booking.id).where(Booking.customer_id == customer_id).scalar_subquery()
    which = (
        PaymentRequest.booking_id.in_(theirs),
        PaymentRequest.state.in_((RequestState.OPEN, RequestState.FAILED, RequestState.EXPIRED)),
        PaymentRequest.token.is_not(None),
        PaymentRequest.created_at > ctx.now - _RECENT,
    )
    await ctx.session.execute(update(PaymentRequest).where(*which).values(due_at=ctx.now))
    ctx.effects.work.add(Work.PAYMENTS)


async def add_request(
    ctx: Context,
    booking: Booking,
    purpose: RequestPurpose,
    amount: Money,
    able: list[str],
    *,
    expires_at: datetime,
) -> PaymentRequest:
    """Add a request under the booking's next order_id; `able` are Midtrans' channels."""
    number = await count_requests(ctx.session, booking) + 1
    made = PaymentRequest(
        order_id=f"BOOKING-{ctx.shop.order_prefix}-{booking.code.replace('-', '')}-{number}",
        booking_id=booking.id,
        purpose=purpose,
        amount=amount,
        channels=able,
        created_at=ctx.now,
        expires_at=expires_at,
        due_at=ctx.now,
    )
    ctx.session.add(made)
    return made


async def withdraw_requests(ctx: Context, booking: Booking) -> bool:
    """Cancel a locked booking's open requests, a worker closes their links; False when there was none."""
    withdrawn = await _open_requests(ctx.session, booking)
    for each in withdrawn:
        each.state = RequestState.CANCELLED
        each.due_at = ctx.now if each.token else None
        ctx.effects.work.add(Work.PAYMENTS)
    return bool(withdrawn)


async def open_request(ctx: Context, booking: Booking) -> PaymentRequest | None:
    """The request whose link can be paid now."""
    return await ctx.session.scalar(
        select(PaymentRequest).where(
            PaymentRequest.booking_id == booking.id,
            PaymentRequest.state == RequestState.OPEN,
            PaymentRequest.expires_at > ctx.now,
        )
    )


async def end_holds(ctx: Context) -> None:
    """End the unpaid holds whose time is over; tell customers who pay in cash, since they have no link that expires."""
    for booking in await bookings.release_ended_holds(ctx):
        if booking.payment_method is PaymentMethod.COD and booking.starts_at <= ctx.now:
            await booking_notices.reservation_ended(ctx, booking)


def _amount(booking: Booking, shop: Shop, percent: int | None) -> Money:
    if not booking.remaining or (percent and booking.paid_amount):
        raise AlreadyPaid
    if percent is None:
        return booking.remaining
    if percent != booking.down_payment_percent:  # what was agreed at booking stays allowed
        check_down_payment(percent, shop)
    return down_payment(booking.total_price, percent)


def _percent(booking: Booking) -> int | None:
    """The down payment that was agreed, until something is paid."""
    return None if booking.paid_amount else booking.down_payment_percent


def _purpose(booking: Booking, percent: int | None) -> RequestPurpose:
    if percent is not None:
        return RequestPurpose.DOWN_PAYMENT
    return RequestPurpose.BALANCE if booking.paid_amount else RequestPurpose.FULL


async def _open_requests(session: AsyncSession, booking: Booking) -> Sequence[PaymentRequest]:
    found = await session.scalars(
        select(PaymentRequest).where(PaymentRequest.booking_id == booking.id, PaymentRequest.state.in_(OPEN_STATES))
    )
    return found.all()


async def _hold(ctx: Context, booking: Booking) -> None:
    for_good = booking.holding and booking.hold_until is None
    if for_good or booking.status is not BookingStatus.PENDING:
        return
    if not booking.holding or (booking.hold_until is not None and booking.hold_until <= ctx.now):
        await bookings.hold_again(ctx, booking)
    # A new link, a new hold: they end together.
    booking.hold_until = ctx.shop.hold_end(booking.starts_at, ctx.now)
