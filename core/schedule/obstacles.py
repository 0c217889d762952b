"""What makes a booking that holds its place impossible: its day, its technician, its services.

The rules are `why_impossible`; the rest reads what they need. What follows from an obstacle is in
`core.booking.impossible`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import or_, select

from core.context import Context
from core.db.tables import Booking, BookingLine, Service, Technician
from core.messaging.messages import Say, say
from core.refusals import Closed, NobodySkilled, NoTechnician, NotForSale, Refusal, SlotFull, TechnicianAway
from core.schedule import slots
from core.schedule.occupancy import DayCapacity, Job, day_capacity, peak
from core.shop import Shop
from core.states import BookingStatus

NOT_BEGUN = (BookingStatus.PENDING, BookingStatus.CONFIRMED)
_COLUMNS = (
    Booking.id,
    Booking.status,
    Booking.starts_at,
    Booking.ends_at,
    Booking.technician_id,
    Booking.kept_despite,
    Booking.impossible_since,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the rules need of a booking that holds its place."""

    id: int
    status: BookingStatus
    job: Job
    technician: str | None
    """The name of the one it is for."""
    services: Sequence[Service]
    kept_despite: str | None
    is_watched: bool
    """Whether an obstacle still matters: work hasn't begun, and its time hasn't come or it was known before."""


def why_impossible(held: Held, day: DayCapacity, beside: Sequence[Job], shop: Shop) -> Refusal | None:
    """What stands against a booking on its day, beside the jobs that come before it; None when it can be done.

    What staff will do in spite of it is no obstacle.
    """
    every = (*_of_day(held.job, day, shop), *_of_people(held, day, beside), *_of_services(held))
    return next((why for why in every if not is_kept(held.kept_despite, why)), None)


def named(why: Refusal) -> Say:
    """An obstacle in words, as a part of a sentence."""
    return say(f"obstacle.{why.code}", **why.params)


def is_kept(kept_despite: str | None, why: Refusal) -> bool:
    """Whether staff will do a booking in spite of that obstacle."""
    return why.code in (kept_despite or "").split()


async def of_booking(ctx: Context, booking: Booking) -> Refusal | None:
    """Why a booking that holds its place can't be done; None when it can, and once its time has come."""
    return (await of_day(ctx, ctx.shop.local(booking.starts_at).date())).get(booking.id)


async def of_its_day(ctx: Context, booking: Booking) -> Refusal | None:
    """Why a booking that holds its place can't be done that day, by whomever; None when it can, or when it has begun."""
    if not booking.holding or booking.status not in NOT_BEGUN:
        return None
    day = await day_capacity(ctx, ctx.shop.local(booking.starts_at).date())
    against = _of_day(Job(booking.starts_at, booking.ends_at), day, ctx.shop)
    return next((why for why in against if not is_kept(booking.kept_despite, why)), None)


async def of_day(ctx: Context, day: date) -> dict[int, Refusal]:
    """Why those bookings of a day can't be done, by booking id. Where there are too many, the latest can't."""
    await ctx.session.flush()
    capacity = await day_capacity(ctx, day)
    found = dict[int, Refusal]()
    jobs = list[Job]()
    for held in await _held_on(ctx, day):
        why = why_impossible(held, capacity, jobs, ctx.shop) if held.is_watched else None
        if why is None:
            jobs.append(held.job)
        else:
            found[held.id] = why
    return found


async def of_upcoming(ctx: Context) -> dict[int, Refusal]:
    """`of_day` for every day with bookings that are still to come, or that were known to be impossible."""
    to_come = or_(Booking.starts_at > ctx.now, Booking.impossible_since.is_not(None))
    starts = await ctx.session.scalars(
        select(Booking.starts_at).where(Booking.holding, Booking.status.in_(NOT_BEGUN), to_come).distinct()
    )
    found = dict[int, Refusal]()
    for day in sorted({ctx.shop.local(start).date() for start in starts}):
        found |= await of_day(ctx, day)
    return found


def _of_day(job: Job, day: DayCapacity, shop: Shop) -> Iterator[Refusal]:
    if day.closed:
        yield Closed(day=shop.local(job.starts_at).date(), why=day.closed)
    elif outside := slots.why_outside_hours(job.starts_at, job.ends_at, shop):
        yield outside


def _of_people(held: Held, day: DayCapacity, beside: Sequence[Job]) -> Iterator[Refusal]:
    job, skills = held.job, frozenset(service.skill for service in held.services if service.skill)
    cap = day.cap(job.starts_at, job.ends_at)
    if job.technician_id and not day.is_on_duty(job.technician_id, job.starts_at, job.ends_at):
        yield TechnicianAway(name=held.technician)
    elif not cap:
        yield NoTechnician()
    elif not job.technician_id and day.technicians and not day.can_do(skills, job.starts_at, job.ends_at):
        yield NobodySkilled()
    elif peak(beside, job.starts_at, job.ends_at) >= cap:
        yield SlotFull()


def _of_services(held: Held) -> Iterator[Refusal]:
    for service in held.services:
        if service.retired_at is not None:
            yield NotForSale(name=service.name)


async def _held_on(ctx: Context, day: date) -> list[Held]:
    """The bookings of a day that hold their place: work in progress first, then confirmed ones, the earliest first."""
    begins = ctx.shop.at(day, time())
    query = (
        # Columns, since a row in the session may be older than this transaction's locks.
        select(*_COLUMNS, Technician.name)
        .outerjoin(Technician, Technician.id == Booking.technician_id)
        .where(Booking.holding, Booking.starts_at >= begins, Booking.starts_at < begins + timedelta(days=1))
        .where(or_(Booking.hold_until.is_(None), Booking.hold_until > ctx.now))
    )
    rows = (await ctx.session.execute(query)).all()
    services = defaultdict[int, list[Service]](list)
    lines = select(BookingLine.booking_id, Service).join(Service, Service.id == BookingLine.service_id)
    wanted = lines.where(BookingLine.booking_id.in_([row.id for row in rows])).order_by(BookingLine.id)
    for booking_id, service in await ctx.session.execute(wanted):
        services[booking_id].append(service)
    held = [_held(row, services[row.id], ctx.now) for row in rows]
    return sorted(held, key=lambda each: (each.status in NOT_BEGUN, each.status is BookingStatus.PENDING, each.id))


def _held(row: Any, services: Sequence[Service], now: datetime) -> Held:
    return Held(
        id=row.id,
        status=row.status,
        job=Job(row.starts_at, row.ends_at, row.technician_id),
        technician=row.name,
        services=services,
        kept_despite=row.kept_despite,
        is_watched=row.status in NOT_BEGUN and (row.starts_at > now or row.impossible_since is not None),
    )
