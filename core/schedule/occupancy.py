"""What a day has, and how much of it is taken: closure, technicians on duty, seats in its cells. It only reads.

A hold that has ended by the clock doesn't count, swept or not.
"""

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
    false,
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

# In the index's own words: with a bound value a database wouldn't know that it may use it.
IS_WAITING = text("waiting.state = 'waiting'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day has before anything is booked: why it is closed, who works, how many jobs a slot takes."""

    closed: Say | None
    listed: frozenset[str]
    on_duty: Mapping[str, Technician]
    cap: int
    line: bool
    """Whether anybody at all waits in the line (`line`)."""

    def can_do(self, skills: frozenset[str]) -> list[Technician]:
        """Who works that day and has all these skills."""
        return [technician for technician in self.on_duty.values() if skills <= set(technician.skills)]


async def read_day(ctx: Context, day: date) -> Day:
    """A day's closure and technicians, in one statement."""
    rows = (await ctx.session.execute(_DAY, {"day": day})).all()
    listed = [(technician, leave) for _, technician, leave, _ in rows if technician]
    on_duty = {
        technician.id: technician
        for technician, leave in listed
        if leave is None and technician.is_available and day.weekday() not in technician.days_off
    }
    reason, *_, line = rows[0]
    return Day(
        closed=slots.why_closed(day, ctx.shop, {day: reason} if reason is not None else {}),
        listed=frozenset(technician.id for technician, _ in listed),
        on_duty=on_duty,
        cap=min(ctx.shop.max_bookings_per_slot, len(on_duty)) if listed else ctx.shop.max_bookings_per_slot,
        line=line,
    )


@dataclass(frozen=True, slots=True)
class Load:
    """How many seats of a cell are taken, and whether the technician asked about is busy then."""

    taken: int = 0
    busy: bool = False


async def busy_cells(
    ctx: Context, technicians: Collection[str], cells: Collection[datetime]
) -> set[tuple[str, datetime]]:
    """In which of these cells which of these technicians have a job."""
    query = (
        select(TechnicianCell.technician_id, TechnicianCell.starts_at)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id.in_(technicians), TechnicianCell.starts_at.in_(cells), holds_on(ctx.now))
    )
    return {(technician, cell) for technician, cell in await ctx.session.execute(query)}


async def read_loads(ctx: Context, cells: list[datetime], *, technician_id: str | None) -> dict[datetime, Load]:
    """The load of each of these cells."""
    query = _LOADS if technician_id is None else _LOADS_OF_TECHNICIAN
    asked = {"cells": cells, "now": ctx.now, "technician_id": technician_id}
    found = {start: Load(taken, is_busy) for start, taken, is_busy in await ctx.session.execute(query, asked)}
    return {cell: found.get(cell, Load()) for cell in cells}


def _day_statement() -> Executable:
    # One row there always is, even where there are neither technicians nor a closure.
    always, day = select(literal(1)).subquery(), bindparam("day", type_=Date())
    return (
        select(Closure.reason, Technician, Leave.day, exists(select(Waiting.id).where(IS_WAITING)))
        .select_from(always)
        .outerjoin(Closure, Closure.day == day)
        .outerjoin(Technician, Technician.retired_at.is_(None))
        .outerjoin(Leave, and_(Leave.technician_id == Technician.id, Leave.day == day))
        .order_by(Technician.id)
    )


def _loads_statement(*, of_technician: bool) -> Executable:
    now = bindparam("now", type_=Moment())
    # Each cell by name, not a span: PostgreSQL can't tell how long a span is before it is asked, and would plan anew
    # each time where there are many.
    cells = bindparam("cells", type_=Moment(), expanding=True)
    ended = (
        select(Seat.starts_at, func.count().label("seats"))
        .join(Booking, Booking.id == Seat.booking_id)
        .where(Booking.hold_until <= now, Seat.starts_at.in_(cells))
        .group_by(Seat.starts_at)
        .subquery()
    )
    loads = (
        select(Slot.starts_at, Slot.taken - func.coalesce(ended.c.seats, 0))
        .outerjoin(ended, ended.c.starts_at == Slot.starts_at)
        .where(Slot.starts_at.in_(cells))
    )
    if not of_technician:
        return loads.add_columns(false())
    busy = (
        select(TechnicianCell.starts_at)
        .join(Booking, Booking.id == TechnicianCell.booking_id)
        .where(TechnicianCell.technician_id == bindparam("technician_id"), holds_on(now))
        .where(TechnicianCell.starts_at.in_(cells))
        .subquery()
    )
    return loads.add_columns(busy.c.starts_at.is_not(None)).outerjoin(busy, busy.c.starts_at == Slot.starts_at)


def holds_on(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a booking still holds its places at `now`, swept or not."""
    return or_(Booking.hold_until.is_(None), Booking.hold_until > now)


# Built once: putting such a statement together costs more than running it.
_DAY = _day_statement()
_LOADS = _loads_statement(of_technician=False)
_LOADS_OF_TECHNICIAN = _loads_statement(of_technician=True)
