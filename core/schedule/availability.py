"""What is free when: open days, slots, technicians. It only reads.

A slot's cap is the shop's `max_bookings_per_slot`, but never more than the technicians on duty that
day; a shop that lists no technicians plans by its bays alone. A booking for any technician only makes
sure that somebody on duty has the skills: staff assigns one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Closure, Technician
from core.messaging.messages import Option, Say, say
from core.refusals import NoTechnician, NotFound, Refusal, SlotFull, TechnicianAway, TechnicianBusy
from core.schedule import slots, waitlist_priority
from core.schedule.occupancy import DayCapacity, Job, day_capacity, is_busy, jobs_of_day, peak

DAYS_AROUND = 7
"""How many days before and after the wanted one are searched for another slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAvailability:
    """One slot of a day."""

    starts_at: datetime
    taken: int
    cap: int
    why_not: Refusal | None
    """Why the job can't start here."""

    @property
    def free(self) -> bool:
        return self.why_not is None


async def slots_of_day(
    ctx: Context, day: date, *, minutes: int | None = None, technician_id: str | None = None, moving: int | None = None
) -> list[SlotAvailability]:
    """The slots of a day, and in which of them a job of `minutes` (one slot when None) can start; none when closed.

    What the booking with the id `moving` holds counts as free. What waitlist entries are about to be offered
    counts as taken.
    """
    capacity = await day_capacity(ctx, day)
    grid = [] if capacity.closed else slots.starts(day, ctx.shop)
    if not grid:
        return []
    jobs = await jobs_of_day(ctx, day, without=moving)
    if capacity.has_waitlist:
        jobs += await waitlist_priority.jobs_to_offer(ctx)

    def of(start: datetime) -> SlotAvailability:
        slot_end, end = (slots.ends_at(start, each, ctx.shop) for each in (0, minutes or 0))
        job = Job(start, end, technician_id)
        return SlotAvailability(
            starts_at=start,
            taken=peak(jobs, start, slot_end),
            cap=capacity.cap(start, slot_end),
            why_not=_why_not_by_time(ctx, start, minutes or 0) or _why_taken(job, capacity, jobs),
        )

    return [of(start) for start in grid]


def _why_not_by_time(ctx: Context, start: datetime, minutes: int) -> Refusal | None:
    try:
        slots.check_start(start, ctx.now, ctx.shop)
        slots.check_notice(start, ctx.now, ctx.shop)
    except Refusal as refusal:
        return refusal
    return slots.why_misfit(start, minutes, ctx.shop)


def _why_taken(job: Job, capacity: DayCapacity, jobs: Sequence[Job]) -> Refusal | None:
    """Why a job of that technician, None for any, can't be done then."""
    cap = capacity.cap(job.starts_at, job.ends_at)
    if peak(jobs, job.starts_at, job.ends_at) >= cap:
        return SlotFull() if cap else NoTechnician()
    if job.technician_id is None:
        return None
    if not capacity.is_on_duty(job.technician_id, job.starts_at, job.ends_at):
        away = capacity.technicians.get(job.technician_id)
        return TechnicianAway(name=away.name) if away else NotFound()
    return TechnicianBusy() if is_busy(jobs, job.technician_id, job.starts_at, job.ends_at) else None


async def nearest_free(
    ctx: Context,
    starts_at: datetime,
    minutes: int,
    *,
    technician_id: str | None = None,
    moving: int | None = None,
    count: int = 3,
) -> list[datetime]:
    """The nearest other starts for such a job, in order of time: on that day if possible, else on the days around it.

    `moving` as in `slots_of_day`.
    """
    found: list[datetime] = []
    for day in _around(ctx.shop.local(starts_at).date(), first=ctx.shop.local(ctx.now).date()):
        of_day = await slots_of_day(ctx, day, minutes=minutes, technician_id=technician_id, moving=moving)
        found += sorted((slot.starts_at for slot in of_day if slot.free), key=lambda start: abs(start - starts_at))
        if len(found) >= count:
            break
    return sorted(found[:count])


async def nearest_options(
    ctx: Context,
    starts_at: datetime,
    minutes: int,
    *,
    action: str = "",
    hint: Say | None = None,
    technician_id: str | None = None,
    moving: int | None = None,
    excluding: datetime | None = None,
    count: int = 3,
) -> list[Option]:
    """`nearest_free` as buttons: an option's id is `action` and the local start."""
    found = await nearest_free(ctx, starts_at, minutes, technician_id=technician_id, moving=moving, count=count)
    local = [ctx.shop.local(at) for at in found if at != excluding]
    return [Option(f"{action}{at:%Y-%m-%dT%H:%M}", say("slot.day_and_time", at=at), hint) for at in local]


async def open_days(ctx: Context, *, minutes: int, count: int) -> list[date]:
    """The next days on which the shop opens and a job of so many minutes can still start in time, today included."""
    today, last = ctx.shop.local(ctx.now).date(), ctx.shop.last_day(ctx.now)
    closures = await _closures(ctx.session, today, last)
    found: list[date] = []
    day = today
    while day <= last and len(found) < count:
        in_time = (start for start in slots.starts(day, ctx.shop) if start >= ctx.shop.earliest_start(ctx.now))
        if (
            any(slots.fits(start, minutes, ctx.shop) for start in in_time)
            and slots.why_closed(day, ctx.shop, closures) is None
        ):
            found.append(day)
        day += timedelta(days=1)
    return found


async def why_closed(ctx: Context, day: date, *, language: str = "id") -> Say | None:
    return slots.why_closed(day, ctx.shop, await _closures(ctx.session, day, day), language=language)


async def closed_days(ctx: Context, days: Sequence[date], *, language: str = "id") -> dict[date, Say | None]:
    """Of each day why the shop is closed, None where it opens."""
    closures = await _closures(ctx.session, min(days), max(days)) if days else {}
    return {day: slots.why_closed(day, ctx.shop, closures, language=language) for day in days}


async def free_technicians(
    ctx: Context, starts_at: datetime, minutes: int, *, skills: frozenset[str], moving: int | None = None
) -> list[Technician]:
    """The technicians who can do a new job: `able_technicians` at a time that can be booked.

    `moving` as in `slots_of_day`.
    """
    day = ctx.shop.local(starts_at).date()
    if not ctx.now < starts_at or day > ctx.shop.last_day(ctx.now) or not slots.fits(starts_at, minutes, ctx.shop):
        return []
    if (await day_capacity(ctx, day)).closed:
        return []
    return await able_technicians(
        ctx, starts_at, slots.ends_at(starts_at, minutes, ctx.shop), skills=skills, moving=moving
    )


async def able_technicians(
    ctx: Context, starts_at: datetime, ends_at: datetime, *, skills: frozenset[str], moving: int | None = None
) -> list[Technician]:
    """The technicians on duty all that time, with the skills, and without another job then; `moving` as above."""
    day = ctx.shop.local(starts_at).date()
    able = (await day_capacity(ctx, day)).can_do(skills, starts_at, ends_at)
    jobs = await jobs_of_day(ctx, day, without=moving)
    return [each for each in able if not is_busy(jobs, each.id, starts_at, ends_at)]


async def _closures(session: AsyncSession, first: date, last: date) -> dict[date, str]:
    query = select(Closure.day, Closure.reason).where(Closure.day.between(first, last))
    return dict((await session.execute(query)).all())


def _around(day: date, *, first: date) -> Iterator[date]:
    yield day
    for distance in range(1, DAYS_AROUND + 1):
        yield day + timedelta(days=distance)
        if day - timedelta(days=distance) >= first:
            yield day - timedelta(days=distance)
