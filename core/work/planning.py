"""Assigning technicians, and a technician's day."""

from datetime import date

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import payment
from core.catalogue import snapshot
from core.context import Context
from core.db.tables import Booking, Technician
from core.papers import invoices
from core.refusals import InvalidTransition
from core.schedule import availability, bookings, holds, obstacles, orders
from core.schedule.occupancy import day_capacity
from core.states import BookingStatus, EventKind
from core.work import notices

_OVER = (BookingStatus.COMPLETED, BookingStatus.CANCELLED)
_ON_THE_AGENDA = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


async def assign(ctx: Context, booking: Booking, technician_id: str, *, actor: str) -> None:
    """Assign a technician, which confirms a pending booking, paid or not.

    A booking whose hold has ended is held again. Raises `InvalidTransition` once it is over, `NotFound`, kinds of
    `TechnicianBusy`, what makes its day impossible; and where its hold had ended, what `orders.day_for_job` does,
    `SlotFull` and `InsufficientStock`.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.status in _OVER:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    first = booking.status is BookingStatus.PENDING
    if booking.technician_id == technician_id and not first:
        return
    await _check_able(ctx, booking, technician_id)
    await notices.unassigned(ctx, booking)
    await _hold_with(ctx, booking, technician_id)
    bookings.record_event(ctx, booking, EventKind.ASSIGNED, actor=actor, technician_id=technician_id)
    if first:
        bookings.confirm(ctx, booking, actor=actor)
        if booking.paid_amount:  # paid after its slot was lost (`slot_lost`)
            await invoices.issue(ctx, booking)
    await notices.assigned(ctx, booking, first=first)


async def reassign(ctx: Context, booking: Booking, technician_id: str | None, *, actor: str) -> None:
    """Give a job to another technician, None for any, without confirming it. Raises what `assign` does."""
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.technician_id == technician_id:
        return
    if technician_id is not None:
        await _check_able(ctx, booking, technician_id)
    await notices.unassigned(ctx, booking)
    if technician_id is None:
        booking.technician_id = None
    else:
        await _hold_with(ctx, booking, technician_id)
    bookings.record_event(ctx, booking, EventKind.ASSIGNED, actor=actor, technician_id=technician_id)
    await notices.assigned(ctx, booking, first=False)


async def free_for(ctx: Context, booking: Booking) -> list[Technician]:
    """The technicians who could do a booking at its time, the one who has it now included."""
    if await obstacles.of_its_day(ctx, booking):
        return []
    skills = await bookings.required_skills(ctx.session, booking)
    return await availability.able_technicians(
        ctx, booking.starts_at, booking.ends_at, skills=skills, moving=booking.id
    )


async def agenda(ctx: Context, technician_id: str, day: date) -> list[Booking]:
    """A technician's jobs of a day, completed ones included."""
    return await bookings.of_day(ctx, day, Booking.technician_id == technician_id, Booking.status.in_(_ON_THE_AGENDA))


async def update_technician(session: AsyncSession, technician_id: str | None, **values: ColumnElement[int]) -> None:
    """Change a technician's figures, which are part of the catalogue; nothing for None."""
    if technician_id is None:
        return
    row = update(Technician).where(Technician.id == technician_id).execution_options(synchronize_session=False)
    await session.execute(row.values(values))
    await snapshot.bump(session)


async def _check_able(ctx: Context, booking: Booking, technician_id: str) -> None:
    """Raise what stands against the booking's day, `NotFound`, `TechnicianAway` or `TechnicianUnskilled`.

    The booking's start may be no slot any more: it keeps the time that it holds.
    """
    if against := await obstacles.of_its_day(ctx, booking):
        raise against
    capacity = await day_capacity(ctx, ctx.shop.local(booking.starts_at).date())
    skills = await bookings.required_skills(ctx.session, booking)
    orders.JobDay(capacity, booking.starts_at, booking.ends_at).technician(technician_id, skills)


async def _hold_with(ctx: Context, booking: Booking, technician_id: str) -> None:
    ended = [other for other in await holds.lock_ended(ctx) if other.id != booking.id]
    booking.technician_id = technician_id
    await ctx.session.flush()
    if booking.holding:
        await holds.change_technician(ctx.session, booking, leaving=ended)
        return
    day = await orders.day_for_job(ctx, booking.starts_at, booking.minutes)
    await holds.exchange(ctx, leaving=ended, entering=booking, cap=day.cap)
