"""Staff reschedules a booking: the customer's questions without the customer's limits."""

from conversations.after_booking.rescheduling import STEPS, carry_out, choose_booking
from conversations.registry import action
from conversations.staff import jobs, who
from conversations.turn import Flow, Question, Turn, Who
from core.messaging.messages import say
from core.refusals import InvalidTransition
from core.states import BookingStatus


@action("shift", who=Who.ADMIN)
async def shift(turn: Turn, code: str) -> None:
    """Begin to reschedule; raises `InvalidTransition` once work has begun."""
    booking = await who.job(turn, code)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    turn.state.begin(SHIFT.name)
    choose_booking(turn, booking)


async def _finish(turn: Turn) -> Question:
    await carry_out(turn, await who.job(turn, turn.state.about or ""), actor=who.acting(turn).name)
    code, _ = turn.state.close()
    return await jobs.card(turn, code, say("team.shifted"))


async def _refused(turn: Turn, code: str) -> Question:
    return await jobs.card(turn, code)


SHIFT = Flow("staff.shift", STEPS, _finish, who=Who.ADMIN, refused=_refused, cancelled="move.given_up")
