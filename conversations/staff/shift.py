"""Moving somebody's booking: the customer's own questions, without the customer's limits."""

from conversations.after_booking.rescheduling import STEPS, carry_out, comes_again, take_up
from conversations.staff import jobs, who
from conversations.turn import Flow, Question, Turn
from core.messaging.messages import say
from core.refusals import InvalidTransition, Refusal
from core.states import BookingStatus


async def shift(turn: Turn, code: str) -> None:
    """Begin to move a booking; raises `InvalidTransition` once work has begun."""
    booking = await who.job(turn, code)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    turn.state.begin(SHIFT.name)
    take_up(turn, booking)


async def _finish(turn: Turn) -> Question | None:
    code = turn.state.about or ""
    try:
        async with turn.session.begin_nested():
            await carry_out(turn, await who.job(turn, code), actor=who.acting(turn).name)
    except Refusal as refusal:
        if comes_again(turn, refusal):
            return None
        turn.state.begin(None)
        return await jobs.card(turn, code)
    turn.state.begin(None)
    return await jobs.card(turn, code, say("team.shifted"))


SHIFT = Flow("staff.shift", STEPS, _finish, given_up="move.given_up")
