"""Days on which the shop stays closed, set and taken back by an admin."""

from datetime import date, time, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_into
from core.db.tables import Booking, Closure
from core.schedule import bookings
from core.states import BookingStatus

_TO_BE_DONE = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def close_day(ctx: Context, day: date, reason: str) -> list[Booking]:
    """Close a day, for a reason that customers are told; answers the bookings of that day that must be moved.

    Nothing new is booked on it; what is booked stays until an admin moves or cancels it.
    """
    closing = insert_into(ctx.session, Closure).values(day=day, reason=reason)
    await ctx.session.execute(closing.on_conflict_do_update(index_elements=["day"], set_={"reason": reason}))
    return await affected(ctx, day)


async def reopen_day(session: AsyncSession, day: date) -> bool:
    """Open a closed day again; False when it wasn't closed by hand."""
    reopened = await session.scalar(delete(Closure).where(Closure.day == day).returning(Closure.day))
    return reopened is not None


async def affected(ctx: Context, day: date) -> list[Booking]:
    """The bookings of a day that still hold their places and wait to be worked on, loaded as by `bookings.load`."""
    begins = ctx.shop.at(day, time())
    waiting = bookings.loaded().where(
        Booking.starts_at >= begins,
        Booking.starts_at < begins + timedelta(days=1),
        Booking.status.in_(_TO_BE_DONE),
        Booking.holding,
    )
    return list(await ctx.session.scalars(waiting.order_by(Booking.starts_at, Booking.id)))
