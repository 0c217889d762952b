"""What a booking holds: the time it spans, its technician then, its parts in stock.

Every change goes through `exchange`, so that all transactions lock in one order and can't deadlock:

    giving ended holds back  ->  the day (in UTC) of the time it takes  ->  parts by id

In one transaction a receipt takes its number before all that, an invoice or a credit note after it.

Time is claimed by one transaction at a time for a day; it counts every booking that holds, also those whose hold
has ended by the clock (their payment may just come in). Stock is a conditional update, which the database refuses.
A refusal may leave part of the exchange written: the caller that catches it rolls back to before (a savepoint, or
the transaction).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC
from types import MappingProxyType

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.context import Context, Work
from core.db.database import advisory_lock
from core.db.tables import Booking, Part
from core.refusals import InsufficientStock, NoTechnician, SlotFull, TechnicianBusy
from core.schedule import occupancy

NO_PARTS: Mapping[str, int] = MappingProxyType({})
_BLIND = {"synchronize_session": False}
"""Stock is never read through the session's objects."""

_GIVING_BACK = "giving ended holds back"


async def exchange(
    ctx: Context,
    *,
    leaving: Sequence[Booking] = (),
    entering: Booking | None = None,
    cap: int = 0,
    gives_back: Mapping[str, int] = NO_PARTS,
) -> None:
    """Give back what the `leaving` bookings hold; `entering` takes its time, its technician and its parts.

    A booking may be on both sides (it moves). One whose lines have changed isn't leaving: `gives_back` are the parts
    that it held before. Lines are loaded. Raises `SlotFull`, `TechnicianBusy`,
    `InsufficientStock`.
    """
    for booking in leaving:
        booking.holding = False
    if leaving or gives_back:
        ctx.effects.work.add(Work.WAITLIST)
    if entering:
        await _claim_time(ctx.session, entering, cap)
    await _shift_stock(ctx.session, leaving, entering, gives_back)
    if entering:
        entering.holding = True


async def change_technician(session: AsyncSession, booking: Booking, *, leaving: Sequence[Booking] = ()) -> None:
    """Give a booking's time to the technician it names now; raises `TechnicianBusy`."""
    for other in leaving:
        other.holding = False
    await _claim_time(session, booking, cap=None)
    await _shift_stock(session, leaving, None)


async def consume(ctx: Context, booking: Booking) -> None:
    """Free the time and the technician of a completed job, and take its parts out of stock for good."""
    await exchange(ctx, leaving=[booking])
    for part_id, quantity in sorted(parts_of(booking).items()):
        await ctx.session.execute(
            update(Part).where(Part.id == part_id).values(on_hand=Part.on_hand - quantity), execution_options=_BLIND
        )


async def lock_ended(ctx: Context) -> list[Booking]:
    """The bookings whose hold has ended by the clock and that hold something still, locked, with their lines.

    One transaction at a time gives them back; the next finds none. A booking that another transaction has locked
    (its payment came in, it is being cancelled) is left to that one.
    """
    over = (Booking.hold_until <= ctx.now, Booking.holding)
    if await ctx.session.scalar(select(Booking.id).where(*over).limit(1)) is None:
        return []
    await advisory_lock(ctx.session, _GIVING_BACK)
    query = select(Booking).where(*over).options(selectinload(Booking.lines))
    query = query.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    return list(await ctx.session.scalars(query))


async def _claim_time(session: AsyncSession, booking: Booking, cap: int | None) -> None:
    """Check that a booking's time is free, and keep it free of others until the transaction ends.

    `cap`: how many jobs there may be at one moment; None: as many as there are.
    """
    await session.flush()  # what has just been given back no longer counts
    for day in sorted({booking.starts_at.astimezone(UTC).date(), booking.ends_at.astimezone(UTC).date()}):
        await advisory_lock(session, f"the time of {day}")
    others = await occupancy.held_jobs(session, booking.starts_at, booking.ends_at, without=booking.id)
    if cap is not None and occupancy.peak(others, booking.starts_at, booking.ends_at) >= cap:
        raise SlotFull if cap else NoTechnician
    if booking.technician_id and occupancy.is_busy(others, booking.technician_id, booking.starts_at, booking.ends_at):
        raise TechnicianBusy


async def _shift_stock(
    session: AsyncSession,
    leaving: Sequence[Booking],
    entering: Booking | None,
    gives_back: Mapping[str, int] = NO_PARTS,
) -> None:
    wanted = parts_of(entering) if entering else Counter[str]()
    change = Counter(wanted)
    change.subtract(gives_back)
    for booking in leaving:
        change.subtract(parts_of(booking))
    for part_id, quantity in sorted(change.items()):
        if quantity and not await _reserve(session, part_id, quantity):
            raise await insufficient(session, part_id, wanted[part_id])


async def _reserve(session: AsyncSession, part_id: str, quantity: int) -> bool:
    reserved = await session.scalar(
        update(Part)
        .where(Part.id == part_id, Part.on_hand - Part.reserved >= quantity)
        .values(reserved=Part.reserved + quantity)
        .returning(Part.id),
        execution_options=_BLIND,
    )
    return reserved is not None


async def insufficient(session: AsyncSession, part_id: str, wanted: int) -> InsufficientStock:
    """The refusal for `wanted` pieces of a part, with the stock of now."""
    query = select(Part.name, Part.on_hand - Part.reserved).where(Part.id == part_id)
    name, stock = (await session.execute(query)).one()
    return InsufficientStock(name=name, wanted=wanted, stock=stock)


def parts_of(booking: Booking) -> Counter[str]:
    """How many of which parts a booking needs; its lines are loaded."""
    parts: Counter[str] = Counter()
    for line in booking.lines:
        if line.part_id:
            parts[line.part_id] += line.quantity
    return parts
