"""Who on the waitlist could be booked now, and the rule that nobody jumps it. It only reads.

A newcomer takes time, technician and parts like everybody. Then, while the transaction has them locked,
`refuse_if_jumping` checks whether an entry that came before could have been booked without that. If so, the newcomer
is refused, and the entry gets an offer (`core.booking.waitlist_offers`), which follows the same rule.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from core.catalogue import snapshot
from core.context import Context, Work
from core.db.tables import Part, Service, Waiting
from core.pricing.installations import times_of
from core.refusals import SlotFull
from core.schedule import holds, slots
from core.schedule.occupancy import IS_WAITING, DayCapacity, Job, day_capacity, is_busy, jobs_of_day, peak
from core.shop import Shop
from core.states import Location

MAX_READ = 500
"""Entries further behind aren't considered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNeeds:
    """What a waitlist entry takes of the shop, by the services of now."""

    id: int
    """The row of `Waiting`; the lower, the earlier."""
    starts_at: datetime
    ends_at: datetime
    fits: bool
    """Whether the job fits into the opening hours."""
    technician_id: str | None
    skills: frozenset[str]
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a booking has just taken of the shop."""

    booking_id: int
    job: Job
    before: Job | None
    """What the booking held until now; its time isn't taken from anybody."""
    parts: Mapping[str, int]

    def touches(self, needs: EntryNeeds) -> bool:
        """Whether it takes anything that the entry needs."""
        return self.takes_time_of(needs) or not self.parts.keys().isdisjoint(needs.parts)

    def takes_time_of(self, needs: EntryNeeds) -> bool:
        return needs.fits and any(start < needs.ends_at and needs.starts_at < end for start, end in self._new_time())

    def _new_time(self) -> list[tuple[datetime, datetime]]:
        job, before = self.job, self.before
        if before is None or not before.overlaps(job.starts_at, job.ends_at):
            return [(job.starts_at, job.ends_at)]
        spans = [(job.starts_at, before.starts_at), (before.ends_at, job.ends_at)]
        return [(start, end) for start, end in spans if start < end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Jobs and stock, as they were before something was taken."""

    days: Mapping[date, DayCapacity]
    jobs: Mapping[date, Sequence[Job]]
    stock: Mapping[str, int]


async def refuse_if_jumping(ctx: Context, taken: Taken, *, offered_to: int | None) -> None:
    """Raise `SlotFull` or `InsufficientStock` where a booking took what a waitlist entry could be offered now.

    `offered_to`: the booking is the offer to that entry, so only the entries ahead of it count.
    """
    rivals = [needs for needs in await read_entries(ctx, ahead_of=offered_to) if taken.touches(needs)]
    first = next(iter(await offerable(ctx, rivals, without=taken)), None)
    if first is None:
        return
    ctx.effects.work.add(Work.WAITLIST)
    if taken.takes_time_of(first):
        raise SlotFull
    part = min(taken.parts.keys() & first.parts.keys())
    raise await holds.insufficient(ctx.session, part, taken.parts[part])


async def jobs_to_offer(ctx: Context) -> list[Job]:
    """The jobs that are about to be offered to waitlist entries."""
    return [Job(needs.starts_at, needs.ends_at) for needs in await offerable(ctx, await read_entries(ctx))]


async def read_entries(ctx: Context, *, ahead_of: int | None = None) -> list[EntryNeeds]:
    """All waitlist entries (those ahead of one), the earliest first."""
    ahead = Waiting.id < ahead_of if ahead_of is not None else Waiting.id > 0
    query = select(Waiting).where(IS_WAITING, Waiting.starts_at > ctx.now, ahead).order_by(Waiting.id).limit(MAX_READ)
    rows = list(await ctx.session.scalars(query))
    wanted = {service for row in rows for service in row.order["services"]}
    services = {each.id: each for each in await ctx.session.scalars(select(Service).where(Service.id.in_(wanted)))}
    named = {part for row in rows for part, _ in row.order["parts"]}
    rows_of_parts = await ctx.session.execute(select(Part.id, Part.category).where(Part.id.in_(named)))
    categories = dict(rows_of_parts.all())
    return [_needs(row, services, categories, ctx.shop) for row in rows]


async def offerable(ctx: Context, entries: Sequence[EntryNeeds], *, without: Taken | None = None) -> list[EntryNeeds]:
    """The entries that could be booked now, each on its own, if `without` hadn't been taken."""
    if not entries:
        return []
    supply = await _supply(ctx, entries, without)
    earliest = ctx.shop.earliest_start(ctx.shop.contact_time(ctx.now))  # no offer is made before
    return [needs for needs in entries if needs.starts_at >= earliest and _fits(needs, supply, ctx.shop)]


def _fits(needs: EntryNeeds, supply: Supply, shop: Shop) -> bool:
    date_ = shop.local(needs.starts_at).date()
    day, jobs = supply.days[date_], supply.jobs[date_]
    if day.closed or not needs.fits or not _has_technician(needs, day, jobs):
        return False
    has_place = peak(jobs, needs.starts_at, needs.ends_at) < day.cap(needs.starts_at, needs.ends_at)
    return has_place and all(supply.stock.get(part, 0) >= count for part, count in needs.parts.items())


def _has_technician(needs: EntryNeeds, day: DayCapacity, jobs: Sequence[Job]) -> bool:
    able = {technician.id for technician in day.can_do(needs.skills, needs.starts_at, needs.ends_at)}
    if needs.technician_id is None:
        return bool(able) or not day.technicians
    return needs.technician_id in able and not is_busy(jobs, needs.technician_id, needs.starts_at, needs.ends_at)


async def _supply(ctx: Context, entries: Sequence[EntryNeeds], without: Taken | None) -> Supply:
    days = sorted({ctx.shop.local(needs.starts_at).date() for needs in entries})
    parts = {part for needs in entries for part in needs.parts}
    stock = await snapshot.stock(ctx.session, parts) if parts else {}
    return Supply(
        days={day: await day_capacity(ctx, day) for day in days},
        jobs={day: await _jobs(ctx, day, without) for day in days},
        stock={part: count + (without.parts.get(part, 0) if without else 0) for part, count in stock.items()},
    )


async def _jobs(ctx: Context, day: date, without: Taken | None) -> list[Job]:
    if without is None:
        return await jobs_of_day(ctx, day)
    jobs = await jobs_of_day(ctx, day, without=without.booking_id)
    return [*jobs, without.before] if without.before else jobs


def _needs(row: Waiting, services: Mapping[str, Service], categories: Mapping[str, str], shop: Shop) -> EntryNeeds:
    order = row.order
    parts, pieces = Counter[str](), Counter[str]()
    for part, count in order["parts"]:
        parts[part] += count
        pieces[categories.get(part, "")] += count
    chosen = [each for each in order["services"] if each in services]
    work = [services[each] for each in chosen]
    times = times_of(chosen, services, pieces, dict(order.get("times", ())))  # rows of older versions have none
    minutes = sum(services[each].minutes * count for each, count in times.items())
    if order["location"] == Location.ONSITE:
        minutes += shop.onsite_travel_minutes
    return EntryNeeds(
        id=row.id,
        starts_at=row.starts_at,
        ends_at=slots.ends_at(row.starts_at, minutes, shop),
        fits=slots.fits(row.starts_at, minutes, shop),
        technician_id=order["technician_id"],
        skills=frozenset(service.skill for service in work if service.skill),
        parts=parts,
    )
