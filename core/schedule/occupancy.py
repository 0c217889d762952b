"""What a day offers, and how much of it is taken: closure, technicians on duty, seats in its cells. It only reads.

A hold that has ended by the clock doesn't count, even before `bookings.release_ended_holds` has run.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Executable,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)

from core.context import Context
from core.db.tables import Booking, Closure, Leave, Moment, Seat, Slot, Technician, TechnicianCell, Waiting
from core.messaging.messages import Say
from core.schedule import slots

# Written as in the partial index: with a bound value the database can't tell that the index applies.
IS_WAITING = text("waiting.state = 'waiting'")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCapacity:
    """What a day offers before anything is booked."""

    closed: Say | None
    """Why it is closed, for the customer; None when it opens."""
    listed: frozenset[str]
    """The ids of all technicians, on duty or not."""
    on_duty: Mapping[str, Technician]
    cap: int
    """How many jobs a slot takes."""
    has_waitlist: bool
    """Whether the waitlist, for any day, has an entry: without one `waitlist_priority` needn't be asked."""

    def can_do(self, skills: frozenset[str]) -> list[Technician]:
        """The technicians on duty who have all these skills."""
        return [technician for technician in self.on_duty.values() if skills <= set(technician.skills)]


async def day_capacity(ctx: Context, day: date) -> DayCapacity:
    """A day's closure and technicians, in one statement."""
    rows = (await ctx.session.execute(_DAY, {"day": day})).all()
    listed = [(technician, leave) for _, technician, leave, _ in rows if technician]
    on_duty = {
        technician.id: technician
        for technician, leave in listed
        if leave is None and technician.is_available and day.weekday() not in technician.days_off
    }
    reason, *_, has_waitlist = rows[0]
    return DayCapacity(
        closed=slots.why_closed(day, ctx.shop, {day: reason} if reason is not None else {}),
        listed=frozenset(technician.id for technician, _ in listed),
        on_duty=on_duty,
        cap=min(ctx.shop.max_bookings_per_slot, len(on_duty)) if listed else ctx.shop.max_bookings_per_slot,
        has_waitlist=has_waitlist,
    )


async def busy_cells(
    ctx: Context, technicians: Collection[str], cells: Collection[datetime], *, moving: int | None = None
) -> set[tuple[str, datetime]]:
    """Pairs of technician and cell: who of these has a job in which of these cells, except the booking `moving`."""
    query = (
        select(TechnicianCell.technician_id, TechnicianCell.starts_at)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id.in_(technicians), TechnicianCell.starts_at.in_(cells), holds_on(ctx.now))
        .where(TechnicianCell.booking_id != moving)
    )
    return {(technician, cell) for technician, cell in await ctx.session.execute(query)}


async def cell_occupancy(
    ctx: Context, cells: list[datetime], *, technician_id: str | None = None, moving: int | None = None
) -> tuple[Counter[datetime], set[datetime]]:
    """How many seats of each cell are taken, and in which the technician is busy, without the booking `moving`."""
    values = {"cells": cells, "now": ctx.now, "technician_id": technician_id, "moving": moving}
    rows = (await ctx.session.execute(_OCCUPANCY, values)).all()
    return Counter({cell: taken for cell, taken, _ in rows}), {cell for cell, _, is_busy in rows if is_busy}


def _day_statement() -> Executable:
    # Always gives a row, even where there are neither technicians nor a closure.
    always, day = select(literal(1)).subquery(), bindparam("day", type_=Date())
    return (
        select(Closure.reason, Technician, Leave.day, exists(select(Waiting.id).where(IS_WAITING)))
        .select_from(always)
        .outerjoin(Closure, Closure.day == day)
        .outerjoin(Technician, Technician.retired_at.is_(None))
        .outerjoin(Leave, and_(Leave.technician_id == Technician.id, Leave.day == day))
        .order_by(Technician.id)
    )


def _occupancy_statement() -> Executable:
    now = bindparam("now", type_=Moment())
    # A list of cells, not a range: PostgreSQL can't estimate a bound range and would plan each call again.
    cells = bindparam("cells", type_=Moment(), expanding=True)
    moving: BindParameter[int] = bindparam("moving")
    ended = (
        select(Seat.starts_at, func.count().label("seats"))
        .join(Booking, Booking.id == Seat.booking_id)
        .where(Booking.hold_until <= now, Seat.starts_at.in_(cells))
        .group_by(Seat.starts_at)
        .subquery()
    )
    own = (
        select(func.count())
        .where(Seat.booking_id == moving, Seat.starts_at == Slot.starts_at)
        .where(Booking.id == Seat.booking_id, holds_on(now))
        .scalar_subquery()
    )
    busy = (
        select(TechnicianCell.starts_at)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id == bindparam("technician_id"), TechnicianCell.starts_at.in_(cells))
        .where(holds_on(now), TechnicianCell.booking_id.is_distinct_from(moving))
        .subquery()
    )
    return (
        select(Slot.starts_at, Slot.taken - func.coalesce(ended.c.seats, 0) - own, busy.c.starts_at.is_not(None))
        .outerjoin(ended, ended.c.starts_at == Slot.starts_at)
        .outerjoin(busy, busy.c.starts_at == Slot.starts_at)
        .where(Slot.starts_at.in_(cells))
    )


def holds_on(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a booking still holds its slots at `now`."""
    return or_(Booking.hold_until.is_(None), Booking.hold_until > now)


# Built once: building such a statement costs more than running it.
_DAY = _day_statement()
_OCCUPANCY = _occupancy_statement()
