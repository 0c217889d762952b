"""Cancelling a booking with a reason that the customer reads, and recording that the customer didn't come."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.staff.steps import Words
from conversations.turn import Flow, Question, Turn, Who, question
from core.booking import cancel, cancellation_terms, no_show_terms, record_no_show, staff_refund_summary
from core.messaging.messages import Option, say
from core.notices import cards
from core.states import BookingStatus, check_move


@action("call-off", who=Who.ADMIN)
async def call_off(turn: Turn, code: str) -> None:
    """Begin to cancel; raises `InvalidTransition`."""
    booking = await who.job(turn, code)
    check_move(booking.status, BookingStatus.CANCELLED)
    turn.state.begin(CALL_OFF.name, about=code)


@action("no-show", who=Who.STAFF)
async def no_show(turn: Turn, code: str) -> Question:
    """Confirm first, with what it costs the customer."""
    booking = await who.job(turn, code)
    due = await no_show_terms(turn.ctx, booking)
    return question(
        say("team.no_show_sure", code=code, at=turn.shop.local(booking.starts_at)),
        *([cards.block(staff_refund_summary(due))] if due.paid else []),
        options=[
            Option(f"yes-no-show:{code}", say("team.option.yes_no_show")),
            jobs.back_to_job(code),
        ],
    )


@action("yes-no-show", who=Who.STAFF)
async def yes_no_show(turn: Turn, code: str) -> Question:
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await record_no_show(turn.ctx, booking, actor=actor)
    return await jobs.card(turn, code, say("team.no_show_noted"))


class Reason(Words):
    name = "reason"
    max_length = 300

    async def ask(self, turn: Turn) -> Question:
        booking = await who.job(turn, turn.state.about or "")
        terms = await cancellation_terms(turn.ctx, booking, by_customer=False)
        return question(say("team.ask.reason", code=turn.state.about), *staff_refund_summary(terms))


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await cancel(turn.ctx, booking, reason=answers["reason"], actor=actor)
    return await jobs.card(turn, code, say("team.called_off"))


CALL_OFF = Flow("staff.call_off", (Reason(),), _finish, who=Who.ADMIN, strict=True)
