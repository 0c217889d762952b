"""The booking's row and what it holds; use cases with money and notices are in `core.booking` and `core.work`.

    book ──> pending, holding until the payment link ends ──> paid or confirmed: holding for good
               │ hold ends unpaid: everything is given back, payment failed
               └──> hold_again on a retry or late money

A refusal may leave part of the work written: the caller rolls back to before (`holds`).
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from core.context import Context
from core.db.database import advisory_lock
from core.db.tables import Booking, BookingEvent, Contact, Service
from core.messaging import outbox
from core.refusals import InThePast, InvalidTransition, NotFound, TooManyUnpaid
from core.schedule import holds, slots, waitlist_priority
from core.schedule.occupancy import Job
from core.schedule.orders import (
    BookingRequest,
    Order,
    booking_of,
    day_for_job,
    day_to_book,
    plan_change,
    plan_job,
    rewrite,
)
from core.schedule.waitlist_priority import Taken
from core.states import Actor, BookingStatus, EventKind, PaymentMethod, PaymentStatus, check_move

CUSTOMER, SYSTEM = Actor.CUSTOMER, Actor.SYSTEM
"""Actors of booking events, besides the names of staff."""


async def book(ctx: Context, request: BookingRequest, *, waitlist_entry: int | None = None) -> Booking:
    """Make a pending booking that holds its time, technician and parts, at today's prices.

    `waitlist_entry`: the booking is an offer to that entry, so the entries behind it and the limit of unpaid bookings
    don't count. Raises a `Refusal`, of nearly any kind.
    """
    if waitlist_entry is None:
        await _check_unpaid(ctx, request.customer_id)
    plan = await plan_job(ctx, request)
    booking = booking_of(ctx, request, plan.quote)
    booking.technician = plan.technician
    booking.contact = await ctx.session.get(Contact, request.contact_id) if request.contact_id is not None else None
    booking.hold_until = _hold_until(ctx, booking)
    ended = await holds.lock_ended(ctx)
    ctx.session.add(booking)
    await ctx.session.flush()
    await holds.exchange(ctx, leaving=ended, entering=booking, cap=plan.day.cap)
    if plan.day.capacity.has_waitlist:
        await waitlist_priority.refuse_if_jumping(ctx, _taken(booking), offered_to=waitlist_entry)
    record_event(ctx, booking, EventKind.CREATED, actor=request.made_by)
    return booking


async def hold_again(ctx: Context, booking: Booking) -> None:
    """Hold a pending booking again, for a retry of its payment or for money that came late.

    What it still holds is kept for longer; otherwise it is taken again, as `book` does.
    Raises `InvalidTransition`, `InThePast`, `SlotFull`, `TechnicianBusy`, `InsufficientStock`, and what
    `orders.day_for_job` does.
    """
    await _lock(ctx.session, booking)
    check_move(booking.status, BookingStatus.CONFIRMED)
    if booking.starts_at <= ctx.now:
        raise InThePast
    if not booking.holding:
        day = await day_for_job(ctx, booking.starts_at, booking.minutes)
        day.technician(booking.technician_id, frozenset())
        ended = await holds.lock_ended(ctx)
        await holds.exchange(ctx, leaving=ended, entering=booking, cap=day.cap)
        if day.capacity.has_waitlist:
            await waitlist_priority.refuse_if_jumping(ctx, _taken(booking), offered_to=None)
        booking.impossible_since = booking.kept_despite = None
    booking.hold_until = _hold_until(ctx, booking)
    if booking.payment_status is PaymentStatus.FAILED:
        booking.payment_status = PaymentStatus.PENDING
    record_event(ctx, booking, EventKind.HELD_AGAIN, actor=SYSTEM)


async def reschedule(
    ctx: Context, booking: Booking, starts_at: datetime, *, technician_id: str | None, actor: str
) -> None:
    """Move a booking to another start, another technician or both, before work begins; its payment stays.

    Its reminders are dropped. Raises `InvalidTransition`, `SlotFull`, `TechnicianBusy`, what `orders.day_to_book`
    does; and `InsufficientStock` when its hold had ended.
    """
    await _lock(ctx.session, booking)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    day = await day_to_book(ctx, starts_at, booking.minutes)
    technician = day.technician(technician_id, await required_skills(ctx.session, booking))
    was = {"starts_at": booking.starts_at.isoformat(), "technician_id": booking.technician_id}
    leaving = {one.id: one for one in await holds.lock_ended(ctx)}
    held = booking.holding and booking.id not in leaving
    if booking.holding:
        leaving[booking.id] = booking
    before = Job(booking.starts_at, booking.ends_at, booking.technician_id) if held else None
    booking.starts_at, booking.technician = starts_at, technician
    booking.impossible_since = booking.kept_despite = None
    booking.ends_at = slots.ends_at(starts_at, booking.minutes, ctx.shop)
    if not held or (booking.hold_until and booking.payment_method is PaymentMethod.COD):
        booking.hold_until = _hold_until(ctx, booking)
    await ctx.session.flush()
    await holds.exchange(ctx, leaving=list(leaving.values()), entering=booking, cap=day.cap)
    if day.capacity.has_waitlist:
        await waitlist_priority.refuse_if_jumping(ctx, _taken(booking, before), offered_to=None)
    await outbox.drop(ctx.session, booking.id)
    record_event(ctx, booking, EventKind.MOVED, actor=actor, **was)


async def change(ctx: Context, booking: Booking, order: Order, *, actor: str) -> None:
    """Make a booking what `order` says, at its time, before work begins; what it holds already keeps its price.

    Its reminders are dropped. Raises `InvalidTransition`, what `book` does, and what `orders.day_for_job` does.
    """
    await _lock(ctx.session, booking)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    plan = await plan_change(ctx, _request(booking, order, actor), booking)
    ended = await holds.lock_ended(ctx)
    held = booking.holding and booking.id not in {one.id for one in ended}
    parts = holds.parts_of(booking) if booking.holding else Counter[str]()
    was = {"total": booking.total_price, "parts": dict(parts), "technician_id": booking.technician_id}
    before = Job(booking.starts_at, booking.ends_at, booking.technician_id) if held else None
    rewrite(booking, order, plan.quote, ctx.shop)
    booking.technician = plan.technician
    if not held:
        booking.hold_until = _hold_until(ctx, booking)
    await ctx.session.flush()
    others = [one for one in ended if one.id != booking.id]
    await holds.exchange(ctx, leaving=others, entering=booking, cap=plan.day.cap, gives_back=parts)
    if plan.day.capacity.has_waitlist:
        gained = holds.parts_of(booking) - parts if held else holds.parts_of(booking)
        job = Job(booking.starts_at, booking.ends_at, booking.technician_id)
        taken = Taken(booking_id=booking.id, job=job, before=before, parts=gained)
        await waitlist_priority.refuse_if_jumping(ctx, taken, offered_to=None)
    await outbox.drop(ctx.session, booking.id)
    record_event(ctx, booking, EventKind.CHANGED, actor=actor, **was)


def _request(booking: Booking, order: Order, actor: str) -> BookingRequest:
    return BookingRequest(
        order=order,
        customer_id=booking.customer_id,
        contact_id=booking.contact_id,
        language=booking.language,
        code=booking.code,
        made_by=actor,
    )


async def cancel(ctx: Context, booking: Booking, *, reason: str, actor: str) -> None:
    """Cancel a booking, give back what it holds and drop its reminders; customers only until work starts.

    Refunds and payment links are the caller's task. Raises `InvalidTransition`.
    """
    await _lock(ctx.session, booking)
    check_move(booking.status, BookingStatus.CANCELLED)
    if actor == CUSTOMER and booking.status is BookingStatus.IN_PROGRESS:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    if booking.holding:
        await holds.exchange(ctx, leaving=[booking])
    booking.status = BookingStatus.CANCELLED
    booking.hold_until = None
    booking.cancelled_at, booking.cancellation_reason = ctx.now, reason
    await outbox.drop(ctx.session, booking.id)
    record_event(ctx, booking, EventKind.CANCELLED, actor=actor, reason=reason)


async def release_ended_holds(ctx: Context) -> list[Booking]:
    """End the unpaid holds whose time is over; their bookings stay pending for a retry.

    Returns these bookings, loaded as by `load`, for notices to their customers.
    """
    if held := await holds.lock_ended(ctx):
        await holds.exchange(ctx, leaving=held)
    # Another booking may have given back what some of them held; those only lack the event and the notice.
    query = select_bookings().where(Booking.hold_until <= ctx.now, ~Booking.holding)
    ended = list(await ctx.session.scalars(query.with_for_update(of=Booking, skip_locked=True, key_share=True)))
    for booking in ended:
        booking.hold_until = None
        if not booking.paid_amount:  # it may have been paid in part
            booking.payment_status = PaymentStatus.FAILED
        record_event(ctx, booking, EventKind.HOLD_ENDED, actor=SYSTEM)
    return sorted(ended, key=lambda booking: booking.id)


async def load(session: AsyncSession, *, code: str | None = None, booking_id: int | None = None) -> Booking:
    """One booking with its lines, technician and contact; raises `NotFound`."""
    which = Booking.code == code if code is not None else Booking.id == booking_id
    booking = await session.scalar(select_bookings().where(which))
    if booking is None:
        raise NotFound
    return booking


async def own(session: AsyncSession, code: str, *, customer_id: int) -> Booking:
    """A customer's own booking; raises `NotFound` for anybody else's."""
    booking = await load(session, code=code)
    if booking.customer_id != customer_id:
        raise NotFound
    return booking


async def of_customer(session: AsyncSession, customer_id: int, *, limit: int = 10, offset: int = 0) -> list[Booking]:
    """A customer's bookings, newest first, loaded as by `load`."""
    own = select_bookings().where(Booking.customer_id == customer_id)
    newest = own.order_by(Booking.created_at.desc(), Booking.id.desc()).limit(limit).offset(offset)
    return list(await session.scalars(newest))


async def of_day(ctx: Context, day: date, *which: SQLColumnExpression[bool]) -> list[Booking]:
    """Those bookings that start on a day, in order of time, loaded as by `load`."""
    begins = ctx.shop.at(day, time())
    query = select_bookings().where(Booking.starts_at >= begins, Booking.starts_at < begins + timedelta(days=1))
    return list(await ctx.session.scalars(query.where(*which).order_by(Booking.starts_at, Booking.id)))


def select_bookings() -> Select[Booking]:
    """A query for bookings with their lines, technician and contact."""
    return (
        select(Booking)
        .options(selectinload(Booking.lines), joinedload(Booking.technician), joinedload(Booking.contact))
        .execution_options(populate_existing=True)
    )


async def _check_unpaid(ctx: Context, customer_id: int) -> None:
    await advisory_lock(ctx.session, f"booking for customer {customer_id}")
    query = select(func.count()).where(Booking.customer_id == customer_id, Booking.hold_until > ctx.now)
    if (await ctx.session.scalar(query) or 0) >= ctx.shop.max_unpaid_bookings:
        raise TooManyUnpaid(most=ctx.shop.max_unpaid_bookings)


def _hold_until(ctx: Context, booking: Booking) -> datetime | None:
    if booking.paid_amount > 0:
        return None
    # Cash is paid when the car comes; until then staff can confirm the booking.
    if booking.payment_method is PaymentMethod.COD:
        return booking.starts_at
    return ctx.shop.hold_end(booking.starts_at, ctx.now)


def _taken(booking: Booking, before: Job | None = None) -> Taken:
    """What a booking has just taken, beyond the job it held before."""
    return Taken(
        booking_id=booking.id,
        job=Job(booking.starts_at, booking.ends_at, booking.technician_id),
        before=before,
        parts={} if before else holds.parts_of(booking),
    )


async def required_skills(session: AsyncSession, booking: Booking) -> frozenset[str]:
    """The skills that all of a booking's services need."""
    services = [line.service_id for line in booking.lines if line.service_id]
    skills = select(Service.skill).where(Service.id.in_(services), Service.skill.is_not(None))
    return frozenset(skill for skill in await session.scalars(skills) if skill)


async def _lock(session: AsyncSession, booking: Booking) -> None:
    """Lock the booking's row and read its present state."""
    await session.flush()  # a refresh would undo what isn't written yet
    fresh = [
        "status",
        "payment_status",
        "paid_amount",
        "going_back",
        "starts_at",
        "ends_at",
        "technician_id",
        "hold_until",
        "holding",
        "impossible_since",
    ]
    await session.refresh(booking, fresh, with_for_update={"key_share": True})


def confirm(ctx: Context, booking: Booking, *, actor: str) -> None:
    """Confirm a pending booking, which keeps what it holds. Raises `InvalidTransition`."""
    check_move(booking.status, BookingStatus.CONFIRMED)
    booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
    record_event(ctx, booking, EventKind.CONFIRMED, actor=actor)


def record_event(ctx: Context, booking: Booking, kind: EventKind, *, actor: str, **detail: Any) -> None:
    ctx.session.add(BookingEvent(booking_id=booking.id, at=ctx.now, kind=kind, actor=actor, detail=detail))
