"""The progress of a job: on the way, in progress, completed."""

from datetime import date

from core import payment
from core.context import Context
from core.db.tables import Booking, Technician
from core.messaging import outbox
from core.papers import invoices
from core.refusals import InvalidTransition, StillUnpaid, WorkshopJob
from core.schedule import bookings, holds
from core.states import BookingStatus, EventKind, Location, check_move
from core.work import costs, notices, warranty
from core.work.planning import update_technician


async def on_my_way(ctx: Context, booking: Booking, *, actor: str) -> None:
    """The technician sets out for an on-site job. Raises `WorkshopJob`, `InvalidTransition`."""
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.location is not Location.ONSITE:
        raise WorkshopJob
    check_move(booking.status, BookingStatus.IN_PROGRESS)
    bookings.record_event(ctx, booking, EventKind.ON_MY_WAY, actor=actor)
    await notices.on_my_way(ctx, booking)


async def start(ctx: Context, booking: Booking, *, actor: str) -> None:
    """The car is in: confirmed becomes in progress. Raises `InvalidTransition`."""
    booking = await payment.lock_booking(ctx.session, booking.id)
    check_move(booking.status, BookingStatus.IN_PROGRESS)
    booking.status = BookingStatus.IN_PROGRESS
    await outbox.drop(ctx.session, booking.id)  # no reminder is needed any more
    bookings.record_event(ctx, booking, EventKind.STARTED, actor=actor)
    await notices.started(ctx, booking)


async def complete(ctx: Context, booking: Booking, *, actor: str) -> None:
    """Complete a paid job: parts leave the stock, warranties begin, the last invoice is issued (flow.md, step 4).

    Raises `InvalidTransition`, `StillUnpaid`.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    check_move(booking.status, BookingStatus.COMPLETED)
    if booking.remaining:
        raise StillUnpaid(remaining=booking.remaining)
    await costs.withdraw(ctx, booking, actor=actor)
    await holds.consume(ctx, booking)
    _begin_warranties(booking, ctx.shop.local(ctx.now).date())
    booking.status, booking.completed_at = BookingStatus.COMPLETED, ctx.now
    await update_technician(ctx.session, booking.technician_id, total_jobs=Technician.total_jobs + 1)
    papers = await invoices.issue_all(ctx, booking)
    bookings.record_event(ctx, booking, EventKind.COMPLETED, actor=actor)
    await notices.completed(ctx, booking, papers=papers)


async def move_status(ctx: Context, booking: Booking, status: BookingStatus, *, actor: str) -> None:
    """Start or complete the work, for REST's status; raises `InvalidTransition` for any other status."""
    match status:
        case BookingStatus.IN_PROGRESS:
            await start(ctx, booking, actor=actor)
        case BookingStatus.COMPLETED:
            await complete(ctx, booking, actor=actor)
        case _:  # a payment or an assignment confirms; `booking.cancel` cancels
            raise InvalidTransition(now=booking.status, then=status)


def _begin_warranties(booking: Booking, today: date) -> None:
    for line in booking.lines:
        if line.warranty_months:
            line.warranty_until = warranty.ends(today, line.warranty_months)
    booking.warranty_until = max((line.warranty_until for line in booking.lines if line.warranty_until), default=None)
