"""A customer who never came: noted once the job's time has come, after one question, for good."""

from conversations.staff import jobs, who
from conversations.turn import Question, Turn, question
from core.booking import cancellation
from core.messaging.messages import Option, say
from core.notices import cards


async def no_show(turn: Turn, code: str) -> Question:
    """Ask once more, with what it costs the customer."""
    booking = await who.job(turn, code)
    due = await cancellation.offer_for_no_show(turn.ctx, booking)
    return question(
        say("team.no_show_sure", code=code, at=turn.shop.local(booking.starts_at)),
        *([cards.block(cancellation.sums(due))] if due.paid else []),
        options=[
            Option(f"yes-no-show:{code}", say("team.option.yes_no_show")),
            Option(f"job:{code}", say("team.option.back_to_job")),
        ],
    )


async def yes_no_show(turn: Turn, code: str) -> Question:
    """The booking is closed; the customer is told."""
    booking, actor = await who.job(turn, code), who.acting(turn).name
    await cancellation.no_show(turn.ctx, booking, actor=actor)
    return await jobs.card(turn, code, say("team.no_show_noted"))
