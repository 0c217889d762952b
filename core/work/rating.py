"""Ratings of completed jobs."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Booking, Rating, Technician
from core.messaging import outbox
from core.refusals import AlreadyRated, BadRating, NotCompleted, NotFound
from core.schedule import bookings
from core.states import BookingStatus, EventKind
from core.work.planning import update_technician


async def rate(ctx: Context, booking: Booking, stars: int, comment: str | None, *, customer_id: int) -> None:
    """Rate a completed job with 1 to 5 stars, once; they count for its technician.

    Raises `NotFound` unless it is a booking of this customer's, `BadRating`, `NotCompleted`, `AlreadyRated`.
    """
    if booking.customer_id != customer_id:
        raise NotFound
    if not 1 <= stars <= 5:
        raise BadRating
    if booking.status is not BookingStatus.COMPLETED:
        raise NotCompleted
    new = await insert_once(
        ctx.session,
        Rating,
        booking_id=booking.id,
        technician_id=booking.technician_id,
        stars=stars,
        comment=comment,
        at=ctx.now,
    )
    if not new:
        raise AlreadyRated
    bookings.record_event(ctx, booking, EventKind.RATED, actor=bookings.CUSTOMER, stars=stars)
    await outbox.drop(ctx.session, booking.id)  # the request for a rating, if it is still queued
    rating_sum, rating_count = Technician.rating_sum + stars, Technician.rating_count + 1
    await update_technician(ctx.session, booking.technician_id, rating_sum=rating_sum, rating_count=rating_count)


async def comment_on(session: AsyncSession, booking: Booking, comment: str, *, customer_id: int) -> None:
    """Add a comment to a rating that has none. Raises `NotFound`, `AlreadyRated`."""
    rating = await session.get(Rating, booking.id, with_for_update=True)
    if rating is None or booking.customer_id != customer_id:
        raise NotFound
    if rating.comment is not None:
        raise AlreadyRated
    rating.comment = comment
