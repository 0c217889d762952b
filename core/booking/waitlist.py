"""The waiting list: a whole order waits for what is taken now; what frees is offered to the first who can use it.

    join ──> WAITING ── offer ──> OFFERED ── take ──> TAKEN        an offer is a booking that is held for some minutes
                │                    └── pass_on, no answer ──> ENDED
                └── leave, its start has come ──> ENDED

Who can be offered something, and why nobody comes before him, is told in `line`. Each offer, and each end, is a
transaction of its own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import leave_work, one_at_a_time
from core.db.tables import Booking, Contact, Waiting
from core.messaging import outbox
from core.messaging.messages import Message, Option, Say, message, say
from core.notices import booking_notices, cards
from core.notices.tell import tell
from core.payment import payment_requests
from core.refusals import (
    AlreadyWaiting,
    InsufficientStock,
    InvalidTransition,
    NotFound,
    Refusal,
    SlotFull,
    TechnicianBusy,
    TooManyWaits,
)
from core.schedule import bookings, holds, waitlist_priority
from core.schedule.occupancy import IS_WAITING
from core.schedule.orders import Order
from core.states import BookingStatus, PaymentMethod, WaitState

BATCH = 50
"""How many ended waits are seen to before the next offers."""
SCARCE = (SlotFull, TechnicianBusy, InsufficientStock)
"""What can be waited for."""
_ORDERS = TypeAdapter(Order)


async def join(
    ctx: Context, order: Order, *, customer_id: int, contact_id: int | None, language: str, code: str
) -> Waiting:
    """Stand in the line for an order, at its end; nothing is held and nothing is to be paid.

    `code` is what its booking will be called. Raises `AlreadyWaiting`, `TooManyWaits`, and what booking it would,
    but for what can be waited for.
    """
    await one_at_a_time(ctx.session, f"waiting of customer {customer_id}")
    own = await of_customer(ctx.session, customer_id)
    if any(each.starts_at == order.starts_at for each in own):
        raise AlreadyWaiting(at=ctx.shop.local(order.starts_at))
    if len(own) >= ctx.shop.max_waits:
        raise TooManyWaits(most=ctx.shop.max_waits)
    needs = await bookings.needs_of(ctx, order, customer_id=customer_id)
    wait = Waiting(
        booking_code=code,
        customer_id=customer_id,
        contact_id=contact_id,
        language=language,
        starts_at=order.starts_at,
        order=_ORDERS.dump_python(order, mode="json") | {"total": needs.quote.total},
        state=WaitState.WAITING,
        created_at=ctx.now,
    )
    ctx.session.add(wait)
    await ctx.session.flush()
    leave_work(ctx.session, holds.WAITING)
    return wait


async def ahead_of(session: AsyncSession, wait: Waiting) -> int:
    """How many wait for the same start and came before."""
    before = (IS_WAITING, Waiting.starts_at == wait.starts_at, Waiting.id < wait.id)
    return await session.scalar(select(func.count(Waiting.id)).where(*before)) or 0


async def of_customer(session: AsyncSession, customer_id: int) -> Sequence[Waiting]:
    """The customer's places in the line, the nearest start first."""
    own = select(Waiting).where(Waiting.customer_id == customer_id, Waiting.state == WaitState.WAITING)
    return (await session.scalars(own.order_by(Waiting.starts_at))).all()


async def leave(session: AsyncSession, code: str, *, customer_id: int) -> Waiting:
    """Leave the line; raises `NotFound` where the customer doesn't stand there (any more)."""
    wait = await _locked(session, Waiting.booking_code == code)
    if wait is None or wait.customer_id != customer_id or wait.state is not WaitState.WAITING:
        raise NotFound
    wait.state = WaitState.ENDED
    return wait


# --- offers ----------------------------------------------------------------------------------------


async def due(ctx: Context) -> list[int]:
    """The places in the line that can be offered what they wait for now, first come first; it only reads."""
    wishes = await waitlist_priority.read(ctx)
    return [wish.id for wish in await waitlist_priority.servable(ctx, wishes)]


async def offer(ctx: Context, wait_id: int) -> bool:
    """Hold for a place in the line what it waits for, and tell the customer; False where somebody else has it now.

    An order that can't be booked for another reason leaves the line, and the customer is told.
    """
    wait = await _locked(ctx.session, Waiting.id == wait_id)
    if wait is None or wait.state is not WaitState.WAITING:
        return False
    try:
        async with ctx.session.begin_nested():
            booking = await _book(ctx, wait)
    except SCARCE:
        return False
    except Refusal as why:
        wait.state = WaitState.ENDED
        told = message(say("waiting.impossible", at=ctx.shop.local(wait.starts_at), why=_why(why)), options=(_TO_BOOK,))
        await _tell(ctx, wait, told, key=f"wait-impossible:{wait.booking_code}")
        return True
    until = min(ctx.now + timedelta(minutes=ctx.shop.offer_minutes), booking.starts_at)
    wait.state, wait.offered_until, booking.hold_until = WaitState.OFFERED, until, until
    key = f"offer:{booking.code}"
    await tell(ctx, booking, key, chat=await _invitation(ctx, wait, booking), until=until)
    return True


async def take(ctx: Context, booking: Booking, *, starts_at: datetime | None = None) -> None:
    """The customer takes what was offered (late: if it is still free), at another start where one is named.

    Raises `NotFound` (never offered), `InvalidTransition` (passed on, or taken and paid or confirmed), and what
    `bookings.hold_again` or `bookings.reschedule` refuses when others have it.
    """
    booking, wait = await _undecided(ctx.session, booking, then=BookingStatus.CONFIRMED)
    if starts_at is None or (starts_at == booking.starts_at and booking.holding):
        await bookings.hold_again(ctx, booking)
    else:
        named = booking.technician_id
        actor = bookings.CUSTOMER
        await bookings.reschedule(ctx, booking, starts_at, technician_id=named, actor=actor)
    wait.state = WaitState.TAKEN
    if booking.payment_method is not PaymentMethod.COD:
        await payment_requests.request(ctx, booking, percent=booking.down_payment_percent)
    await booking_notices.booked(ctx, booking)


async def pass_on(ctx: Context, booking: Booking) -> None:
    """The customer doesn't want what was offered: it is free for the next, and a link that was asked for is closed.

    Raises `NotFound`, and `InvalidTransition` once it is taken, paid or confirmed.
    """
    booking, wait = await _undecided(ctx.session, booking, then=BookingStatus.CANCELLED)
    if wait.state is WaitState.TAKEN:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    wait.state = WaitState.ENDED
    await bookings.cancel(ctx, booking, reason="waiting", actor=bookings.CUSTOMER)
    await payment_requests.void(ctx, booking)


async def join_again(ctx: Context, booking: Booking, *, code: str) -> Waiting:
    """Who was offered something, and too late, stands at the end of the line; raises what `join` and `pass_on` do."""
    await pass_on(ctx, booking)
    before = await _offered(ctx.session, booking)
    return await join(
        ctx,
        _order(before),
        customer_id=before.customer_id,
        contact_id=before.contact_id,
        language=before.language,
        code=code,
    )


# --- ends ------------------------------------------------------------------------------------------


async def over(ctx: Context) -> list[int]:
    """The places in the line whose offer nobody answered, and those whose time has come; it only reads."""
    queries = (_unanswered(ctx.now), _too_late(ctx))
    return [each for query in queries for each in await ctx.session.scalars(query.limit(BATCH))]


async def end(ctx: Context, wait_id: int) -> None:
    """End an offer that nobody answered, or a wait whose time has come; the customer is told once."""
    wait = await ctx.session.get_one(Waiting, wait_id)
    if wait.state is WaitState.OFFERED:
        await _end_offer(ctx, wait)
    else:
        await _end_wait(ctx, wait)


async def _end_offer(ctx: Context, wait: Waiting) -> None:
    """What became of an offer whose minutes are over: by its link it may have been taken without a word."""
    offered = await ctx.session.scalars(select(Booking.id).where(Booking.code == wait.booking_code))
    booking = await payment_requests.locked(ctx.session, offered.one())
    wait = await _offered(ctx.session, booking)
    if wait.state is not WaitState.OFFERED:  # answered just now
        return
    wait.state = WaitState.ENDED
    if booking.status is BookingStatus.CANCELLED:
        return
    if booking.paid_amount or (booking.holding and (booking.hold_until is None or booking.hold_until > ctx.now)):
        wait.state = WaitState.TAKEN
        await booking_notices.booked(ctx, booking)
        return
    told = message(
        say("waiting.unanswered", name=booking.name, at=ctx.shop.local(booking.starts_at)),
        options=(Option(f"wait-take:{booking.code}", say("waiting.option.still")), _TO_BOOK),
    )
    await tell(ctx, booking, f"offer-over:{booking.code}", chat=told)
    if held := await holds.ended(ctx):
        await holds.exchange(ctx.session, leaving=held)


async def _end_wait(ctx: Context, wait: Waiting) -> None:
    still = await _locked(ctx.session, Waiting.id == wait.id)
    if still is None or still.state is not WaitState.WAITING:  # left, or offered just now
        return
    still.state = WaitState.ENDED
    told = message(say("waiting.over", at=ctx.shop.local(still.starts_at)), options=(_TO_BOOK,))
    await _tell(ctx, still, told, key=f"wait-over:{still.booking_code}")


def _unanswered(now: datetime) -> Select[int]:
    return select(Waiting.id).where(text("waiting.state = 'offered'"), Waiting.offered_until <= now)


def _too_late(ctx: Context) -> Select[int]:
    return select(Waiting.id).where(
        IS_WAITING, Waiting.starts_at < ctx.now + timedelta(minutes=ctx.shop.book_notice_minutes)
    )


# --- a place in the line ---------------------------------------------------------------------------


async def _locked(session: AsyncSession, which: ColumnElement[bool]) -> Waiting | None:
    query = select(Waiting).where(which).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def _offered(session: AsyncSession, booking: Booking) -> Waiting:
    wait = await _locked(session, Waiting.booking_code == booking.code)
    if wait is None:
        raise NotFound
    return wait


async def _undecided(session: AsyncSession, booking: Booking, *, then: BookingStatus) -> tuple[Booking, Waiting]:
    """An offered booking and its place in the line, locked; its button may be old, and money or staff have decided since."""
    booking = await payment_requests.locked(session, booking.id)
    wait = await _offered(session, booking)
    if booking.status is not BookingStatus.PENDING or booking.paid_amount:
        raise InvalidTransition(now=booking.status, then=then)
    return booking, wait


async def _book(ctx: Context, wait: Waiting) -> Booking:
    return await bookings.book(
        ctx,
        _order(wait),
        customer_id=wait.customer_id,
        contact_id=wait.contact_id,
        language=wait.language,
        code=wait.booking_code,
        waited=wait.id,
    )


def _order(wait: Waiting) -> Order:
    return _ORDERS.validate_python({name: value for name, value in wait.order.items() if name != "total"})


async def _invitation(ctx: Context, wait: Waiting, booking: Booking) -> Message:
    was, total = wait.order["total"], booking.total_price
    return message(
        say("waiting.offer", name=booking.name, until=ctx.shop.local(booking.hold_until or booking.starts_at)),
        cards.block(await cards.job_facts(ctx, booking)),
        *([say("waiting.price_changed", was=was, total=total)] if was != total else []),
        options=(
            Option(f"wait-take:{booking.code}", say("waiting.option.take")),
            Option(f"wait-pass:{booking.code}", say("waiting.option.pass")),
        ),
    )


async def _tell(ctx: Context, wait: Waiting, letter: Message, *, key: str) -> None:
    """Write to the chat of somebody who has no booking yet."""
    if wait.contact_id is None:
        return
    contact = await ctx.session.get_one(Contact, wait.contact_id)
    await outbox.enqueue(
        ctx.session,
        key=key,
        channel=contact.channel,
        address=contact.address,
        language=wait.language,
        message=letter,
        now=ctx.now,
        kind="notice",
    )


def _why(refusal: Refusal) -> Say:
    return say(f"refusal.{refusal.code}", **refusal.params)


_TO_BOOK = Option("book", say("option.book"))
