"""Technicians who don't work for some days or a part of one, and those who leave."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.booking.impossible import review
from core.catalogue import edit
from core.catalogue.edit import Entry
from core.context import Context, Work
from core.db.tables import Booking, Leave, Technician
from core.messaging.messages import say
from core.refusals import BadLeave, TechnicianHasJobs
from core.schedule import bookings
from core.states import BookingStatus

LONGEST_LEAVE = timedelta(days=366)
_TO_DO = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavePeriod:
    """The days from first to last; on each of them all day, or from `begins` to `ends`."""

    first: date
    last: date
    begins: time | None = None
    ends: time | None = None

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


async def enter_leave(ctx: Context, technician_id: str, period: LeavePeriod) -> list[Booking]:
    """Enter leave, which adds to the leave of the same days; returns the bookings that become impossible.

    Raises `NotFound`, `BadLeave`.
    """
    technician = await edit.offered(ctx.session, Technician, technician_id, to_change=True)
    _check(period, ctx)
    known = select(Leave).where(Leave.technician_id == technician.id, Leave.day.between(period.first, period.last))
    parts = defaultdict[date, list[Leave]](list)
    for part in await ctx.session.scalars(known.with_for_update()):
        parts[part.day].append(part)
    for day in period.days():
        await _add(ctx.session, parts[day], technician.id, day, period)
    return await review(ctx)


async def end_leave(ctx: Context, technician_id: str, first: date, last: date | None = None) -> int:
    """Delete the leave of the days from `first` to `last` (None: all later ones); returns how many days it were."""
    await edit.offered(ctx.session, Technician, technician_id, to_change=True)
    of_them = [Leave.technician_id == technician_id, Leave.day >= first, *([Leave.day <= last] if last else [])]
    ended = set(await ctx.session.scalars(delete(Leave).where(*of_them).returning(Leave.day)))
    ctx.effects.work.add(Work.WAITLIST)
    await review(ctx)
    return len(ended)


async def leave_of(ctx: Context, technician_id: str) -> Sequence[Leave]:
    """A technician's leave from today on; raises `NotFound`."""
    await edit.offered(ctx.session, Technician, technician_id)
    today = ctx.shop.local(ctx.now).date()
    of_them = select(Leave).where(Leave.technician_id == technician_id, Leave.day >= today)
    return (await ctx.session.scalars(of_them.order_by(Leave.day, Leave.begins.nulls_first()))).all()


async def change_entry(ctx: Context, table: type[Entry], entry_id: str, values: Mapping[str, object]) -> Entry:
    """`edit.change`, with what follows for the bookings that it makes impossible. Raises `NotFound`."""
    entry = await edit.change(ctx.session, table, entry_id, values)
    await review(ctx)
    return entry


async def retire_technician(ctx: Context, technician_id: str) -> Technician:
    """Take a technician out of the catalogue; raises `NotFound`, and `TechnicianHasJobs` while they have jobs."""
    technician = await edit.offered(ctx.session, Technician, technician_id, to_change=True)
    if jobs := await jobs_to_come(ctx, technician_id):
        named = [say("technician.job", code=job.code, at=ctx.shop.local(job.starts_at)) for job in jobs]
        raise TechnicianHasJobs(name=technician.name, jobs=named)
    return await change_entry(ctx, Technician, technician_id, {"retired_at": ctx.now})


async def jobs_to_come(ctx: Context, technician_id: str) -> Sequence[Booking]:
    """A technician's jobs that are still to be done, by their start."""
    still = or_(Booking.ends_at > ctx.now, Booking.status == BookingStatus.IN_PROGRESS)
    query = bookings.select_bookings().where(
        Booking.technician_id == technician_id, Booking.holding, Booking.status.in_(_TO_DO), still
    )
    return (await ctx.session.scalars(query.order_by(Booking.starts_at, Booking.id))).all()


async def _add(
    session: AsyncSession, parts: Sequence[Leave], technician_id: str, day: date, period: LeavePeriod
) -> None:
    """Add leave to the parts of a day, as one part with those that it overlaps or touches."""
    begins, ends = period.begins, period.ends
    for part in parts:
        apart = (ends and part.begins and ends < part.begins) or (begins and part.ends and part.ends < begins)
        if not apart:
            begins = min(begins, part.begins) if begins and part.begins else None
            ends = max(ends, part.ends) if ends and part.ends else None
            await session.delete(part)
    session.add(Leave(technician_id=technician_id, day=day, begins=begins, ends=ends))


def _check(period: LeavePeriod, ctx: Context) -> None:
    clocks = (period.begins or time(), period.ends or time.max)
    in_order = period.first <= period.last and clocks[0] < clocks[1]
    today = ctx.shop.local(ctx.now).date()
    if not in_order or period.last < today or period.last - period.first > LONGEST_LEAVE:
        raise BadLeave
