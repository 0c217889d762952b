"""What a day offers, and how much of it is taken: closure, technicians on duty, the jobs that are held. It only reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy import Date, Executable, and_, bindparam, exists, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, Closure, Leave, Moment, Technician, Waiting
from core.messaging.messages import Say
from core.schedule import slots

# Written as in the partial index: with a bound value the database can't tell that the index applies.
IS_WAITING = text("waiting.state = 'waiting'")
LONGEST_JOB = timedelta(days=1)
"""A job fits between opening and closing of one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCapacity:
    """What a day offers before anything is booked."""

    closed: Say | None
    """Why it is closed, for the customer; None when it opens."""
    technicians: Mapping[str, Technician]
    """All of them, on duty or not."""
    away: Mapping[str, Sequence["Span"]]
    """When those don't work who are away for the day or parts of it."""
    places: int
    """How many jobs there can be at a time, if there are enough technicians."""
    has_waitlist: bool
    """Whether the waitlist, for any day, has an entry: without one `waitlist_priority` needn't be asked."""

    def is_on_duty(self, technician_id: str, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether a technician works all of that time."""
        away = self.away.get(technician_id, ())
        return technician_id in self.technicians and not any(span.overlaps(starts_at, ends_at) for span in away)

    def can_do(self, skills: frozenset[str], starts_at: datetime, ends_at: datetime) -> list[Technician]:
        """The technicians with all these skills who work all of that time."""
        on_duty = (one for one in self.technicians.values() if self.is_on_duty(one.id, starts_at, ends_at))
        return [technician for technician in on_duty if skills <= set(technician.skills)]

    def cap(self, starts_at: datetime, ends_at: datetime) -> int:
        """How many jobs there can be at any moment of that time; a shop without technicians plans by its places."""
        if not self.technicians:
            return self.places
        return min(self.places, len(self.can_do(frozenset(), starts_at, ends_at)))


async def day_capacity(ctx: Context, day: date) -> DayCapacity:
    """A day's closure, technicians and their leave, in one statement."""
    rows = (await ctx.session.execute(_DAY, {"day": day})).all()
    listed = [(technician, leave) for _, technician, leave, _ in rows if technician]
    away = defaultdict[str, list[Span]](list)
    for technician, leave in listed:
        if span := _away(ctx, day, technician, leave):
            away[technician.id].append(span)
    reason, *_, has_waitlist = rows[0]
    return DayCapacity(
        closed=slots.why_closed(day, ctx.shop, {day: reason} if reason is not None else {}),
        technicians={technician.id: technician for technician, _ in listed},
        away=away,
        places=ctx.shop.max_bookings_per_slot,
        has_waitlist=has_waitlist,
    )


def _away(ctx: Context, day: date, technician: Technician, leave: Leave | None) -> "Span | None":
    begins, ends = ctx.shop.at(day, time()), ctx.shop.at(day + timedelta(days=1), time())
    if not technician.is_available or day.weekday() in technician.days_off:
        return Span(begins, ends)
    if leave is None:
        return None
    return Span(
        ctx.shop.at(day, leave.begins) if leave.begins else begins, ctx.shop.at(day, leave.ends) if leave.ends else ends
    )


@dataclass(frozen=True, slots=True)
class Span:
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Job(Span):
    """The time that a booking takes of the shop and of its technician."""

    technician_id: str | None = None


def peak(jobs: Iterable[Job], starts_at: datetime, ends_at: datetime) -> int:
    """The most jobs that there are at one moment of a span of time."""
    there = [job for job in jobs if job.overlaps(starts_at, ends_at)]
    # The number only grows where a job begins.
    moments = {max(job.starts_at, starts_at) for job in there}
    return max((sum(job.starts_at <= moment < job.ends_at for job in there) for moment in moments), default=0)


def is_busy(jobs: Iterable[Job], technician_id: str, starts_at: datetime, ends_at: datetime) -> bool:
    return any(job.technician_id == technician_id and job.overlaps(starts_at, ends_at) for job in jobs)


async def jobs_of_day(ctx: Context, day: date, *, without: int | None = None) -> list[Job]:
    """What is held on a day, except by the booking with the id `without`."""
    begins = ctx.shop.at(day, time())
    return await held_jobs(ctx.session, begins, begins + timedelta(days=1), without=without, now=ctx.now)


async def held_jobs(
    session: AsyncSession,
    starts_at: datetime,
    ends_at: datetime,
    *,
    without: int | None = None,
    now: datetime | None = None,
) -> list[Job]:
    """What is held in a span of time; with `now`, without the holds that have ended by then."""
    rows = await session.execute(_HELD, {"after": starts_at - LONGEST_JOB, "starts_at": starts_at, "ends_at": ends_at})
    return [
        Job(starts, ends, technician_id)
        for booking_id, starts, ends, technician_id, hold_until in rows
        if booking_id != without and (now is None or hold_until is None or hold_until > now)
    ]


def _day_statement() -> Executable:
    # Always gives a row, even where there are neither technicians nor a closure.
    always, day = select(literal(1)).subquery(), bindparam("day", type_=Date())
    return (
        select(Closure.reason, Technician, Leave, exists(select(Waiting.id).where(IS_WAITING)))
        .select_from(always)
        .outerjoin(Closure, Closure.day == day)
        .outerjoin(Technician, Technician.retired_at.is_(None))
        .outerjoin(Leave, and_(Leave.technician_id == Technician.id, Leave.day == day))
        .order_by(Technician.id)
    )


def _held_statement() -> Executable:
    moment = partial(bindparam, type_=Moment())
    return select(Booking.id, Booking.starts_at, Booking.ends_at, Booking.technician_id, Booking.hold_until).where(
        Booking.holding,
        # Jobs of a day by their start, which has an index; which of them reach into the span, by their end.
        Booking.starts_at > moment("after"),
        Booking.starts_at < moment("ends_at"),
        Booking.ends_at > moment("starts_at"),
    )


# Built once: building such a statement costs more than running it.
_DAY = _day_statement()
_HELD = _held_statement()
