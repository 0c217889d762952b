"""What can be done at any time by a button whose id says it all: "book", "see:BK-…", "pay:BK-…".

An action returns what to say, or None to go on with the open flow (or the menu).
"""

from collections.abc import Awaitable, Callable, Sequence

from conversations import papers
from conversations.turn import Question, Turn, question
from core.booking import rescheduling, waitlist
from core.db.tables import Booking, Refund
from core.messaging.messages import Link, Option, Say, say
from core.notices import booking_notices
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment import payment_requests, refunds, slot_lost
from core.people import web_customers
from core.refusals import NotFound, Refusal
from core.schedule import bookings
from core.shop import WEEKDAYS
from core.states import BookingStatus, PaymentMethod, PaymentStatus, RefundState

MOST_LISTED = 8


async def act(turn: Turn, action: str) -> Question | None:
    """Do what a button says; an unknown action (an older version's button) shows the menu."""
    name, _, argument = action.partition(":")
    handler = ACTIONS.get(name)
    return await handler(turn, argument) if handler else menu(turn)


def is_action(choice: str) -> bool:
    """Whether a tap names an action rather than an option of a numbered question."""
    return choice.partition(":")[0] in ACTIONS


def menu(turn: Turn, *says: Say) -> Question:
    """What the front desk can do; while a booking is open, going on with it comes first."""
    going_on = [Option("resume", say("option.resume"))] if turn.state.flow else []
    is_staff = turn.shop.member_at(turn.contact.channel, turn.contact.address) is not None
    return question(
        *(says or (say("menu", shop=turn.shop.name),)),
        options=[
            *going_on,
            Option("book", say("option.book")),
            Option("mine", say("option.my_bookings")),
            Option("info", say("option.info")),
            Option("human", say("option.human")),
            Option("language", say("option.language")),
            *([Option("staff", say("team.option.menu"))] if is_staff else []),
        ],
        button=say("button.menu"),
    )


async def book(turn: Turn, _: str = "") -> None:
    """Begin a booking; what is known of the car stays."""
    kept = [(name, turn.state.get(name)) for name in ("brand", "model", "year") if name in turn.state]
    turn.state.begin("booking")
    for name, value in kept:
        turn.state.put(name, value, tentative=True)
    turn.remark("booking.begins")


async def resume(turn: Turn, _: str = "") -> None:
    """Go on with the open booking."""


async def my_bookings(turn: Turn, _: str = "") -> Question:
    """The customer's own bookings, newest first."""
    on_the_web = await web_customers.unjoined(turn.session, turn.contact.customer)
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MOST_LISTED)
    waits = await waitlist.of_customer(turn.session, turn.contact.customer_id)
    if not own and not on_the_web and not waits:
        return menu(turn, say("mine.none"))
    options = [Option(f"see:{b.code}", say("mine.option", code=b.code), _headline(turn, b)) for b in own]
    options += [
        Option(f"wait:{each.booking_code}", say("wait.option"), say("wait.hint", at=turn.shop.local(each.starts_at)))
        for each in waits
    ]
    if on_the_web:
        options.append(Option(f"join:{on_the_web.code}", say("option.join_web"), _headline(turn, on_the_web)))
    return question(
        say("mine.list"),
        options=options,
        always=[Option("menu", say("option.menu"))],
        button=say("button.bookings"),
    )


async def join(turn: Turn, code: str) -> Question:
    """A booking made on the web with this number is theirs: web and chat are one history from now on."""
    try:
        await web_customers.join(turn.session, turn.contact, code)
    except NotFound:
        return menu(turn, say("refusal.not_found"))
    turn.remark("web.joined")
    return await my_bookings(turn)


async def stranger(turn: Turn, code: str) -> Question:
    """A booking made on the web with this number isn't theirs: staff is told, nothing is joined."""
    try:
        booking = await web_customers.made_with(turn.session, turn.contact.customer, code)
    except NotFound:
        return menu(turn, say("refusal.not_found"))
    key = f"stranger:{code}"
    await tell(turn.ctx, booking, key, admins=alert(booking, say("staff.stranger")))
    return menu(turn, say("web.not_joined"))


async def see(turn: Turn, code: str) -> Question:
    """One booking: its status, what it holds, what was paid, and what can be done about it."""
    booking = await _own(turn, code)
    if booking is None:
        return menu(turn, say("refusal.not_found"))
    owed = await refunds.of_booking(turn.session, booking)
    return question(
        say("mine.head", code=booking.code, status=say(f"status.{booking.status}")),
        say(
            "mine.job",
            at=turn.shop.local(booking.starts_at),
            car=f"{booking.car_brand} {booking.car_model} {booking.car_year}",
            technician=booking.technician.name if booking.technician else say("option.any_technician"),
            lines=[
                say("summary.line_of", name=line.name, count=line.quantity, total=line.total) for line in booking.lines
            ],
        ),
        *await _money(turn, booking, owed),
        options=[*_doable(turn, booking), *await papers.buttons(turn, booking), *_accounts(owed)],
        always=[Option("mine", say("option.my_bookings")), Option("menu", say("option.menu"))],
        link=await _pay_link(turn, booking),
    )


async def pay(turn: Turn, code: str) -> Question:
    """A link for what is to be paid: the one that lives, or a new one, which comes by itself in a moment.

    Where money came and the place was gone, that is settled first.
    """
    booking = await _own(turn, code)
    if booking is None:
        return menu(turn, say("refusal.not_found"))
    if slot_lost.waits(booking):
        options = await slot_lost.offers(turn.ctx, booking)
        return question(say("late.first", code=code), options=options, always=[_TO_MENU], button=say("late.button"))
    link = await _pay_link(turn, booking)
    if link is not None:
        return question(say("pay.link_lives", code=code), link=link, always=[_TO_MENU])
    percent = booking.down_payment_percent if not booking.paid_amount else None
    try:
        async with turn.session.begin_nested():
            await slot_lost.ask_for_rest(turn.ctx, booking, percent=percent)
    except Refusal as refusal:
        return menu(turn, say(f"refusal.{refusal.code}", **refusal.params))
    return question(say("pay.link_coming", code=code), always=[_TO_MENU])


async def info(turn: Turn, _: str = "") -> Question:
    """Opening hours and address."""
    return menu(turn, *opening_hours(turn), where_we_are(turn))


async def human(turn: Turn, _: str = "") -> Question:
    """Call a person."""
    await call_staff(turn)
    return menu(turn, say("human.called", contact=turn.shop.contact))


async def language(turn: Turn, _: str = "") -> Question | None:
    """The other language."""
    return speak(turn, "en" if turn.contact.language == "id" else "id")


def speak(turn: Turn, language: str) -> Question | None:
    """From now on in this language; the open question comes again in it."""
    turn.contact.language = language
    turn.remark("language.changed")
    return None if turn.state.flow else menu(turn)


def opening_hours(turn: Turn) -> list[Say]:
    """The week's opening hours, a line a weekday."""
    week = [(day, turn.shop.opening_hours.get(day)) for day in WEEKDAYS]
    lines = [
        say("hours.open", day=say(f"weekday.{day}"), span=span.replace("-", "–"))
        if span
        else say("hours.closed", day=say(f"weekday.{day}"))
        for day, span in week
    ]
    return [say("hours.week", lines=lines)]


def where_we_are(turn: Turn) -> Say:
    """The address, with a map where the owner set the coordinates."""
    shop = turn.shop
    at = {"address": shop.address, "city": shop.city}
    if shop.latitude is None or shop.longitude is None:
        return say("where", **at)
    return say("where.map", map=f"https://maps.google.com/?q={shop.latitude},{shop.longitude}", **at)


async def _own(turn: Turn, code: str) -> Booking | None:
    """The booking of that code if it is this customer's; anybody else's doesn't exist for them."""
    try:
        return await turn.own_booking(code)
    except NotFound:
        return None


async def _money(turn: Turn, booking: Booking, owed: Sequence[Refund]) -> list[Say]:
    """What was paid and what remains to be; of a cancelled booking, what is kept and what comes back."""
    if booking.status is not BookingStatus.CANCELLED:
        status, total = say(f"payment.{booking.payment_status}"), booking.total_price
        paid = say("mine.money", status=status, total=total, paid=booking.paid_amount, remaining=booking.remaining)
        lines = [say(f"refund.state.{refund.state}", amount=refund.amount) for refund in owed]
        return [paid, say("mine.refunds", lines=lines)] if lines else [paid]
    if booking.payment_status is PaymentStatus.REFUNDED:
        return [say("cancelling.went_back")]
    back = booking.going_back
    kept = booking.paid_amount - back
    fee = [say("cancelling.kept", kept=kept)] if kept > 0 else []
    return fee + ([say("cancelling.going_back", back=back)] if back else [])


async def _pay_link(turn: Turn, booking: Booking) -> Link | None:
    open_request = await payment_requests.open_request(turn.ctx, booking)
    if open_request is None or open_request.url is None:
        return None
    return Link(open_request.url, say("option.pay", amount=open_request.amount))


async def call_staff(turn: Turn) -> None:
    """Tell the admins that somebody needs a person, once in a while however often they ask."""
    await booking_notices.needs_human(turn.ctx, turn.contact, words=turn.incoming.text or "", taken=turn.state.taken)


def _doable(turn: Turn, booking: Booking) -> list[Option]:
    live = booking.status not in (BookingStatus.CANCELLED, BookingStatus.COMPLETED)
    cash = booking.payment_method is PaymentMethod.COD
    options = []
    waits = slot_lost.waits(booking)
    if live and booking.remaining and not cash and not waits:
        options.append(Option(f"pay:{booking.code}", say("option.pay", amount=booking.remaining)))
    if rescheduling.may_move(turn.ctx, booking):
        options.append(Option(f"move:{booking.code}", say("late.option.other_time" if waits else "option.move")))
    if waits:
        options.append(Option(f"money-back:{booking.code}", say("late.option.money_back")))
    elif booking.status in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        options.append(Option(f"drop:{booking.code}", say("option.cancel_this")))
    options.append(Option(f"past:{booking.code}", say("option.past")))
    if booking.warranty_until:
        options.append(Option("warranties", say("option.warranties")))
    if not live:
        options.append(Option(f"again:{booking.code}", say("option.again")))
    return options


def _accounts(owed: Sequence[Refund]) -> list[Option]:
    """Where what staff transfers should go to."""
    by_hand = [refund for refund in owed if refund.state is RefundState.BY_HAND]
    return [Option(f"refund:{refund.key}", say("option.refund_account")) for refund in by_hand]


def _headline(turn: Turn, booking: Booking) -> Say:
    return say("mine.hint", at=turn.shop.local(booking.starts_at), status=say(f"status.{booking.status}"))


async def _menu(turn: Turn, _: str = "") -> Question:
    return menu(turn)


_TO_MENU = Option("menu", say("option.menu"))

ACTIONS: dict[str, Callable[[Turn, str], Awaitable[Question | None]]] = {
    "menu": _menu,
    "book": book,
    "resume": resume,
    "mine": my_bookings,
    "see": see,
    "join": join,
    "stranger": stranger,
    "pay": pay,
    "info": info,
    "human": human,
    "language": language,
}
