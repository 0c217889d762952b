"""Which waitlist entries could be booked now, and the rule that no booking jumps the waitlist. It only reads.

A booking claims seats, technician and parts. While the transaction has those rows locked, `refuse_if_jumping` checks
whether an earlier entry could have been booked without that. If so, the booking is refused, and the entry gets an offer
(`core.booking.waitlist_offers`), which follows the same rule.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from core.catalogue import snapshot
from core.context import Context, Work
from core.db.tables import Service, Waiting
from core.refusals import SlotFull
from core.schedule import holds, slots
from core.schedule.occupancy import IS_WAITING, DayCapacity, busy_cells, cell_occupancy, day_capacity
from core.shop import Shop
from core.states import Location

MAX_READ = 500
"""Entries further behind aren't considered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNeeds:
    """What a waitlist entry needs, by today's services."""

    id: int
    """Of its row; the lower, the earlier."""
    starts_at: datetime
    cells: frozenset[datetime]
    """Empty where the job doesn't fit into the opening hours."""
    technician_id: str | None
    skills: frozenset[str]
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a booking has just claimed."""

    cells: frozenset[datetime] = frozenset()
    technician_id: str | None = None
    parts: Mapping[str, int] = field(default_factory=dict)

    def touches(self, needs: EntryNeeds) -> bool:
        return not (self.cells.isdisjoint(needs.cells) and self.parts.keys().isdisjoint(needs.parts))


NOTHING = Taken()


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Seats taken, technicians' jobs and stock, without what a booking has just claimed."""

    days: Mapping[date, DayCapacity]
    taken: Mapping[datetime, int]
    busy: frozenset[tuple[str, datetime]]
    stock: Mapping[str, int]


async def refuse_if_jumping(ctx: Context, taken: Taken, *, offered_to: int | None) -> None:
    """Raise `SlotFull` or `InsufficientStock` if a booking claimed what a waitlist entry could be offered now.

    `offered_to`: the booking is the offer to that entry, so only the entries ahead of it count.
    """
    rivals = [needs for needs in await read_entries(ctx, ahead_of=offered_to) if taken.touches(needs)]
    first = next(iter(await offerable(ctx, rivals, without=taken)), None)
    if first is None:
        return
    ctx.effects.work.add(Work.WAITLIST)
    if not taken.cells.isdisjoint(first.cells):
        raise SlotFull
    part = min(taken.parts.keys() & first.parts.keys())
    raise await holds.insufficient(ctx.session, part, taken.parts[part])


async def seats_to_offer(ctx: Context) -> Counter[datetime]:
    """How many seats of which cells will be offered to waitlist entries."""
    entries = await offerable(ctx, await read_entries(ctx))
    return Counter(cell for needs in entries for cell in needs.cells)


async def read_entries(ctx: Context, *, ahead_of: int | None = None) -> list[EntryNeeds]:
    """All waitlist entries (those ahead of one), the earliest first."""
    ahead = Waiting.id < ahead_of if ahead_of is not None else Waiting.id > 0
    query = select(Waiting).where(IS_WAITING, Waiting.starts_at > ctx.now, ahead).order_by(Waiting.id).limit(MAX_READ)
    rows = list(await ctx.session.scalars(query))
    wanted = {service for row in rows for service in row.order["services"]}
    services = {each.id: each for each in await ctx.session.scalars(select(Service).where(Service.id.in_(wanted)))}
    return [_needs(row, services, ctx.shop) for row in rows]


async def offerable(ctx: Context, entries: Sequence[EntryNeeds], *, without: Taken = NOTHING) -> list[EntryNeeds]:
    """The entries that could each be booked now if `without` hadn't been claimed."""
    if not entries:
        return []
    supply = await _supply(ctx, entries, without)
    earliest = ctx.shop.earliest_start(ctx.now)
    return [needs for needs in entries if needs.starts_at >= earliest and _fits(needs, supply, ctx.shop)]


def _fits(needs: EntryNeeds, supply: Supply, shop: Shop) -> bool:
    day = supply.days[shop.local(needs.starts_at).date()]
    if day.closed or not needs.cells or not _has_technician(needs, day, supply):
        return False
    seats = all(supply.taken[cell] < day.cap for cell in needs.cells)
    return seats and all(supply.stock.get(part, 0) >= count for part, count in needs.parts.items())


def _has_technician(needs: EntryNeeds, day: DayCapacity, supply: Supply) -> bool:
    able = {technician.id for technician in day.can_do(needs.skills)}
    if needs.technician_id is None:
        return bool(able) or not day.on_duty
    return needs.technician_id in able and not any((needs.technician_id, cell) in supply.busy for cell in needs.cells)


async def _supply(ctx: Context, entries: Sequence[EntryNeeds], without: Taken) -> Supply:
    days = sorted({ctx.shop.local(needs.starts_at).date() for needs in entries})
    cells = sorted({cell for needs in entries for cell in needs.cells})
    taken, _ = await cell_occupancy(ctx, cells)
    taken.subtract(without.cells)
    named = {needs.technician_id for needs in entries if needs.technician_id}
    busy = await busy_cells(ctx, named, cells) if named else set()
    parts = {part for needs in entries for part in needs.parts}
    stock = await snapshot.stock(ctx.session, parts) if parts else {}
    return Supply(
        days={day: await day_capacity(ctx, day) for day in days},
        taken=taken,
        busy=frozenset(busy) - {(without.technician_id or "", cell) for cell in without.cells},
        stock={part: count + without.parts.get(part, 0) for part, count in stock.items()},
    )


def _needs(row: Waiting, services: Mapping[str, Service], shop: Shop) -> EntryNeeds:
    order = row.order
    work = [services[each] for each in order["services"] if each in services]
    minutes = sum(service.minutes for service in work)
    if order["location"] == Location.ONSITE:
        minutes += shop.onsite_travel_minutes
    parts = Counter[str]()
    for part, count in order["parts"]:
        parts[part] += count
    return EntryNeeds(
        id=row.id,
        starts_at=row.starts_at,
        cells=frozenset(slots.span(row.starts_at, minutes, shop)),
        technician_id=order["technician_id"],
        skills=frozenset(service.skill for service in work if service.skill),
        parts=parts,
    )
