"""Who is staff: known by the chat they write from (`Shop.staff`); everybody else is a customer."""

from conversations.turn import Turn
from core.db.tables import Booking
from core.pricing import policy
from core.refusals import NotFound
from core.schedule import bookings
from core.shop import StaffMember


def member(turn: Turn) -> StaffMember | None:
    """The staff member who writes, None for a customer."""
    return turn.shop.member_at(turn.contact.channel, turn.contact.address)


def acting(turn: Turn) -> StaffMember:
    """The staff member who writes; raises `NotFound` for a customer, for whom nothing here exists."""
    found = member(turn)
    if found is None:
        raise NotFound
    return found


def is_admin(turn: Turn) -> bool:
    """Whether an admin writes."""
    found = member(turn)
    return found is not None and found.role == "admin"


async def job(turn: Turn, code: str) -> Booking:
    """A booking that the writer may work on; raises `NotFound`, `NotAssigned`."""
    booking = await bookings.load(turn.session, code=code)
    policy.check_may_work_on(acting(turn), booking.technician_id)
    return booking
