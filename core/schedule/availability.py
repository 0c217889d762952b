"""What is free when: open days, slots, technicians. It only reads.

A slot's cap is the shop's `max_bookings_per_slot`, but never more than the technicians on duty that
day; a shop that lists no technicians plans by its bays alone. A booking for any technician only makes
sure that somebody on duty has the skills: staff assigns one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, Closure, Seat, Technician, TechnicianCell
from core.messaging.messages import Option, Say, say
from core.schedule import slots, waitlist_priority
from core.schedule.occupancy import CellOccupancy, cell_occupancy, day_capacity, holds_on

DAYS_AROUND = 7
"""How many days before and after the wanted one are searched for another slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAvailability:
    """One slot of a day; `free`: the whole job can start here."""

    starts_at: datetime
    taken: int
    cap: int
    free: bool


async def slots_of_day(
    ctx: Context, day: date, *, minutes: int | None = None, technician_id: str | None = None, moving: int | None = None
) -> list[SlotAvailability]:
    """The slots of a day, and in which of them a job of `minutes` (one slot when None) can start; none when closed.

    What the booking with the id `moving` holds counts as free. What waitlist entries are about to be offered
    counts as taken.
    """
    capacity = await day_capacity(ctx, day)
    grid = [] if capacity.closed else slots.cells(day, ctx.shop)
    if not grid:
        return []
    occupancy = await cell_occupancy(ctx, grid, technician_id=technician_id)
    if moving is not None:
        occupancy |= await _after_leaving(ctx, moving, occupancy, technician_id=technician_id)
    if capacity.has_waitlist:
        offers = await waitlist_priority.seats_to_offer(ctx)
        occupancy = {cell: replace(found, taken=found.taken + offers[cell]) for cell, found in occupancy.items()}
    off_duty = technician_id is not None and technician_id not in capacity.on_duty
    too_far = day > ctx.shop.last_day(ctx.now)

    def free(start: datetime) -> bool:
        job = slots.span(start, minutes or ctx.shop.slot_minutes, ctx.shop)
        return bool(job) and all(occupancy[cell].taken < capacity.cap and not occupancy[cell].busy for cell in job)

    return [
        SlotAvailability(
            starts_at=cell,
            taken=occupancy[cell].taken,
            cap=capacity.cap,
            free=not (off_duty or too_far or cell < ctx.shop.earliest_start(ctx.now)) and free(cell),
        )
        for cell in grid
    ]


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


async def open_days(ctx: Context, *, count: int) -> list[date]:
    """The next days on which the shop opens and a job can still start in time, today included."""
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
    return slots.why_closed(day, ctx.shop, await _closures(ctx.session, day, day), language=language)


async def free_technicians(
    ctx: Context, starts_at: datetime, minutes: int, *, skills: frozenset[str], moving: int | None = None
) -> list[Technician]:
    """The technicians who can do the whole job: on duty, with the skills, and without another job then.

    `moving` as in `slots_of_day`.
    """
    capacity = await day_capacity(ctx, ctx.shop.local(starts_at).date())
    able = capacity.can_do(skills)
    job = slots.span(starts_at, minutes, ctx.shop)
    if capacity.closed or not job:
        return []
    busy = await _busy(ctx, [technician.id for technician in able], job, moving=moving)
    return [technician for technician in able if technician.id not in busy]


async def _after_leaving(
    ctx: Context, booking_id: int, occupancy: Mapping[datetime, CellOccupancy], *, technician_id: str | None
) -> dict[datetime, CellOccupancy]:
    """The occupancy of a booking's own cells once it has left them; a hold that has ended doesn't count anyway."""
    own = await ctx.session.execute(
        select(Seat.starts_at, Booking.technician_id)
        .join(Booking, Booking.id == Seat.booking_id)
        .where(Seat.booking_id == booking_id, holds_on(ctx.now))
    )
    return {
        cell: CellOccupancy(occupancy[cell].taken - 1, occupancy[cell].busy and technician_id != their_technician)
        for cell, their_technician in own
        if cell in occupancy
    }


async def _busy(ctx: Context, technicians: list[str], cells: list[datetime], *, moving: int | None) -> set[str]:
    query = (
        select(TechnicianCell.technician_id)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id.in_(technicians), TechnicianCell.starts_at.in_(cells), holds_on(ctx.now))
        .where(TechnicianCell.booking_id != moving)
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
