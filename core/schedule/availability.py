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

from core.db.tables import Booking, Closure, Seat, Technician, TechnicianCell
from core.messaging.messages import Say
from core.schedule import slots, waitlist_priority
from core.schedule.occupancy import Load, holds_on, read_day, read_loads
from core.shop import Shop

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
    session: AsyncSession,
    day: date,
    *,
    shop: Shop,
    now: datetime,
    minutes: int | None = None,
    technician_id: str | None = None,
    besides: int | None = None,
) -> list[SlotLoad]:
    """The slots of a day, and in which of them a job of `minutes` (one slot when None) can start; none when closed.

    What the booking `besides` holds counts as free: it is to be moved. What those who wait in the line
    are about to be offered counts as taken.
    """
    facts = await read_day(session, day, shop=shop)
    grid = [] if facts.closed else slots.cells(day, shop)
    if not grid:
        return []
    loads = await read_loads(session, grid, now=now, technician_id=technician_id)
    if besides is not None:
        loads |= await _left(session, besides, loads, now=now, technician_id=technician_id)
    if facts.line:
        promised = await waitlist_priority.promised(session, shop=shop, now=now)
        loads = {cell: replace(load, taken=load.taken + promised[cell]) for cell, load in loads.items()}
    nobody = technician_id is not None and technician_id not in facts.on_duty
    too_far = day > slots.last_day(shop=shop, now=now)

    def free(start: datetime) -> bool:
        job = slots.span(start, minutes or shop.slot_minutes, shop)
        return bool(job) and all(loads[cell].taken < facts.cap and not loads[cell].busy for cell in job)

    return [
        SlotLoad(
            starts_at=cell,
            taken=loads[cell].taken,
            cap=facts.cap,
            free=not (nobody or too_far or slots.too_soon(cell, shop=shop, now=now)) and free(cell),
        )
        for cell in grid
    ]


async def nearest_free(
    session: AsyncSession,
    starts_at: datetime,
    minutes: int,
    *,
    shop: Shop,
    now: datetime,
    technician_id: str | None = None,
    besides: int | None = None,
    count: int = 3,
) -> list[datetime]:
    """Where else such a job can start, in order of time: on that day if possible, else on the days around it.

    `besides` as in `day_load`.
    """
    found: list[datetime] = []
    for day in _around(shop.local(starts_at).date(), first=shop.local(now).date()):
        load = await day_load(
            session, day, shop=shop, now=now, minutes=minutes, technician_id=technician_id, besides=besides
        )
        found += sorted((slot.starts_at for slot in load if slot.free), key=lambda start: abs(start - starts_at))
        if len(found) >= count:
            break
    return sorted(found[:count])


async def open_days(session: AsyncSession, *, shop: Shop, now: datetime, count: int) -> list[date]:
    """The next days on which a job can still start by the clock, today included."""
    today, last = shop.local(now).date(), slots.last_day(shop=shop, now=now)
    closures = await _closures(session, today, last)
    found: list[date] = []
    day = today
    while day <= last and len(found) < count:
        open_cells = [cell for cell in slots.cells(day, shop) if not slots.too_soon(cell, shop=shop, now=now)]
        if open_cells and slots.why_closed(day, shop, closures) is None:
            found.append(day)
        day += timedelta(days=1)
    return found


async def why_closed(session: AsyncSession, day: date, *, shop: Shop, language: str = "id") -> Say | None:
    """Why the shop is closed that day, as a text for the customer; None when it opens."""
    return slots.why_closed(day, shop, await _closures(session, day, day), language=language)


async def free_technicians(
    session: AsyncSession,
    starts_at: datetime,
    minutes: int,
    *,
    shop: Shop,
    skills: frozenset[str],
    now: datetime | None = None,
    besides: int | None = None,
) -> list[Technician]:
    """Who can do the whole job: on duty that day, with the skills, and without another job then.

    With `now`, a hold that has ended by then makes nobody busy; nor does the booking `besides`, the job itself.
    """
    day = await read_day(session, shop.local(starts_at).date(), shop=shop)
    able = day.can_do(skills)
    job = slots.span(starts_at, minutes, shop)
    if day.closed or not job:
        return []
    busy = await _busy(session, [technician.id for technician in able], job, now=now, besides=besides)
    return [technician for technician in able if technician.id not in busy]


async def _left(
    session: AsyncSession,
    booking_id: int,
    loads: Mapping[datetime, Load],
    *,
    now: datetime,
    technician_id: str | None,
) -> dict[datetime, Load]:
    """The loads of a booking's own cells once it has left them; a hold that has ended doesn't count anyway."""
    own = await session.execute(
        select(Seat.starts_at, Booking.technician_id)
        .join(Booking, Booking.id == Seat.booking_id)
        .where(Seat.booking_id == booking_id, holds_on(now))
    )
    return {
        cell: Load(loads[cell].taken - 1, loads[cell].busy and technician_id != of) for cell, of in own if cell in loads
    }


async def _busy(
    session: AsyncSession, technicians: list[str], cells: list[datetime], *, now: datetime | None, besides: int | None
) -> set[str]:
    query = (
        select(TechnicianCell.technician_id)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id.in_(technicians), TechnicianCell.starts_at.in_(cells), holds_on(now))
        .where(TechnicianCell.booking_id != besides)
    )
    return set(await session.scalars(query))


async def _closures(session: AsyncSession, first: date, last: date) -> dict[date, str]:
    query = select(Closure.day, Closure.reason).where(Closure.day.between(first, last))
    return dict((await session.execute(query)).all())


def _around(day: date, *, first: date) -> Iterator[date]:
    yield day
    for distance in range(1, DAYS_AROUND + 1):
        yield day + timedelta(days=distance)
        if day - timedelta(days=distance) >= first:
            yield day - timedelta(days=distance)
