"""Changes of the catalogue by staff; each increments its version, for the caches. Nothing is deleted: bookings refer to it."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import accumulate
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue import snapshot
from core.context import Context
from core.db.tables import Booking, BookingLine, Part, Service, Technician
from core.refusals import NotFound

Entry = TypeVar("Entry", Part, Service, Technician)
FORM_OPEN = timedelta(days=1)
"""How long a form may stay open before its `stock` counts as a new one."""


async def add(session: AsyncSession, entry: Entry) -> Entry:
    session.add(entry)
    await session.flush()
    await snapshot.bump(session)
    return entry


async def change(session: AsyncSession, table: type[Entry], entry_id: str, values: Mapping[str, object]) -> Entry:
    """Set columns of an entry on offer (`retired_at` ends that); a part's `stock` is what isn't reserved.

    Raises `NotFound`.
    """
    entry = await offered(session, table, entry_id, to_change=True)
    for column, value in values.items():
        if isinstance(entry, Part) and column == "stock" and isinstance(value, int):
            entry.on_hand = value + entry.reserved
        else:
            setattr(entry, column, value)
    await session.flush()
    await snapshot.bump(session)
    return entry


async def offered(session: AsyncSession, table: type[Entry], entry_id: str, *, to_change: bool = False) -> Entry:
    """An entry on offer, locked if it is to be changed; raises `NotFound`."""
    lock = {"key_share": True} if to_change else None
    entry = await session.get(table, entry_id, with_for_update=lock)
    if entry is None or entry.retired_at is not None:
        raise NotFound
    return entry


async def sold_since(ctx: Context, part_id: str, *, stock: int) -> int:
    """How many pieces were sold since a form showed this stock, which then isn't a change; 0 where it is one.

    A form sends all its fields, also those that nobody touched: if the stock it sends is what there was before the
    latest sales, its stock was not touched. The part is locked. Raises `NotFound`.
    """
    part = await offered(ctx.session, Part, part_id, to_change=True)
    sales = (
        select(BookingLine.quantity)
        .join(Booking, Booking.id == BookingLine.booking_id)
        .where(BookingLine.part_id == part_id, Booking.created_at > ctx.now - FORM_OPEN)
        .where(or_(Booking.holding, Booking.completed_at.is_not(None)))
        .order_by(Booking.created_at.desc(), Booking.id.desc())
    )
    before_each = accumulate(await ctx.session.scalars(sales), initial=0)
    return next((sold for sold in before_each if part.stock + sold == stock), 0)
