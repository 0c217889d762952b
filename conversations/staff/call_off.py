"""Cancelling somebody's booking, with a reason that the customer reads."""

from conversations.staff import jobs, who
from conversations.staff.steps import Words
from conversations.turn import Flow, Question, Turn, question
from core.booking import cancellation
from core.messaging.messages import say
from core.states import BookingStatus, check_move


async def call_off(turn: Turn, code: str) -> None:
    """Begin to cancel a booking; raises `InvalidTransition`."""
    booking = await who.job(turn, code)
    check_move(booking.status, BookingStatus.CANCELLED)
    turn.state.begin(CALL_OFF.name, about=code)


class Reason(Words):
    """Why; with it the booking is cancelled."""

    name = "reason"
    longest = 300

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        booking = await who.job(turn, turn.state.about or "")
        terms = await cancellation.offer(turn.ctx, booking, by_customer=False)
        return question(say("team.ask.reason", code=turn.state.about), *cancellation.sums(terms))


async def _finish(turn: Turn) -> Question:
    code, reason = turn.state.about or "", turn.state.get("reason")
    turn.state.begin(None)
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await cancellation.cancel(turn.ctx, booking, reason=reason, actor=actor)
    return await jobs.card(turn, code, say("team.called_off"))


CALL_OFF = Flow("staff.call_off", (Reason(),), _finish, strict=True)
