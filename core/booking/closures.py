"""Days that an admin closes, and opens again."""

from datetime import date

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_into
from core.db.tables import Booking, Closure
from core.schedule import bookings
from core.states import BookingStatus

_NOT_BEGUN = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def close_day(ctx: Context, day: date, reason: str) -> list[Booking]:
    """Close a day for new bookings; customers are told the reason. Returns the bookings that an admin must move."""
    closing = insert_into(ctx.session, Closure).values(day=day, reason=reason)
    await ctx.session.execute(closing.on_conflict_do_update(index_elements=["day"], set_={"reason": reason}))
    return await affected_by_closing(ctx, day)


async def reopen_day(session: AsyncSession, day: date) -> bool:
    """Open a closed day again; False when it wasn't closed by hand."""
    reopened = await session.scalar(delete(Closure).where(Closure.day == day).returning(Closure.day))
    return reopened is not None


async def affected_by_closing(ctx: Context, day: date) -> list[Booking]:
    """The bookings of a day that hold their slot and whose work hasn't begun."""
    return await bookings.of_day(ctx, day, Booking.status.in_(_NOT_BEGUN), Booking.holding)
