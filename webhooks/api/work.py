"""/api/bookings for staff: assign, progress, notes, additional costs; and the admin's dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from core import media, work
from core.booking import cancel
from core.db.tables import Booking
from core.pricing.policy import check_may_work_on
from core.refusals import BadPhotos
from core.reports import overview
from core.states import BookingStatus
from webhooks.api.answers import Denied
from webhooks.api.bookings import again, visible
from webhooks.api.endpoint import Call, Who, endpoint
from webhooks.api.models.bookings import Assignment, BookingShown, Figures, NewCost, NewNote, StatusWanted


@endpoint("GET", "/api/bookings/statistics/dashboard", who=Who.ADMIN)
async def get_dashboard(call: Call) -> Figures:
    """Bookings by status, and the revenue."""
    async with call.api.database.read() as session:
        figures = asdict(await overview.dashboard(session))
    revenue = figures.pop("revenue")
    return Figures(total_revenue=revenue, **{f"{name}_bookings": count for name, count in figures.items()})


@endpoint("POST", "/api/bookings/{id}/assign-technician", who=Who.ADMIN, also=(409,))
async def assign_technician(call: Call, body: Assignment) -> BookingShown:
    """Assign a technician, which confirms the booking."""
    async with _job(call) as (session, booking, actor):
        await work.assign(call.context(session), booking, body.technician_id, actor=actor)
        return await again(session, call)


@endpoint("PATCH", "/api/bookings/{id}/status", who=Who.STAFF, also=(409,))
async def move_status(call: Call, body: StatusWanted) -> BookingShown:
    """Start, complete or cancel the work."""
    async with _job(call) as (session, booking, actor):
        if body.status is BookingStatus.CANCELLED:
            await cancel(call.context(session), booking, reason="", actor=actor)
        else:
            await work.move_status(call.context(session), booking, body.status, actor=actor)
        return await again(session, call)


@endpoint("POST", "/api/bookings/{id}/work-notes", who=Who.STAFF, status=201, also=(409,), takes_files=True)
async def add_work_note(call: Call, body: NewNote) -> BookingShown:
    """Send the customer a note on the work, with photos or links to photos."""
    if not all(media.is_link(photo) for photo in body.photos):
        raise BadPhotos(most=media.MOST_PHOTOS)
    async with call.api.database.read() as session:
        await visible(session, call)  # before anything is stored
    stored = [await call.api.keep_photo(content) for content in call.files]
    async with _job(call) as (session, booking, actor):
        photos = [*body.photos, *stored]
        await work.add_note(call.context(session), booking, body.note, photos=photos, actor=actor)
        return await again(session, call)


@endpoint("POST", "/api/bookings/{id}/additional-cost", who=Who.STAFF, status=201, also=(409,))
async def add_cost(call: Call, body: NewCost) -> BookingShown:
    """Add a cost; over REST it counts as agreed."""
    async with _job(call) as (session, booking, actor):
        await work.add_cost(
            call.context(session), booking, body.description, body.amount, agreed=True, photo=None, actor=actor
        )
        return await again(session, call)


@asynccontextmanager
async def _job(call: Call) -> AsyncIterator[tuple[AsyncSession, Booking, str]]:
    """A transaction, the booking in the path as staff may see it, and the staff member's name; wakes the workers at the end.

    A booking that a technician made as a customer isn't their job.
    """
    member = call.user.staff
    if member is None:
        raise Denied(403, "forbidden")
    async with call.api.database.write() as session:
        booking = await visible(session, call)
        check_may_work_on(member, booking.technician_id)
        yield session, booking, member.name
    call.api.wake()
