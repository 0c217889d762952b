"""A customer cancels a booking, on the terms (kept, refunded) that were shown before."""

from conversations import actions
from conversations.registry import action, to_booking
from conversations.turn import Question, Turn, Who, question
from core.booking import CancellationTerms, cancellation, cancellation_terms, may_reschedule, refund_summary
from core.db.tables import Booking
from core.messaging.messages import Option, Say, say
from core.refusals import TooLateToCancel
from core.schedule import bookings


@action("drop", who=Who.CUSTOMER)
async def ask_to_cancel(turn: Turn, code: str) -> Question:
    booking = await turn.own_booking(code)
    terms = await _terms(turn, booking)
    return _confirm(turn, booking, terms) if terms else _too_late(turn, code)


@action("really", who=Who.CUSTOMER)
async def cancel(turn: Turn, argument: str) -> Question:
    """Cancel on the terms that the button carries; if they have changed, show the new ones and ask again."""
    code, _, shown = argument.partition(":")
    booking = await turn.own_booking(code)
    terms = await _terms(turn, booking)
    if terms is None:
        return _too_late(turn, code)
    if shown != _as_button(terms):
        return _confirm(turn, booking, terms, say("cancelling.changed"))
    actor = bookings.CUSTOMER
    await cancellation.cancel(turn.ctx, booking, reason=actor, actor=actor)
    return actions.menu(turn, say("cancelling.goodbye"))


def _confirm(turn: Turn, booking: Booking, terms: CancellationTerms, *first: Say) -> Question:
    code = booking.code
    can_move = may_reschedule(turn.ctx, booking)
    return question(
        *first,
        say("cancelling.sure", code=code, at=turn.shop.local(booking.starts_at)),
        *refund_summary(terms),
        options=[
            Option(f"really:{code}:{_as_button(terms)}", say("option.yes_cancel")),
            *([Option(f"move:{code}", say("option.move"))] if can_move else []),
            Option(f"see:{code}", say("option.no")),
        ],
    )


def _as_button(terms: CancellationTerms) -> str:
    return f"{terms.kept}:{terms.back}"


def _too_late(turn: Turn, code: str) -> Question:
    return question(
        say("refusal.too_late_to_cancel", hours=turn.shop.cancel_until_hours),
        options=[Option("human", say("option.human")), to_booking(code)],
    )


async def _terms(turn: Turn, booking: Booking) -> CancellationTerms | None:
    """The terms of now; None when it is too late to cancel without a person."""
    try:
        return await cancellation_terms(turn.ctx, booking, by_customer=True)
    except TooLateToCancel:
        return None
