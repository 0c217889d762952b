"""What customers ask us to do with a booking: done at once with the only one that fits, else they choose."""

from collections.abc import Callable

from conversations import actions, registry
from conversations.turn import Question, Turn, question
from conversations.understand.intents import Intent
from core import payment
from core.db.tables import Booking
from core.messaging.messages import Option, say
from core.schedule import bookings
from core.states import BookingStatus, PaymentMethod

_BEFORE_WORK = (BookingStatus.PENDING, BookingStatus.CONFIRMED)
_LIVE = (*_BEFORE_WORK, BookingStatus.IN_PROGRESS)
_FITTING: dict[Intent | None, tuple[str, Callable[[Turn, Booking], bool]]] = {
    Intent.PAY: ("pay", lambda turn, each: _can_be_paid(each)),
    Intent.PAYMENT_HELP: ("pay-help", lambda turn, each: _can_be_paid(each)),
    Intent.CANCEL: ("drop", lambda turn, each: each.status in _BEFORE_WORK),
    Intent.STATUS: ("see", lambda turn, each: each.status in _LIVE),
    Intent.INVOICE: ("papers:invoice", lambda turn, each: bool(each.paid_amount)),
}
"""The action on a booking, and the bookings that it is for."""
_ABOUT_MONEY = (Intent.PAY, Intent.PAYMENT_HELP)


def is_one(intent: Intent | None) -> bool:
    return intent in _FITTING


async def act(turn: Turn, intent: Intent | None) -> Question | None:
    """Act on the only booking that fits; with several, a button for each; with none, the customer's bookings."""
    if intent not in _FITTING:
        return None
    action, fits = _FITTING[intent]
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=actions.MAX_LISTED)
    fitting = [booking for booking in own if fits(turn, booking)]
    if not fitting:
        return await (registry.run(turn, "pay-none") if intent in _ABOUT_MONEY else actions.my_bookings(turn))
    if intent is Intent.PAY and turn.understood.method is not None:
        action = f"pay-by:{turn.understood.method}"
    if len(fitting) == 1:
        return await registry.run(turn, f"{action}:{fitting[0].code}")
    return question(
        say("mine.which"),
        options=[
            Option(f"{action}:{each.code}", say("mine.option", code=each.code), actions.headline(turn, each))
            for each in fitting
        ],
        always=[registry.TO_MENU],
        button=say("button.bookings"),
    )


def _can_be_paid(booking: Booking) -> bool:
    if booking.status not in _LIVE or booking.payment_method is PaymentMethod.COD:
        return False
    return bool(booking.remaining) or payment.has_lost_slot(booking)
