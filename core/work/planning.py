"""Who does the job, and a technician's day."""

from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Booking, Technician
from core.papers import invoices
from core.payment import payment_requests
from core.refusals import InvalidTransition, NotFound, TechnicianBusy
from core.schedule import availability as calendar
from core.schedule import bookings, holds
from core.shop import Shop
from core.states import BookingStatus
from core.work import notices

_OVER = (BookingStatus.COMPLETED, BookingStatus.CANCELLED)
_ON_THE_AGENDA = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


async def assign(
    session: AsyncSession, booking: Booking, technician_id: str, *, shop: Shop, now: datetime, actor: str
) -> None:
    """Give a booking to a technician, which confirms one that was pending (paid or not), and tell both sides.

    A booking that had lost its places takes them again. Raises `InvalidTransition` once it is over,
    `NotFound`, `TechnicianBusy`; and `SlotFull`, `OutsideHours`, `InsufficientStock` where places are gone.
    """
    booking = await payment_requests.locked(session, booking.id)
    if booking.status in _OVER:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CONFIRMED)
    first = booking.status is BookingStatus.PENDING
    if booking.technician_id == technician_id and not first:
        return
    await _check_free(session, booking, technician_id, shop=shop, now=now)
    await notices.taken_away(session, booking, shop=shop, now=now)
    await _hold_with(session, booking, technician_id, shop=shop, now=now)
    bookings.note(session, booking, "assigned", actor=actor, now=now, technician_id=technician_id)
    if first:
        booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
        bookings.note(session, booking, "confirmed", actor=actor, now=now)
        if booking.paid_amount:  # the money was there, its place wasn't (`late`)
            await invoices.issue(session, booking, shop=shop, now=now)
    await notices.assigned(session, booking, first=first, shop=shop, now=now)


async def free_for(
    session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime | None = None
) -> list[Technician]:
    """Who could take a booking at its time; whoever has it now counts as free."""
    skills = await bookings.skills_of(session, booking)
    return await calendar.free_technicians(
        session, booking.starts_at, booking.minutes, shop=shop, skills=skills, now=now, besides=booking.id
    )


async def agenda(session: AsyncSession, technician_id: str, day: date, *, shop: Shop) -> list[Booking]:
    """A technician's jobs of a day in order of time, those done included, loaded as by `bookings.load`."""
    begins = shop.at(day, time())
    jobs = bookings.loaded().where(
        Booking.technician_id == technician_id,
        Booking.starts_at >= begins,
        Booking.starts_at < begins + timedelta(days=1),
        Booking.status.in_(_ON_THE_AGENDA),
    )
    return list(await session.scalars(jobs.order_by(Booking.starts_at, Booking.id)))


async def _check_free(
    session: AsyncSession, booking: Booking, technician_id: str, *, shop: Shop, now: datetime
) -> None:
    technician = await session.get(Technician, technician_id)
    if technician is None or technician.retired_at:
        raise NotFound
    if technician not in await free_for(session, booking, shop=shop, now=now):
        raise TechnicianBusy


async def _hold_with(session: AsyncSession, booking: Booking, technician_id: str, *, shop: Shop, now: datetime) -> None:
    ended = [other for other in await holds.ended(session, now=now) if other.id != booking.id]
    booking.technician_id = technician_id
    await session.flush()
    if booking.holding:
        await holds.hand_over(session, booking, leaving=ended)
        return
    cells, day = await bookings.place(session, booking.starts_at, booking.minutes, shop=shop)
    await holds.exchange(session, leaving=ended, entering=booking, cells=cells, cap=day.cap)
