"""What is free when: days that open, slots with their load, technicians. It only reads.

A slot's cap is the shop's `max_bookings_per_slot`, but never more than the technicians on duty that
day, so that "anyone" doesn't promise a person who isn't there; a shop that lists no technicians plans
by its bays alone. Whom an "anyone" gets is staff's to say; a booking only makes sure that somebody on
duty has the skills.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, Closure, Seat, Technician, TechnicianCell
from core.messaging.messages import Say
from core.schedule import slots, waitlist_priority
from core.schedule.occupancy import Load, holds_on, read_day, read_loads

DAYS_AROUND = 7
"""How many days before and after a wanted one are searched for another slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotLoad:
    """One slot of a day; `free` speaks of the whole job that was asked about."""

    starts_at: datetime
    taken: int
    cap: int
    free: bool


async def day_load(
    ctx: Context, day: date, *, minutes: int | None = None, technician_id: str | None = None, besides: int | None = None
) -> list[SlotLoad]:
    """The slots of a day, and in which of them a job of `minutes` (one slot when None) can start; none when closed.

    What the booking `besides` holds counts as free: it is to be moved. What those who wait in the line
    are about to be offered counts as taken.
    """
    facts = await read_day(ctx, day)
    grid = [] if facts.closed else slots.cells(day, ctx.shop)
    if not grid:
        return []
    loads = await read_loads(ctx, grid, technician_id=technician_id)
    if besides is not None:
        loads |= await _left(ctx, besides, loads, technician_id=technician_id)
    if facts.line:
        promised = await waitlist_priority.promised(ctx)
        loads = {cell: replace(load, taken=load.taken + promised[cell]) for cell, load in loads.items()}
    nobody = technician_id is not None and technician_id not in facts.on_duty
    too_far = day > ctx.shop.last_day(ctx.now)

    def free(start: datetime) -> bool:
        job = slots.span(start, minutes or ctx.shop.slot_minutes, ctx.shop)
        return bool(job) and all(loads[cell].taken < facts.cap and not loads[cell].busy for cell in job)

    return [
        SlotLoad(
            starts_at=cell,
            taken=loads[cell].taken,
            cap=facts.cap,
            free=not (nobody or too_far or cell < ctx.shop.earliest_start(ctx.now)) and free(cell),
        )
        for cell in grid
    ]


async def nearest_free(
    ctx: Context,
    starts_at: datetime,
    minutes: int,
    *,
    technician_id: str | None = None,
    besides: int | None = None,
    count: int = 3,
) -> list[datetime]:
    """Where else such a job can start, in order of time: on that day if possible, else on the days around it.

    `besides` as in `day_load`.
    """
    found: list[datetime] = []
    for day in _around(ctx.shop.local(starts_at).date(), first=ctx.shop.local(ctx.now).date()):
        load = await day_load(ctx, day, minutes=minutes, technician_id=technician_id, besides=besides)
        found += sorted((slot.starts_at for slot in load if slot.free), key=lambda start: abs(start - starts_at))
        if len(found) >= count:
            break
    return sorted(found[:count])


async def open_days(ctx: Context, *, count: int) -> list[date]:
    """The next days on which a job can still start by the clock, today included."""
    today, last = ctx.shop.local(ctx.now).date(), ctx.shop.last_day(ctx.now)
    closures = await _closures(ctx.session, today, last)
    found: list[date] = []
    day = today
    while day <= last and len(found) < count:
        open_cells = [cell for cell in slots.cells(day, ctx.shop) if cell >= ctx.shop.earliest_start(ctx.now)]
        if open_cells and slots.why_closed(day, ctx.shop, closures) is None:
            found.append(day)
        day += timedelta(days=1)
    return found


async def why_closed(ctx: Context, day: date, *, language: str = "id") -> Say | None:
    """Why the shop is closed that day, as a text for the customer; None when it opens."""
    return slots.why_closed(day, ctx.shop, await _closures(ctx.session, day, day), language=language)


async def free_technicians(
    ctx: Context, starts_at: datetime, minutes: int, *, skills: frozenset[str], besides: int | None = None
) -> list[Technician]:
    """Who can do the whole job: on duty that day, with the skills, and without another job then.

    A hold that has ended makes nobody busy, nor does the booking `besides`.
    """
    day = await read_day(ctx, ctx.shop.local(starts_at).date())
    able = day.can_do(skills)
    job = slots.span(starts_at, minutes, ctx.shop)
    if day.closed or not job:
        return []
    busy = await _busy(ctx, [technician.id for technician in able], job, besides=besides)
    return [technician for technician in able if technician.id not in busy]


async def _left(
    ctx: Context, booking_id: int, loads: Mapping[datetime, Load], *, technician_id: str | None
) -> dict[datetime, Load]:
    """The loads of a booking's own cells once it has left them; a hold that has ended doesn't count anyway."""
    own = await ctx.session.execute(
        select(Seat.starts_at, Booking.technician_id)
        .join(Booking, Booking.id == Seat.booking_id)
        .where(Seat.booking_id == booking_id, holds_on(ctx.now))
    )
    return {
        cell: Load(loads[cell].taken - 1, loads[cell].busy and technician_id != of) for cell, of in own if cell in loads
    }


async def _busy(ctx: Context, technicians: list[str], cells: list[datetime], *, besides: int | None) -> set[str]:
    query = (
        select(TechnicianCell.technician_id)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id.in_(technicians), TechnicianCell.starts_at.in_(cells), holds_on(ctx.now))
        .where(TechnicianCell.booking_id != besides)
    )
    return set(await ctx.session.scalars(query))


async def _closures(session: AsyncSession, first: date, last: date) -> dict[date, str]:
    query = select(Closure.day, Closure.reason).where(Closure.day.between(first, last))
    return dict((await session.execute(query)).all())


def _around(day: date, *, first: date) -> Iterator[date]:
    yield day
    for distance in range(1, DAYS_AROUND + 1):
        yield day + timedelta(days=distance)
        if day - timedelta(days=distance) >= first:
            yield day - timedelta(days=distance)
