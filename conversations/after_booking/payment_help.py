"""Trouble with paying: a new link, another method, money that is gone; and what stands when nothing is to be paid.

pay-help   the link or the payment fails: a new link; money is gone: Midtrans is asked, a person is called
pay-by     the method that the customer names, on the link there is or on a new one
pay-none   nothing is to be paid
"""

from collections.abc import Sequence

from conversations import actions, person
from conversations.advice.wish import comma
from conversations.registry import TO_MENU, action, run, to_booking
from conversations.turn import Question, Turn, Who, question
from conversations.understand.wishes import says_money_is_gone, says_paid_twice
from core import payment
from core.db.tables import Booking
from core.messaging.messages import Option, Say, say
from core.schedule import bookings
from core.states import BookingStatus, CallReason, PaymentMethod

MOST_LINKS = 5
"""After so many links of a booking a person helps: another one won't."""
MOST_SHOWN = 3
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
_ANY_CHANNEL = (PaymentMethod.ANY, PaymentMethod.DP)


@action("pay-help", who=Who.CUSTOMER)
async def help_paying(turn: Turn, code: str) -> Question | None:
    booking = await turn.own_booking(code)
    if says_money_is_gone(turn.incoming.text or ""):
        return await _look_for_money(turn, booking)
    if payment.has_lost_slot(booking) or await payment.open_request(turn.ctx, booking) is None:
        return await run(turn, f"pay:{code}")
    if await payment.count_requests(turn.session, booking) >= MOST_LINKS:
        await person.call(turn, CallReason.OTHER, booking)
        return question(say("pay.person", told=await person.told(turn)), link=await actions.pay_link(turn, booking))
    await payment.renew(turn.ctx, booking, method=None if booking.payment_method in _ANY_CHANNEL else PaymentMethod.ANY)
    methods = payment.offered_methods(booking.remaining, services_only=False)
    return question(say("pay.new_link", methods=comma([say(f"notice.method.{each}") for each in methods])))


@action("pay-by", who=Who.CUSTOMER)
async def pay_by(turn: Turn, argument: str) -> Question | None:
    """The argument is the method and the booking's code."""
    named, _, code = argument.partition(":")
    booking = await turn.own_booking(code)
    if named not in set(PaymentMethod) or payment.has_lost_slot(booking):
        return await run(turn, f"pay:{code}")
    method = PaymentMethod(named)
    if method is PaymentMethod.COD:
        return question(say("advice.cash"), link=await actions.pay_link(turn, booking), always=[TO_MENU])
    opened = await payment.open_request(turn.ctx, booking)
    name = say(f"notice.method.{method}")
    if opened is not None and set(payment.channels(method, opened.amount)) <= set(opened.channels):
        link = await actions.pay_link(turn, booking)
        return question(say("pay.pick_method", code=code, method=name), link=link, always=[TO_MENU])
    await payment.renew(turn.ctx, booking, method=method)
    return question(say("pay.new_method" if opened else "pay.first_method", method=name))


@action("pay-none", who=Who.CUSTOMER)
async def nothing_due(turn: Turn, _: str) -> Question:
    """What stands, where the customer believes that something is to be paid."""
    text = turn.incoming.text or ""
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MOST_SHOWN)
    live = [booking for booking in own if booking.status in _LIVE]
    is_paid = any(booking.paid_amount for booking in live)
    if says_money_is_gone(text) and (says_paid_twice(text) or not is_paid):
        return await _look_for_money(turn, next(iter(own), None))
    if not live:
        turn.remark("pay.nothing_due")
        return await actions.my_bookings(turn)
    return question(
        say("pay.nothing_due"),
        say("pay.stands", lines=[_stands(turn, booking) for booking in live]),
        options=[*_to_see(live), Option("human", say("option.human"))],
        always=[TO_MENU],
    )


async def _look_for_money(turn: Turn, booking: Booking | None) -> Question:
    """Midtrans is asked now: what has arrived there is confirmed in this chat; a person sees to the rest."""
    await payment.check_now(turn.ctx, turn.contact.customer_id)
    await person.call(turn, CallReason.PROOF, booking)
    return question(say("pay.checking"), await person.told(turn))


def _stands(turn: Turn, booking: Booking) -> Say:
    if booking.payment_method is PaymentMethod.COD and booking.left_to_pay:
        return say(
            "pay.stands_cash", code=booking.code, at=turn.shop.local(booking.starts_at), rest=booking.left_to_pay
        )
    return say(
        "pay.stands_line",
        code=booking.code,
        at=turn.shop.local(booking.starts_at),
        payment=say(f"payment.{booking.payment_status}"),
        paid=booking.paid_amount,
    )


def _to_see(live: Sequence[Booking]) -> list[Option]:
    if len(live) == 1:
        return [to_booking(live[0].code)]
    return [Option(f"see:{each.code}", say("mine.option", code=each.code)) for each in live]
