"""Asking for money: requests, their links, and where a booking's money stands.

    request ──> WANTED ── link_made ──> OPEN ──> PAID, FAILED, EXPIRED        (see settlement)
                   └── void ──> CANCELLED <── void ──┘

A request is one Midtrans order_id; the link is made by a worker after the commit, so no transaction
waits for the network. What a booking has paid is never written by hand: `refresh` derives it from
the ledger's entries.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Executable, Integer, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.context import Context, Work
from core.db.tables import Booking, BookingEvent, LedgerEntry, Moment, PaymentRequest, Refund
from core.messaging.backoff import retry_at
from core.messaging.messages import say
from core.money import Money
from core.notices import booking_notices, payment_notices
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment.payment_methods import channels
from core.pricing import trust
from core.pricing.prices import check_down_payment, down_payment
from core.refusals import AlreadyPaid, InvalidTransition
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, PaymentStatus, RefundState, RequestState

LEASE = timedelta(seconds=30)
"""How long a worker that took a request has it to itself."""
LOOK_EVERY = timedelta(minutes=10)
"""How often Midtrans is asked about an open link, lest a notification was lost."""
ALIVE = (RequestState.WANTED, RequestState.OPEN)


async def request(ctx: Context, booking: Booking, *, percent: int | None) -> PaymentRequest:
    """Ask for a down payment of `percent`, or (None) for all that remains; the same again while its link lives.

    A booking whose hold has ended is held again first. Raises `InvalidTransition` (cancelled), `AlreadyPaid`,
    `BadDownPayment`, `MethodCannotPay`, and what `bookings.hold_again` refuses.
    """
    await locked(ctx.session, booking.id)
    if booking.status is BookingStatus.CANCELLED:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    amount = _amount(booking, ctx.shop, percent)
    able = channels(booking.payment_method, amount)
    if percent != booking.down_payment_percent:  # what was agreed when it was booked stands
        await trust.check_payment_terms(ctx, booking.customer_id, booking.payment_method, percent)
    for alive in await _alive(ctx.session, booking):
        if (alive.amount, alive.channels) == (amount, able) and alive.expires_at > ctx.now:
            return alive
    await void(ctx, booking)
    await _hold(ctx, booking)
    if not booking.paid_amount:
        booking.down_payment_percent = percent
    made = PaymentRequest(
        order_id=await _next_order_id(ctx, booking),
        booking_id=booking.id,
        purpose=_purpose(booking, percent),
        amount=amount,
        channels=able,
        created_at=ctx.now,
        expires_at=booking.hold_until or ctx.now + ctx.shop.hold,
        due_at=ctx.now,
    )
    ctx.session.add(made)
    ctx.effects.work.add(Work.PAYMENTS)
    await refresh(ctx.session, booking)
    return made


async def void(ctx: Context, booking: Booking) -> None:
    """Withdraw what is asked for (another amount, or the booking was cancelled); a worker closes the links."""
    for alive in await _alive(ctx.session, booking):
        alive.state = RequestState.CANCELLED
        alive.due_at = ctx.now if alive.token else None
        ctx.effects.work.add(Work.PAYMENTS)


async def hurry(ctx: Context, order_id: str) -> None:
    """Somebody waits for the link: a pause after a failure isn't sat out; a worker who makes it now is left alone."""
    paused = (PaymentRequest.state == RequestState.WANTED, PaymentRequest.error.is_not(None))
    await ctx.session.execute(
        update(PaymentRequest).where(PaymentRequest.order_id == order_id, *paused).values(due_at=ctx.now)
    )


async def end_holds(ctx: Context) -> None:
    """End the unpaid holds whose time is over; who was to pay in cash, and has no link that ends, is told."""
    for booking in await bookings.release_ended_holds(ctx):
        if booking.payment_method is PaymentMethod.COD and booking.starts_at <= ctx.now:
            await booking_notices.reservation_ended(ctx, booking)


async def open_request(ctx: Context, booking: Booking) -> PaymentRequest | None:
    """The request whose link lives now, if there is one."""
    return await ctx.session.scalar(
        select(PaymentRequest).where(
            PaymentRequest.booking_id == booking.id,
            PaymentRequest.state == RequestState.OPEN,
            PaymentRequest.expires_at > ctx.now,
        )
    )


@dataclass(frozen=True, slots=True)
class Task:
    """A request that a worker must look at, with its booking and its lines."""

    request: PaymentRequest
    booking: Booking


async def claim(session: AsyncSession, *, now: datetime, limit: int) -> list[Task]:
    """Take the requests that are due (a link to make or to close, a time that ran out) for `LEASE`."""
    claimed = await session.scalars(_CLAIM, {"now": now, "leased_until": now + LEASE, "most": limit})
    requests = claimed.all()
    if not requests:
        return []
    found = await session.scalars(
        select(Booking)
        .where(Booking.id.in_([each.booking_id for each in requests]))
        .options(selectinload(Booking.lines))
    )
    by_id = {booking.id: booking for booking in found}
    return [Task(each, by_id[each.booking_id]) for each in requests]


async def link_made(ctx: Context, order_id: str, *, token: str, url: str) -> None:
    """The link exists: the customer gets it, unless nobody asks for that money any more (then it is closed).

    Where there was one already, two workers made it: the older died at Midtrans, so the newer is sent, too.
    """
    made, booking = await locked_request(ctx.session, order_id)
    before = made.url
    made.token, made.url, made.attempts, made.error = token, url, 0, None
    if booking.status is BookingStatus.CANCELLED and made.state in ALIVE:
        made.state = RequestState.CANCELLED
    if made.state is RequestState.CANCELLED:
        made.due_at = ctx.now
    if made.state not in ALIVE or url == before:
        return
    made.state, made.due_at = RequestState.OPEN, next_look(made, ctx.now)
    ctx.session.add(
        BookingEvent(booking_id=booking.id, at=ctx.now, kind="link_sent", actor="system", detail={"order_id": order_id})
    )
    again = f":{token}" if before else ""
    await payment_notices.pay_here(ctx, booking, made, url=url, key=f"link:{order_id}{again}")


async def link_failed(
    ctx: Context, order_id: str, *, reason: str, refused: bool, jitter: float, after: timedelta | None = None
) -> None:
    """The link couldn't be made yet: it is tried again, the hold stays, the customer is told once.

    `refused`: Midtrans understood and said no, so a person must look; it is tried all the same until the time ends.
    """
    wanted, booking = await locked_request(ctx.session, order_id)
    if wanted.state is not RequestState.WANTED:
        _nothing_to_close(wanted)
        return
    wanted.attempts += 1
    wanted.error = reason
    wanted.due_at = min(retry_at(wanted.attempts, ctx.now, jitter=jitter, after=after), max(wanted.expires_at, ctx.now))
    await payment_notices.link_late(ctx, booking, wanted)
    if refused:
        what = say("staff.link_refused", order_id=order_id, reason=reason)
        await tell(ctx, booking, f"link-refused:{order_id}", admins=alert(booking, what))


async def renumber(ctx: Context, order_id: str) -> None:
    """Midtrans knows this order_id already (a restored database): ask under the next one."""
    used, booking = await locked_request(ctx.session, order_id)
    if used.state is not RequestState.WANTED:
        _nothing_to_close(used)
        return
    used.state, used.due_at, used.error = RequestState.CANCELLED, None, "order_id already used"
    ctx.session.add(
        PaymentRequest(
            order_id=await _next_order_id(ctx, booking),
            booking_id=booking.id,
            purpose=used.purpose,
            amount=used.amount,
            channels=used.channels,
            created_at=ctx.now,
            expires_at=used.expires_at,
            due_at=ctx.now,
        )
    )


def _nothing_to_close(request: PaymentRequest) -> None:
    """Of a request that was withdrawn before it had a link nothing is left to do; any other has its own time."""
    if request.state is RequestState.CANCELLED and request.token is None:
        request.due_at = None


async def link_closed(session: AsyncSession, order_id: str) -> None:
    """The link of a withdrawn request is closed: nothing left to do."""
    await session.execute(update(PaymentRequest).where(PaymentRequest.order_id == order_id).values(due_at=None))


async def look_again(
    session: AsyncSession, order_id: str, *, reason: str, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Midtrans didn't answer about a link to close or a time that ran out: ask again later."""
    asked = await session.get_one(PaymentRequest, order_id)
    asked.attempts += 1
    asked.error = reason
    asked.due_at = retry_at(asked.attempts, now, jitter=jitter, after=after)


def next_look(request: PaymentRequest, now: datetime) -> datetime:
    """When to ask Midtrans about an open link again: now and then, and when its time runs out."""
    return min(request.expires_at, now + LOOK_EVERY)


async def refresh(session: AsyncSession, booking: Booking) -> None:
    """Derive what is paid, what is going back and the status from ledger, refunds and requests; nobody else writes them."""
    entries = await session.execute(
        select(LedgerEntry.kind, LedgerEntry.amount).where(LedgerEntry.booking_id == booking.id)
    )
    states = await session.scalars(select(PaymentRequest.state).where(PaymentRequest.booking_id == booking.id))
    booking.going_back = await _owed_back(session, booking)
    # What a cancelled booking was paid keeps its name until the money has gone.
    given_up = 0 if booking.status is BookingStatus.CANCELLED else booking.going_back
    booking.paid_amount, booking.payment_status = standing(
        booking.total_price, entries.all(), set(states), going_back=given_up
    )


def standing(
    total: Money, entries: Sequence[tuple[str, Money]], requests: Collection[RequestState], *, going_back: Money = 0
) -> tuple[Money, PaymentStatus]:
    """What has been paid, and the status that follows: from the money first, then from what became of the requests."""
    received = max(0, sum(amount for _, amount in entries))
    if received:
        return received, PaymentStatus.PAID if received - going_back >= total else PaymentStatus.DP_PAID
    if any(kind == "refunded" for kind, _ in entries):
        return 0, PaymentStatus.REFUNDED
    ended = {RequestState.FAILED, RequestState.EXPIRED} & set(requests)
    reversed_ = bool(entries)
    if (ended or reversed_) and not set(ALIVE) & set(requests):
        return 0, PaymentStatus.FAILED
    return 0, PaymentStatus.PENDING


async def _owed_back(session: AsyncSession, booking: Booking) -> Money:
    owed = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.booking_id == booking.id, Refund.state != RefundState.DONE
    )
    return int(await session.scalar(owed) or 0)  # PostgreSQL adds whole numbers up to a decimal


async def locked(session: AsyncSession, booking_id: int) -> Booking:
    """The booking with its lines and contact, as it stands now, its row locked until the transaction ends."""
    return (
        await session.scalars(
            select(Booking)
            .where(Booking.id == booking_id)
            .options(selectinload(Booking.lines), selectinload(Booking.contact))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one()


async def locked_request(session: AsyncSession, order_id: str) -> tuple[PaymentRequest, Booking]:
    """A request and its booking as they stand now, to be written: somebody may have withdrawn it while Midtrans was asked."""
    request = await session.get_one(PaymentRequest, order_id)
    booking = await locked(session, request.booking_id)
    await session.refresh(request)
    return request, booking


async def _alive(session: AsyncSession, booking: Booking) -> Sequence[PaymentRequest]:
    found = await session.scalars(
        select(PaymentRequest).where(PaymentRequest.booking_id == booking.id, PaymentRequest.state.in_(ALIVE))
    )
    return found.all()


def _amount(booking: Booking, shop: Shop, percent: int | None) -> Money:
    if not booking.remaining or (percent and booking.paid_amount):
        raise AlreadyPaid
    if percent is None:
        return booking.remaining
    check_down_payment(percent, shop)
    return down_payment(booking.total_price, percent)


def _purpose(booking: Booking, percent: int | None) -> str:
    if percent is not None:
        return "down_payment"
    return "balance" if booking.paid_amount else "full"


async def _hold(ctx: Context, booking: Booking) -> None:
    for_good = booking.holding and booking.hold_until is None
    if for_good or booking.status is not BookingStatus.PENDING:
        return
    if not booking.holding or (booking.hold_until is not None and booking.hold_until <= ctx.now):
        await bookings.hold_again(ctx, booking)
    # A new link, a new hold: they end together.
    booking.hold_until = ctx.shop.hold_end(booking.starts_at, ctx.now)


async def _next_order_id(ctx: Context, booking: Booking) -> str:
    before = await ctx.session.scalar(
        select(func.count()).select_from(PaymentRequest).where(PaymentRequest.booking_id == booking.id)
    )
    return f"BOOKING-{ctx.shop.order_prefix}-{booking.code.replace('-', '')}-{(before or 0) + 1}"


def _claim_statement() -> Executable:
    due = (
        select(PaymentRequest.order_id)
        .where(PaymentRequest.due_at <= bindparam("now", type_=Moment()))
        .order_by(PaymentRequest.due_at)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(PaymentRequest)
        .where(PaymentRequest.order_id.in_(select(due.c.order_id)))
        .values(due_at=bindparam("leased_until", type_=Moment()), error=None)
        .returning(PaymentRequest)
        .execution_options(synchronize_session=False)
    )


_CLAIM = _claim_statement()
"""Built once, as the outbox's is."""
