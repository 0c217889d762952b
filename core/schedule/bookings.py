"""A booking's life: book, hold again, reschedule, cancel, release; see `states` for the moves.

    book ──> pending, holding until the payment link ends ──> paid or confirmed: holding for good
               │ hold ends unpaid: places given back, payment failed
               └──> hold_again on a retry or late money

Core never commits; a refusal leaves it to whoever catches it to roll back (`holds`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from core.context import Context
from core.db.database import one_at_a_time
from core.db.tables import Booking, BookingEvent, Contact, Seat, Service
from core.messaging import outbox
from core.pricing.quotes import quote_for
from core.refusals import (
    InThePast,
    InvalidTransition,
    NotFound,
    TooManyUnpaid,
)
from core.schedule import holds, slots, waitlist_priority
from core.schedule.availability import (
    SlotLoad,
    day_load,
    free_technicians,
    nearest_free,
    open_days,
    why_closed,
)
from core.schedule.orders import Order, booking_of, needs_of, place, technician_for
from core.schedule.waitlist_priority import Claim
from core.states import Actor, BookingStatus, EventKind, PaymentMethod, PaymentStatus, check_move

__all__ = [
    "Order",
    "SlotLoad",
    "book",
    "cancel",
    "day_load",
    "free_technicians",
    "hold_again",
    "load",
    "loaded",
    "nearest_free",
    "needs_of",
    "note",
    "of_customer",
    "open_days",
    "own",
    "place",
    "quote_for",
    "release_ended_holds",
    "reschedule",
    "skills_of",
    "why_closed",
]

CUSTOMER, SYSTEM = Actor.CUSTOMER, Actor.SYSTEM


async def book(
    ctx: Context,
    order: Order,
    *,
    customer_id: int,
    contact_id: int | None,
    language: str,
    code: str,
    waited: int | None = None,
) -> Booking:
    """Make a pending booking that holds its seats, technician and parts, at the prices of now.

    `waited`: it is offered to that place in the line, so who stands behind it doesn't count, nor how many bookings
    the customer has to pay. Raises a `Refusal`, of nearly any kind.
    """
    if waited is None:
        await _check_unpaid(ctx, customer_id)
    needs = await needs_of(ctx, order, customer_id=customer_id)
    booking = booking_of(order, needs.quote, customer_id=customer_id, language=language, now=ctx.now, code=code)
    booking.technician = needs.technician
    booking.contact = await ctx.session.get(Contact, contact_id) if contact_id is not None else None
    booking.hold_until = _hold_until(ctx, booking)
    ended = await holds.ended(ctx)
    ctx.session.add(booking)
    await ctx.session.flush()
    await holds.exchange(ctx.session, leaving=ended, entering=booking, cells=needs.cells, cap=needs.day.cap)
    if needs.day.line:
        await waitlist_priority.check(ctx, _claim(booking, needs.cells), before=waited)
    note(ctx, booking, EventKind.CREATED, actor=CUSTOMER)
    return booking


async def hold_again(ctx: Context, booking: Booking) -> None:
    """Hold a pending booking's places anew, for a retry of its payment or for money that came late.

    Places that it still has are kept for another while; else they are taken as `book` does.
    Raises `InvalidTransition`, `InThePast`, `OutsideHours`, `SlotFull`, `TechnicianBusy`, `InsufficientStock`.
    """
    await _lock(ctx.session, booking)
    check_move(booking.status, BookingStatus.CONFIRMED)
    if booking.starts_at <= ctx.now:
        raise InThePast
    if not booking.holding:
        cells, day = await place(ctx, booking.starts_at, booking.minutes)
        technician_for(day, booking.technician_id, frozenset())
        ended = await holds.ended(ctx)
        await holds.exchange(ctx.session, leaving=ended, entering=booking, cells=cells, cap=day.cap)
        if day.line:
            await waitlist_priority.check(ctx, _claim(booking, cells), before=None)
    booking.hold_until = _hold_until(ctx, booking)
    if booking.payment_status is PaymentStatus.FAILED:
        booking.payment_status = PaymentStatus.PENDING
    note(ctx, booking, EventKind.HELD_AGAIN, actor=SYSTEM)


async def reschedule(
    ctx: Context, booking: Booking, starts_at: datetime, *, technician_id: str | None, actor: str
) -> None:
    """Move a booking that nobody works on yet to another start, another technician or both; its payment stays.

    Its reminders are dropped. Raises `InvalidTransition`, `InThePast`, `TooFarAhead`, `OutsideHours`,
    `SlotFull`, `TechnicianBusy`; and `InsufficientStock` when its hold had ended.
    """
    await _lock(ctx.session, booking)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    cells, day = await place(ctx, starts_at, booking.minutes)
    slots.check_start(starts_at, ctx.now, ctx.shop)
    skills = await skills_of(ctx.session, booking)
    technician = technician_for(day, technician_id, skills)
    was = {"starts_at": booking.starts_at.isoformat(), "technician_id": booking.technician_id}
    leaving = {one.id: one for one in await holds.ended(ctx)}
    held = booking.holding and booking.id not in leaving
    if booking.holding:
        leaving[booking.id] = booking
    booking.starts_at, booking.technician = starts_at, technician
    if not held or (booking.hold_until and booking.payment_method is PaymentMethod.COD):
        booking.hold_until = _hold_until(ctx, booking)
    await ctx.session.flush()
    own = await _cells(ctx.session, booking) if held and day.line else []
    await holds.exchange(ctx.session, leaving=list(leaving.values()), entering=booking, cells=cells, cap=day.cap)
    if day.line:
        claim = _claim(booking, cells, besides=own, with_parts=not held)
        await waitlist_priority.check(ctx, claim, before=None)
    await outbox.drop(ctx.session, booking.id)
    note(ctx, booking, EventKind.MOVED, actor=actor, **was)


async def cancel(ctx: Context, booking: Booking, *, reason: str, actor: str) -> None:
    """Cancel a booking, give its places back and drop its reminders; customers only until work starts.

    Money and payment links are `payments`' to see to. Raises `InvalidTransition`.
    """
    await _lock(ctx.session, booking)
    check_move(booking.status, BookingStatus.CANCELLED)
    if actor == CUSTOMER and booking.status is BookingStatus.IN_PROGRESS:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    if booking.holding:
        await holds.exchange(ctx.session, leaving=[booking])
    booking.status = BookingStatus.CANCELLED
    booking.hold_until = None
    booking.cancelled_at, booking.cancellation_reason = ctx.now, reason
    await outbox.drop(ctx.session, booking.id)
    note(ctx, booking, EventKind.CANCELLED, actor=actor, reason=reason)


async def release_ended_holds(ctx: Context) -> list[Booking]:
    """End the unpaid holds whose time is over: places given back, payment failed, still pending for a retry.

    Answers these bookings, loaded as by `load`, so that their customers can be told.
    """
    if held := await holds.ended(ctx):
        await holds.exchange(ctx.session, leaving=held)
    # Some had their places given to a rival before; for them only the word is left to say.
    query = loaded().where(Booking.hold_until <= ctx.now, ~Booking.holding)
    over = list(await ctx.session.scalars(query.with_for_update(of=Booking, skip_locked=True, key_share=True)))
    for booking in over:
        booking.hold_until = None
        if not booking.paid_amount:  # money of another amount than was asked for doesn't vanish with the hold
            booking.payment_status = PaymentStatus.FAILED
        note(ctx, booking, EventKind.HOLD_ENDED, actor=SYSTEM)
    return sorted(over, key=lambda booking: booking.id)


async def load(session: AsyncSession, *, code: str | None = None, booking_id: int | None = None) -> Booking:
    """One booking with its lines, technician and contact; raises `NotFound`."""
    which = Booking.code == code if code is not None else Booking.id == booking_id
    booking = await session.scalar(loaded().where(which))
    if booking is None:
        raise NotFound
    return booking


async def own(session: AsyncSession, code: str, *, customer_id: int) -> Booking:
    """A customer's own booking; raises `NotFound` for one of anybody else."""
    booking = await load(session, code=code)
    if booking.customer_id != customer_id:
        raise NotFound
    return booking


async def of_customer(session: AsyncSession, customer_id: int, *, limit: int = 10, offset: int = 0) -> list[Booking]:
    """A customer's bookings, newest first, loaded as by `load`."""
    newest = loaded().where(Booking.customer_id == customer_id).order_by(Booking.created_at.desc(), Booking.id.desc())
    return list(await session.scalars(newest.limit(limit).offset(offset)))


def loaded() -> Select[Booking]:
    """Bookings with their lines, technician and contact."""
    return (
        select(Booking)
        .options(selectinload(Booking.lines), joinedload(Booking.technician), joinedload(Booking.contact))
        .execution_options(populate_existing=True)
    )


async def _check_unpaid(ctx: Context, customer_id: int) -> None:
    await one_at_a_time(ctx.session, f"booking for customer {customer_id}")
    query = select(func.count()).where(Booking.customer_id == customer_id, Booking.hold_until > ctx.now)
    if (await ctx.session.scalar(query) or 0) >= ctx.shop.max_unpaid_bookings:
        raise TooManyUnpaid(most=ctx.shop.max_unpaid_bookings)


def _hold_until(ctx: Context, booking: Booking) -> datetime | None:
    if booking.paid_amount > 0:
        return None
    # Cash comes with the car; until then staff can confirm the booking.
    if booking.payment_method is PaymentMethod.COD:
        return booking.starts_at
    return ctx.shop.hold_end(booking.starts_at, ctx.now)


def _claim(
    booking: Booking, cells: Collection[datetime], *, besides: Collection[datetime] = (), with_parts: bool = True
) -> Claim:
    """What a booking has just taken, but for what was its own before."""
    return Claim(
        cells=frozenset(cells) - frozenset(besides),
        technician_id=booking.technician_id,
        parts=holds.parts_of(booking) if with_parts else {},
    )


async def _cells(session: AsyncSession, booking: Booking) -> Sequence[datetime]:
    return (await session.scalars(select(Seat.starts_at).where(Seat.booking_id == booking.id))).all()


async def skills_of(session: AsyncSession, booking: Booking) -> frozenset[str]:
    """What a technician must be able to do for all of a booking's services."""
    services = [line.service_id for line in booking.lines if line.service_id]
    return frozenset(
        skill for skill in await session.scalars(select(Service.skill).where(Service.id.in_(services))) if skill
    )


async def _lock(session: AsyncSession, booking: Booking) -> None:
    """See the booking as it is now, and be the only one who changes it until the transaction ends."""
    await session.flush()  # a refresh would undo what this transaction hasn't written yet
    fresh = [
        "status",
        "payment_status",
        "paid_amount",
        "going_back",
        "starts_at",
        "technician_id",
        "hold_until",
        "holding",
    ]
    await session.refresh(booking, fresh, with_for_update={"key_share": True})


def note(ctx: Context, booking: Booking, kind: EventKind, *, actor: str, **detail: Any) -> None:
    """Put something that happened on a booking's time line."""
    ctx.session.add(BookingEvent(booking_id=booking.id, at=ctx.now, kind=kind, actor=actor, detail=detail))
