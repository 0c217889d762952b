"""Which staff member acts, and on which job."""

from conversations.turn import Turn
from core.db.tables import Booking
from core.pricing import policy
from core.refusals import NotFound
from core.schedule import bookings
from core.shop import StaffMember


def acting(turn: Turn) -> StaffMember:
    """The staff member who writes; raises `NotFound` for a customer."""
    if turn.member is None:
        raise NotFound
    return turn.member


async def job(turn: Turn, code: str) -> Booking:
    """A booking that the writer may work on; raises `NotFound`, `NotAssigned`."""
    booking = await bookings.load(turn.session, code=code)
    policy.check_may_work_on(acting(turn), booking.technician_id)
    return booking
