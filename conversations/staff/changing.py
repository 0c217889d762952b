"""Staff changes a booking: reschedules it, cancels it with a reason, records that the customer didn't come."""

from conversations.after_booking.rescheduling import STEPS, carry_out, choose_booking
from conversations.registry import action
from conversations.staff import jobs
from conversations.turn import Flow, Question, Turn, Who, Words, question
from core.booking import cancel, cancellation_terms, no_show_terms, record_no_show, staff_refund_summary
from core.messaging.messages import Option, say
from core.notices import cards
from core.refusals import InvalidTransition
from core.states import BookingStatus, check_move


@action("shift", who=Who.ADMIN)
async def shift(turn: Turn, code: str) -> None:
    """Begin the customer's questions without the customer's limits; raises `InvalidTransition` once work has begun."""
    booking = await turn.job(code)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    turn.state.begin(SHIFT.name)
    choose_booking(turn, booking)


async def _shift(turn: Turn) -> Question:
    await carry_out(turn, await turn.job(turn.state.about or ""), actor=turn.staff.name)
    code, _ = turn.state.close()
    return await jobs.done(turn, code, say("team.shifted"), technician=True)


@action("call-off", who=Who.ADMIN)
async def call_off(turn: Turn, code: str) -> None:
    """Begin to cancel; raises `InvalidTransition`."""
    booking = await turn.job(code)
    check_move(booking.status, BookingStatus.CANCELLED)
    turn.state.begin(CALL_OFF.name, about=code)


class Reason(Words):
    name = "reason"
    max_length = 300

    async def ask(self, turn: Turn) -> Question:
        booking = await turn.job(turn.state.about or "")
        terms = await cancellation_terms(turn.ctx, booking, by_customer=False)
        return question(say("team.ask.reason", code=turn.state.about), *staff_refund_summary(terms))


async def _cancel(turn: Turn) -> Question:
    code, answers = turn.state.close()
    await cancel(turn.ctx, await turn.job(code), reason=answers["reason"], actor=turn.staff.name)
    return await jobs.done(turn, code, say("team.called_off"), technician=True)


@action("no-show", who=Who.STAFF)
async def no_show(turn: Turn, code: str) -> Question:
    booking = await turn.job(code)
    due = await no_show_terms(turn.ctx, booking)
    return question(
        say("team.no_show_sure", code=code, at=turn.shop.local(booking.starts_at)),
        *([cards.block(staff_refund_summary(due))] if due.paid else []),
        options=[Option(f"yes-no-show:{code}", say("team.option.yes_no_show")), jobs.back_to_job(code)],
    )


@action("yes-no-show", who=Who.STAFF)
async def yes_no_show(turn: Turn, code: str) -> Question:
    await record_no_show(turn.ctx, await turn.job(code), actor=turn.staff.name)
    return await jobs.done(turn, code, say("team.no_show_noted"))


SHIFT = Flow("staff.shift", STEPS, _shift, who=Who.ADMIN, refused=jobs.card, cancelled="move.given_up")
CALL_OFF = Flow("staff.call_off", (Reason(),), _cancel, who=Who.ADMIN, strict=True)
