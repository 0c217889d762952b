"""/api/bookings for staff: assign, progress, notes, additional costs; and the admin's dashboard."""

from core import media, work
from core.booking import cancel
from core.context import Context
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
    async with call.read() as ctx:
        return Figures.model_validate(await overview.dashboard(ctx.session))


@endpoint("POST", "/api/bookings/{id}/assign-technician", who=Who.ADMIN, also=(409,))
async def assign_technician(call: Call, body: Assignment) -> BookingShown:
    """Assign a technician, which confirms the booking."""
    async with call.write() as ctx:
        booking, actor = await _job(ctx, call)
        await work.assign(ctx, booking, body.technician_id, actor=actor)
        return await again(ctx, call)


@endpoint("PATCH", "/api/bookings/{id}/status", who=Who.STAFF, also=(409,))
async def move_status(call: Call, body: StatusWanted) -> BookingShown:
    """Start, complete or cancel the work."""
    async with call.write() as ctx:
        booking, actor = await _job(ctx, call)
        if body.status is BookingStatus.CANCELLED:
            await cancel(ctx, booking, reason="", actor=actor)
        else:
            await work.move_status(ctx, booking, body.status, actor=actor)
        return await again(ctx, call)


@endpoint("POST", "/api/bookings/{id}/work-notes", who=Who.STAFF, status=201, also=(409,), files="photos")
async def add_work_note(call: Call, body: NewNote) -> BookingShown:
    """Send the customer a note on the work, with photos or links to photos."""
    if not all(media.is_link(photo) for photo in body.photos):
        raise BadPhotos(most=media.MOST_PHOTOS)
    async with call.read() as ctx:
        await visible(ctx, call)  # before anything is stored
    photos = [*body.photos, *[await call.api.keep_photo(content) for content in call.files]]
    async with call.write() as ctx:
        booking, actor = await _job(ctx, call)
        await work.add_note(ctx, booking, body.note, photos=photos, actor=actor)
        return await again(ctx, call)


@endpoint("POST", "/api/bookings/{id}/additional-cost", who=Who.STAFF, status=201, also=(409,))
async def add_cost(call: Call, body: NewCost) -> BookingShown:
    """Add a cost; over REST it counts as agreed."""
    async with call.write() as ctx:
        booking, actor = await _job(ctx, call)
        await work.add_cost(ctx, booking, body.description, body.amount, agreed=True, photo=None, actor=actor)
        return await again(ctx, call)


async def _job(ctx: Context, call: Call) -> tuple[Booking, str]:
    """The booking in the path as staff may work on it, and the staff member's name.

    A booking that a technician made as a customer isn't their job.
    """
    member = call.user.staff
    if member is None:
        raise Denied(403, "forbidden")
    booking, _ = await visible(ctx, call)
    check_may_work_on(member, booking.technician_id)
    return booking, member.name
