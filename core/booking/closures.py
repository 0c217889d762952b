"""Days that an admin closes, and opens again."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import delete, select

from core.booking.impossible import review
from core.context import Context, Work
from core.db.database import insert_into
from core.db.tables import Booking, Closure
from core.refusals import BadClosure
from core.schedule import bookings
from core.states import BookingStatus

MOST_DAYS = 366
"""How many days are closed at a time."""
_NOT_BEGUN = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def close_day(ctx: Context, day: date, reason: str) -> list[Booking]:
    """Close a day for new bookings; customers are told the reason. Returns the bookings that an admin must settle."""
    await close_days(ctx, day, day, reason)
    return await affected_by_closing(ctx, day)


async def close_days(ctx: Context, first: date, last: date, reason: str) -> list[date]:
    """`close_day` for all days from first to last, which are returned. Raises `BadClosure`."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if not days or len(days) > MOST_DAYS or last < ctx.shop.local(ctx.now).date():
        raise BadClosure
    closing = insert_into(ctx.session, Closure).values([{"day": day, "reason": reason} for day in days])
    await ctx.session.execute(closing.on_conflict_do_update(index_elements=["day"], set_={"reason": reason}))
    await review(ctx)
    return days


async def reopen_day(ctx: Context, day: date) -> bool:
    """Open a closed day again; False when it wasn't closed by hand."""
    reopened = await ctx.session.scalar(delete(Closure).where(Closure.day == day).returning(Closure.day))
    if reopened is None:
        return False
    ctx.effects.work.add(Work.WAITLIST)
    await review(ctx)
    return True


async def closed_days(ctx: Context) -> Sequence[Closure]:
    """The days from today on that are closed by hand."""
    from_today = select(Closure).where(Closure.day >= ctx.shop.local(ctx.now).date())
    return (await ctx.session.scalars(from_today.order_by(Closure.day))).all()


async def affected_by_closing(ctx: Context, day: date) -> list[Booking]:
    """The bookings of a day that hold their slot and whose work hasn't begun."""
    return await bookings.of_day(ctx, day, Booking.status.in_(_NOT_BEGUN), Booking.holding)
