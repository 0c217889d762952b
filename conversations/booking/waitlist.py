"""The waitlist in the chat.

booking flow ── full slot, part out of stock ──> join
offer:           [take] ── too late ──> [a slot nearby] [join again]      [pass on]
"booking saya":  a place on the waitlist ──> [leave]
"""

from datetime import datetime

from conversations import actions
from conversations.booking.when import read_start
from conversations.registry import TO_BOOKINGS, TO_MENU, action, to_booking
from conversations.turn import Question, Turn, Who, question
from core.booking import (
    WAITABLE,
    BookingRequest,
    count_ahead,
    join_waitlist,
    leave_waitlist,
    pass_on_offer,
    rejoin_waitlist,
    take_offer,
    waitlist_entries,
)
from core.db.tables import Booking, Waiting
from core.messaging.messages import Option, say
from core.refusals import InsufficientStock, InThePast, NotFound, Refusal, ShortNotice
from core.schedule.availability import nearest_options
from core.states import PaymentMethod


async def join(turn: Turn, request: BookingRequest) -> Question:
    wait = await join_waitlist(turn.ctx, request)
    return await _joined(turn, wait, request.order.name)


@action("wait-take", who=Who.CUSTOMER)
async def take(turn: Turn, code: str) -> Question:
    return await _take(turn, code, None)


@action("wait-at", who=Who.CUSTOMER)
async def take_at(turn: Turn, argument: str) -> Question:
    """Take another start, after the offered one was taken by somebody else."""
    code, _, start = argument.partition(":")
    return await _take(turn, code, read_start(turn, start))


@action("wait-pass", who=Who.CUSTOMER)
async def pass_on(turn: Turn, code: str) -> Question:
    await pass_on_offer(turn.ctx, await turn.own_booking(code))
    return actions.menu(turn, say("waiting.passed"))


@action("wait-again", who=Who.CUSTOMER)
async def join_again(turn: Turn, code: str) -> Question:
    booking = await turn.own_booking(code)
    wait = await rejoin_waitlist(turn.ctx, booking, code=turn.new_code)
    return await _joined(turn, wait, booking.name)


@action("wait", who=Who.CUSTOMER)
async def see(turn: Turn, code: str) -> Question:
    found = await waitlist_entries(turn.session, turn.contact.customer_id)
    wait = next((each for each in found if each.booking_code == code), None)
    if wait is None:
        raise NotFound
    return question(
        say("wait.head", at=turn.shop.local(wait.starts_at), ahead=await count_ahead(turn.session, wait)),
        options=[Option(f"wait-leave:{code}", say("wait.option.leave"))],
        always=_BACK,
    )


@action("wait-leave", who=Who.CUSTOMER)
async def leave(turn: Turn, code: str) -> Question:
    wait = await leave_waitlist(turn.session, code, customer_id=turn.contact.customer_id)
    return actions.menu(turn, say("wait.left", at=turn.shop.local(wait.starts_at)))


async def _joined(turn: Turn, wait: Waiting, name: str) -> Question:
    ahead, at = await count_ahead(turn.session, wait), turn.shop.local(wait.starts_at)
    if ahead:
        return question(say("waiting.joined_behind", name=name, at=at, ahead=ahead))
    return question(say("waiting.joined", name=name, at=at))


async def _take(turn: Turn, code: str, starts_at: datetime | None) -> Question:
    booking = await turn.own_booking(code)
    try:
        async with turn.undone_if_refused():
            await take_offer(turn.ctx, booking, starts_at=starts_at)
    except (*WAITABLE, InThePast, ShortNotice) as gone:
        return await _instead(turn, await turn.own_booking(code), gone)
    cash = booking.payment_method is PaymentMethod.COD
    return question(say("waiting.taken_cash" if cash else "waiting.taken_link"), options=[to_booking(code)])


async def _instead(turn: Turn, booking: Booking, gone: Refusal) -> Question:
    again = Option(f"wait-again:{booking.code}", say("waiting.option.again"))
    if isinstance(gone, InThePast | ShortNotice):
        return question(say("waiting.past"), options=[Option("book", say("option.book"))])
    if isinstance(gone, InsufficientStock):
        return question(say("waiting.part_gone"), options=[again], always=_BACK)
    near = await nearest_options(
        turn.ctx,
        booking.starts_at,
        booking.minutes,
        action=f"wait-at:{booking.code}:",
        technician_id=booking.technician_id,
    )
    return question(
        say("waiting.too_late", at=turn.shop.local(booking.starts_at)),
        options=[*near, again],
        always=_BACK,
        button=say("button.time"),
    )


_BACK = (TO_BOOKINGS, TO_MENU)
