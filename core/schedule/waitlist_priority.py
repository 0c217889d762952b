"""The line: who waits for a place that is taken, and who of them could have it now. It only reads.

Nobody jumps the line. A newcomer claims his places like everybody; then, the rows of his slots and parts being
his, `check` looks whether anybody who came before could have had a place without that claim. If so, he is refused, and
those who wait are offered it (`waiting`), which is itself a claim behind all who came before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from core.catalogue import snapshot
from core.context import Context
from core.db.database import Work, leave_work
from core.db.tables import Service, Waiting
from core.refusals import SlotFull
from core.schedule import holds, slots
from core.schedule.occupancy import IS_WAITING, Day, busy_cells, read_day, read_loads
from core.shop import Shop
from core.states import Location

LONGEST = 500
"""Who is further behind isn't looked at yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody in the line needs of the shop, by the services of now."""

    id: int
    """The row of `Waiting`; the lower, the earlier."""
    starts_at: datetime
    cells: frozenset[datetime]
    """Empty where the job doesn't fit into the opening hours."""
    technician_id: str | None
    skills: frozenset[str]
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What somebody has just taken of the shop."""

    cells: frozenset[datetime] = frozenset()
    technician_id: str | None = None
    """Who was free in these cells."""
    parts: Mapping[str, int] = field(default_factory=dict)

    def touches(self, wish: Wish) -> bool:
        """Whether it takes anything that the wish is for."""
        return not (self.cells.isdisjoint(wish.cells) and self.parts.keys().isdisjoint(wish.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What there is: seats taken, technicians' jobs and stock, as they were before a claim."""

    days: Mapping[date, Day]
    taken: Mapping[datetime, int]
    busy: frozenset[tuple[str, datetime]]
    stock: Mapping[str, int]


NOTHING = Claim()


async def check(ctx: Context, claim: Claim, *, before: int | None) -> None:
    """Raise `SlotFull` or `InsufficientStock` where a claim takes what somebody in the line could be offered now.

    `before`: the claim is the offer to that place in the line, so only who stands before it counts.
    """
    rivals = [wish for wish in await read(ctx, before=before) if claim.touches(wish)]
    first = next(iter(await servable(ctx, rivals, without=claim)), None)
    if first is None:
        return
    leave_work(ctx.session, Work.WAITLIST)
    if not claim.cells.isdisjoint(first.cells):
        raise SlotFull
    part = min(claim.parts.keys() & first.parts.keys())
    raise await holds.insufficient(ctx.session, part, claim.parts[part])


async def promised(ctx: Context) -> Counter[datetime]:
    """How many seats of which cells are about to be offered to who waits."""
    wishes = await servable(ctx, await read(ctx))
    return Counter(cell for wish in wishes for cell in wish.cells)


async def read(ctx: Context, *, before: int | None = None) -> list[Wish]:
    """Everybody in the line (before that place), first come first."""
    ahead = Waiting.id < before if before is not None else Waiting.id > 0
    query = select(Waiting).where(IS_WAITING, Waiting.starts_at > ctx.now, ahead).order_by(Waiting.id).limit(LONGEST)
    rows = list(await ctx.session.scalars(query))
    wanted = {service for row in rows for service in row.order["services"]}
    services = {each.id: each for each in await ctx.session.scalars(select(Service).where(Service.id.in_(wanted)))}
    return [_wish(row, services, ctx.shop) for row in rows]


async def servable(ctx: Context, wishes: Sequence[Wish], *, without: Claim = NOTHING) -> list[Wish]:
    """Who of them could be booked now, each for himself, were it not for a claim."""
    if not wishes:
        return []
    supply = await _supply(ctx, wishes, without)
    return [
        wish for wish in wishes if wish.starts_at >= ctx.shop.earliest_start(ctx.now) and _fits(wish, supply, ctx.shop)
    ]


def _fits(wish: Wish, supply: Supply, shop: Shop) -> bool:
    day = supply.days[shop.local(wish.starts_at).date()]
    if day.closed or not wish.cells or not _has_technician(wish, day, supply):
        return False
    seats = all(supply.taken[cell] < day.cap for cell in wish.cells)
    return seats and all(supply.stock.get(part, 0) >= count for part, count in wish.parts.items())


def _has_technician(wish: Wish, day: Day, supply: Supply) -> bool:
    able = {technician.id for technician in day.can_do(wish.skills)}
    if wish.technician_id is None:
        return bool(able) or not day.on_duty
    return wish.technician_id in able and not any((wish.technician_id, cell) in supply.busy for cell in wish.cells)


async def _supply(ctx: Context, wishes: Sequence[Wish], without: Claim) -> Supply:
    days = sorted({ctx.shop.local(wish.starts_at).date() for wish in wishes})
    cells = sorted({cell for wish in wishes for cell in wish.cells})
    loads = await read_loads(ctx, cells, technician_id=None)
    named = {wish.technician_id for wish in wishes if wish.technician_id}
    busy = await busy_cells(ctx, named, cells) if named else set()
    parts = {part for wish in wishes for part in wish.parts}
    stock = await snapshot.stock(ctx.session, parts) if parts else {}
    return Supply(
        days={day: await read_day(ctx, day) for day in days},
        taken={cell: load.taken - (cell in without.cells) for cell, load in loads.items()},
        busy=frozenset(busy) - {(without.technician_id or "", cell) for cell in without.cells},
        stock={part: count + without.parts.get(part, 0) for part, count in stock.items()},
    )


def _wish(row: Waiting, services: Mapping[str, Service], shop: Shop) -> Wish:
    order = row.order
    work = [services[each] for each in order["services"] if each in services]
    minutes = sum(service.minutes for service in work)
    if order["location"] == Location.ONSITE:
        minutes += shop.onsite_travel_minutes
    parts = Counter[str]()
    for part, count in order["parts"]:
        parts[part] += count
    return Wish(
        id=row.id,
        starts_at=row.starts_at,
        cells=frozenset(slots.span(row.starts_at, minutes, shop)),
        technician_id=order["technician_id"],
        skills=frozenset(service.skill for service in work if service.skill),
        parts=parts,
    )
