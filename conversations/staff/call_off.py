"""Cancelling a booking, with a reason that the customer reads."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.staff.steps import Words
from conversations.turn import Flow, Question, Turn, Who, question
from core.booking import cancellation
from core.messaging.messages import say
from core.states import BookingStatus, check_move


@action("call-off", who=Who.ADMIN)
async def call_off(turn: Turn, code: str) -> None:
    """Begin to cancel; raises `InvalidTransition`."""
    booking = await who.job(turn, code)
    check_move(booking.status, BookingStatus.CANCELLED)
    turn.state.begin(CALL_OFF.name, about=code)


class Reason(Words):
    name = "reason"
    max_length = 300

    async def ask(self, turn: Turn) -> Question:
        booking = await who.job(turn, turn.state.about or "")
        terms = await cancellation.offer(turn.session, booking, by_customer=False, shop=turn.shop, now=turn.now)
        return question(say("team.ask.reason", code=turn.state.about), *cancellation.sums(terms))


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await cancellation.cancel(
        turn.session, booking, reason=answers["reason"], actor=actor, shop=turn.shop, now=turn.now
    )
    return await jobs.card(turn, code, say("team.called_off"))


CALL_OFF = Flow("staff.call_off", (Reason(),), _finish, who=Who.ADMIN, strict=True)
