"""The waiting list in the chat: joining it, taking or passing on an offer, leaving.

    booking flow ── full slot, part out of stock ──> join
    offer (core.waiting):   [take] ── too late ──> [a slot nearby] [to the end of the line]      [pass on]
    "booking saya":         a place in the line ──> [leave]

An action returns what to say; it raises a `Refusal`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from conversations import actions
from conversations.turn import Question, Turn, question
from core.booking import waitlist
from core.db.tables import Booking, Waiting
from core.messaging.messages import Option, say
from core.refusals import InsufficientStock, InThePast, NotFound, Refusal
from core.schedule import bookings
from core.schedule.orders import Order
from core.states import PaymentMethod


async def join(turn: Turn, order: Order) -> Question:
    """Stand in the line for an order; raises what `core.waiting.join` does."""
    customer = turn.contact.customer_id
    wait = await waitlist.join(
        turn.ctx,
        order,
        customer_id=customer,
        contact_id=turn.contact.id,
        language=turn.contact.language,
        code=_code(turn),
    )
    return await _joined(turn, wait, order.name)


async def take(turn: Turn, code: str) -> Question:
    """Take what was offered; too late, what is left is offered instead."""
    return await _take(turn, code, None)


async def take_at(turn: Turn, argument: str) -> Question:
    """Take another start, because the one that was offered is gone."""
    code, _, moment = argument.partition(":")
    try:
        at = datetime.strptime(moment, "%Y-%m-%dT%H:%M").replace(tzinfo=turn.shop.zone)
    except ValueError:
        raise NotFound from None
    return await _take(turn, code, at)


async def pass_on(turn: Turn, code: str) -> Question:
    """Leave what was offered to the next in line."""
    await waitlist.pass_on(turn.ctx, await turn.own_booking(code))
    return actions.menu(turn, say("waiting.passed"))


async def join_again(turn: Turn, code: str) -> Question:
    """Stand at the end of the line once more."""
    booking = await turn.own_booking(code)
    wait = await waitlist.join_again(turn.ctx, booking, code=_code(turn))
    return await _joined(turn, wait, booking.name)


async def see(turn: Turn, code: str) -> Question:
    """A place in the line, and the way out of it."""
    found = await waitlist.of_customer(turn.session, turn.contact.customer_id)
    wait = next((each for each in found if each.booking_code == code), None)
    if wait is None:
        raise NotFound
    return question(
        say("wait.head", at=turn.shop.local(wait.starts_at), ahead=await waitlist.ahead_of(turn.session, wait)),
        options=[Option(f"wait-leave:{code}", say("wait.option.leave"))],
        always=_BACK,
    )


async def leave(turn: Turn, code: str) -> Question:
    """Leave the line."""
    wait = await waitlist.leave(turn.session, code, customer_id=turn.contact.customer_id)
    return actions.menu(turn, say("wait.left", at=turn.shop.local(wait.starts_at)))


async def _joined(turn: Turn, wait: Waiting, name: str) -> Question:
    ahead, at = await waitlist.ahead_of(turn.session, wait), turn.shop.local(wait.starts_at)
    if ahead:
        return question(say("waiting.joined_behind", name=name, at=at, ahead=ahead))
    return question(say("waiting.joined", name=name, at=at))


async def _take(turn: Turn, code: str, starts_at: datetime | None) -> Question:
    booking = await turn.own_booking(code)
    try:
        async with turn.session.begin_nested():
            await waitlist.take(turn.ctx, booking, starts_at=starts_at)
    except (*waitlist.SCARCE, InThePast) as gone:
        return await _instead(turn, await turn.own_booking(code), gone)
    cash = booking.payment_method is PaymentMethod.COD
    return question(
        say("waiting.taken_cash" if cash else "waiting.taken_link"),
        options=[Option(f"see:{code}", say("option.see_booking"))],
    )


async def _instead(turn: Turn, booking: Booking, gone: Refusal) -> Question:
    """It went to somebody else: the nearest slots now, or the end of the line."""
    again = Option(f"wait-again:{booking.code}", say("waiting.option.again"))
    if isinstance(gone, InThePast):
        return question(say("waiting.past"), options=[Option("book", say("option.book"))])
    if isinstance(gone, InsufficientStock):
        return question(say("waiting.part_gone"), options=[again], always=_BACK)
    return question(
        say("waiting.too_late", at=turn.shop.local(booking.starts_at)),
        options=[*await _nearby(turn, booking), again],
        always=_BACK,
        button=say("button.time"),
    )


async def _nearby(turn: Turn, booking: Booking) -> Sequence[Option]:
    near = await bookings.nearest_free(
        turn.ctx, booking.starts_at, booking.minutes, technician_id=booking.technician_id
    )
    local = [turn.shop.local(at) for at in near]
    return [Option(f"wait-at:{booking.code}:{at:%Y-%m-%dT%H:%M}", say("slot.day_and_time", at=at)) for at in local]


def _code(turn: Turn) -> str:
    return f"BK-{turn.fresh[:8]}"


_BACK = (Option("mine", say("option.my_bookings")), Option("menu", say("option.menu")))

ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question]]] = {
    "wait-take": take,
    "wait-at": take_at,
    "wait-pass": pass_on,
    "wait-again": join_again,
    "wait": see,
    "wait-leave": leave,
}
