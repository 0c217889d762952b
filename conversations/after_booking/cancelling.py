"""A customer calls a booking off: sees what comes back and what is kept, says yes, and gets just that.

An action returns what to say; it raises a `Refusal`.
"""

from collections.abc import Awaitable, Callable, Mapping

from conversations import actions
from conversations.turn import Question, Turn, question
from core.booking import cancellation, rescheduling
from core.booking.cancellation import Terms
from core.db.tables import Booking
from core.messaging.messages import Option, Say, say
from core.refusals import TooLateToCancel
from core.schedule import bookings


async def drop(turn: Turn, code: str) -> Question:
    """Ask once more, with the terms of now."""
    booking = await turn.own_booking(code)
    offered = await _offer(turn, booking)
    return _sure(turn, booking, offered) if offered else _too_late(turn, code)


async def really_drop(turn: Turn, argument: str) -> Question:
    """Cancel on the terms that were shown; where others hold by now, show those and ask again."""
    code, _, shown = argument.partition(":")
    booking = await turn.own_booking(code)
    offered = await _offer(turn, booking)
    if offered is None:
        return _too_late(turn, code)
    if shown != _as_button(offered):
        return _sure(turn, booking, offered, say("cancelling.changed"))
    them = bookings.CUSTOMER
    await cancellation.cancel(turn.ctx, booking, reason=them, actor=them)
    return actions.menu(turn, say("cancelling.goodbye"))


def _sure(turn: Turn, booking: Booking, offered: Terms, *first: Say) -> Question:
    code = booking.code
    rather_move = rescheduling.may_move(turn.ctx, booking)
    return question(
        *first,
        say("cancelling.sure", code=code, at=turn.shop.local(booking.starts_at)),
        *cancellation.money(offered),
        options=[
            Option(f"really:{code}:{_as_button(offered)}", say("option.yes_cancel")),
            *([Option(f"move:{code}", say("option.move"))] if rather_move else []),
            Option(f"see:{code}", say("option.no")),
        ],
    )


def _as_button(offered: Terms) -> str:
    """The terms as the button carries them: what is kept, and what comes back."""
    return f"{offered.kept}:{offered.back}"


def _too_late(turn: Turn, code: str) -> Question:
    return question(
        say("refusal.too_late_to_cancel", hours=turn.shop.cancel_until_hours),
        options=[Option("human", say("option.human")), Option(f"see:{code}", say("option.see_booking"))],
    )


async def _offer(turn: Turn, booking: Booking) -> Terms | None:
    """The terms of now; None when it is too late to cancel without a person."""
    try:
        return await cancellation.offer(turn.ctx, booking, by_customer=True)
    except TooLateToCancel:
        return None


ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {"drop": drop, "really": really_drop}
