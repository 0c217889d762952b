"""What a booking holds: seats in the slots it spans, its technician's cells, its parts in stock.

Every change goes through `exchange`, so that all transactions lock in one order and can't deadlock:

    ended holds  ->  slots by time  ->  technician's cells  ->  parts by id

A receipt takes its number before all that, an invoice or a credit note after it.

The database refuses: a slot's seat is a conditional upsert, a technician's cell a primary key, stock a conditional
update. A refusal may leave part of the exchange written: the caller that catches it rolls back (a savepoint, or the
transaction).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.context import Context, Work
from core.db.database import advisory_lock, insert_into
from core.db.tables import Booking, Part, Seat, Slot, TechnicianCell
from core.refusals import InsufficientStock, SlotFull, TechnicianBusy

_BLIND = {"synchronize_session": False}
"""These tables are never read through the session's objects."""

_GIVING_BACK = "giving ended holds back"


async def exchange(
    ctx: Context,
    *,
    leaving: Sequence[Booking] = (),
    entering: Booking | None = None,
    cells: Collection[datetime] = (),
    cap: int = 0,
) -> None:
    """Give back what the `leaving` bookings hold; `entering` takes these cells, its technician and its parts.

    A booking that moves is on both sides. Raises `SlotFull`, `TechnicianBusy`, `InsufficientStock`.
    """
    if leaving:
        await _leave(ctx.session, leaving, also=cells)
        ctx.effects.work.add(Work.WAITLIST)
    if entering:
        await _enter(ctx.session, entering, cells, cap)
    await _shift_stock(ctx.session, leaving, entering)
    for booking in leaving:
        booking.holding = False
    if entering:
        entering.holding = True


async def change_technician(session: AsyncSession, booking: Booking, *, leaving: Sequence[Booking] = ()) -> None:
    """Move a booking's cells to the technician it names now; raises `TechnicianBusy`."""
    cells = await cells_of(session, booking)
    await _leave(session, leaving, also=cells)
    await session.execute(
        delete(TechnicianCell).where(TechnicianCell.booking_id == booking.id), execution_options=_BLIND
    )
    await _claim_technician(session, booking, sorted(cells))
    await _shift_stock(session, leaving, None)
    for other in leaving:
        other.holding = False


async def consume(ctx: Context, booking: Booking) -> None:
    """Free a completed job's seats and technician, and take its parts out of stock."""
    await exchange(ctx, leaving=[booking])
    for part_id, quantity in sorted(parts_of(booking).items()):
        await ctx.session.execute(
            update(Part).where(Part.id == part_id).values(on_hand=Part.on_hand - quantity), execution_options=_BLIND
        )


async def lock_ended(ctx: Context) -> list[Booking]:
    """The bookings whose hold has ended but isn't given back yet, locked, with their lines.

    One transaction at a time gives them back; a booking that another one has locked (it is being paid or cancelled) is
    left to it.
    """
    over = (Booking.hold_until <= ctx.now, Booking.holding)
    if await ctx.session.scalar(select(Booking.id).where(*over).limit(1)) is None:
        return []
    await advisory_lock(ctx.session, _GIVING_BACK)
    query = select(Booking).where(*over).options(selectinload(Booking.lines))
    query = query.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    return list(await ctx.session.scalars(query))


async def _leave(session: AsyncSession, bookings: Sequence[Booking], *, also: Iterable[datetime]) -> None:
    ids = [booking.id for booking in bookings]
    left = set(await session.scalars(select(Seat.starts_at).where(Seat.booking_id.in_(ids))))
    await _lock(session, {*left, *also})
    seats = select(func.count()).where(Seat.starts_at == Slot.starts_at, Seat.booking_id.in_(ids)).scalar_subquery()
    await session.execute(
        update(Slot).where(Slot.starts_at.in_(left)).values(taken=Slot.taken - seats), execution_options=_BLIND
    )
    await session.execute(delete(Seat).where(Seat.booking_id.in_(ids)), execution_options=_BLIND)
    await session.execute(delete(TechnicianCell).where(TechnicianCell.booking_id.in_(ids)), execution_options=_BLIND)


async def _enter(session: AsyncSession, booking: Booking, cells: Collection[datetime], cap: int) -> None:
    await _claim(session, cells, cap)
    await session.execute(insert(Seat), [{"booking_id": booking.id, "starts_at": cell} for cell in cells])
    if booking.technician_id:
        await _claim_technician(session, booking, cells)


async def _claim(session: AsyncSession, cells: Collection[datetime], cap: int) -> None:
    if cap == 0:
        raise SlotFull
    upsert = insert_into(session, Slot)
    claimed = await session.scalars(
        upsert.on_conflict_do_update(
            index_elements=["starts_at"],
            set_={"taken": Slot.taken + 1, "cap": upsert.excluded.cap},
            where=Slot.taken < upsert.excluded.cap,
        ).returning(Slot.starts_at),
        [{"starts_at": cell, "cap": cap, "taken": 1} for cell in cells],
    )
    if len(claimed.all()) < len(cells):
        raise SlotFull


async def _claim_technician(session: AsyncSession, booking: Booking, cells: Collection[datetime]) -> None:
    claimed = await session.scalars(
        insert_into(session, TechnicianCell).on_conflict_do_nothing().returning(TechnicianCell.starts_at),
        [{"technician_id": booking.technician_id, "starts_at": cell, "booking_id": booking.id} for cell in cells],
    )
    if len(claimed.all()) < len(cells):
        raise TechnicianBusy


async def _lock(session: AsyncSession, cells: Collection[datetime]) -> None:
    # An upsert that changes nothing also locks slots whose row doesn't exist yet.
    await session.execute(
        insert_into(session, Slot).on_conflict_do_update(index_elements=["starts_at"], set_={"cap": Slot.cap}),
        [{"starts_at": cell, "cap": 0, "taken": 0} for cell in sorted(cells)],
    )


async def _shift_stock(session: AsyncSession, leaving: Sequence[Booking], entering: Booking | None) -> None:
    wanted = parts_of(entering) if entering else Counter[str]()
    change = Counter(wanted)
    for booking in leaving:
        change.subtract(parts_of(booking))
    for part_id, quantity in sorted(change.items()):
        if not quantity:
            continue
        enough = update(Part).where(Part.id == part_id, Part.on_hand - Part.reserved >= quantity)
        reserve = enough.values(reserved=Part.reserved + quantity).returning(Part.id)
        if await session.scalar(reserve, execution_options=_BLIND) is None:
            raise await insufficient(session, part_id, wanted[part_id])


async def insufficient(session: AsyncSession, part_id: str, wanted: int) -> InsufficientStock:
    """The refusal for `wanted` pieces of a part, with the stock of now."""
    query = select(Part.name, Part.on_hand - Part.reserved).where(Part.id == part_id)
    name, stock = (await session.execute(query)).one()
    return InsufficientStock(name=name, wanted=wanted, stock=stock)


async def cells_of(session: AsyncSession, booking: Booking) -> Sequence[datetime]:
    """The cells in which a booking holds a seat."""
    return (await session.scalars(select(Seat.starts_at).where(Seat.booking_id == booking.id))).all()


def parts_of(booking: Booking) -> Counter[str]:
    """How many of which parts a booking needs; its lines are loaded."""
    parts = Counter[str]()
    for line in booking.lines:
        if line.part_id:
            parts[line.part_id] += line.quantity
    return parts
