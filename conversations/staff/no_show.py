"""The customer didn't come: recorded after one question, once the job's time has come."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.turn import Question, Turn, Who, question
from core.booking import cancellation
from core.messaging.messages import Option, say
from core.notices import booking_notices


@action("no-show", who=Who.STAFF)
async def no_show(turn: Turn, code: str) -> Question:
    """Confirm first, with what it costs the customer."""
    booking = await who.job(turn, code)
    due = await cancellation.offer_for_no_show(turn.session, booking, shop=turn.shop, now=turn.now)
    return question(
        say("team.no_show_sure", code=code, at=turn.shop.local(booking.starts_at)),
        *([booking_notices.block(cancellation.sums(due))] if due.paid else []),
        options=[
            Option(f"yes-no-show:{code}", say("team.option.yes_no_show")),
            Option(f"job:{code}", say("team.option.back_to_job")),
        ],
    )


@action("yes-no-show", who=Who.STAFF)
async def yes_no_show(turn: Turn, code: str) -> Question:
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await cancellation.no_show(turn.session, booking, actor=actor, shop=turn.shop, now=turn.now)
    return await jobs.card(turn, code, say("team.no_show_noted"))
