"""What a customer can do at any time: the menu, their bookings, paying, opening hours, calling a person."""

from collections.abc import Collection, Sequence

from conversations import draft, example, papers, person
from conversations.registry import TO_BOOKINGS, TO_MENU, action
from conversations.state import ORDER
from conversations.turn import Question, Turn, Who, question
from core import payment
from core.booking import may_reschedule, waitlist_entries
from core.db.tables import Booking, Refund
from core.messaging.messages import Link, Option, Say, say
from core.notices.cards import alert
from core.notices.tell import tell
from core.people import web_customers
from core.schedule import bookings
from core.shop import WEEKDAYS
from core.states import BookingStatus, CallReason, PaymentMethod, PaymentStatus, RefundState
from core.work import warranty

MAX_LISTED = 8
MOST_WITH_WARRANTIES = 20
"""The newest bookings, whose warranties are listed."""


@action("menu", who=Who.CUSTOMER)
async def _show_menu(turn: Turn, _: str) -> Question:
    return menu(turn)


def menu(turn: Turn, *says: Say) -> Question:
    resuming = [Option("resume", say("option.resume"))] if turn.state.flow else []
    return question(
        *(says or (say("menu", visit=example.visit(turn.shop, turn.now)),)),
        options=[
            *resuming,
            Option("book", say("option.book")),
            TO_BOOKINGS,
            Option("info", say("option.info")),
        ],
        always=[
            Option("human", say("option.human")),
            Option("language", say("option.language")),
            *([Option("staff", say("team.option.menu"))] if turn.may(Who.STAFF) else []),
        ],
        button=say("button.menu"),
    )


@action("book", who=Who.CUSTOMER)
async def book(turn: Turn, _: str = "") -> None:
    """Begin a booking; the car given before is kept. An open order goes on."""
    if draft.is_worth_keeping(turn):
        turn.remark("draft.continues")
        return
    kept = [
        (name, turn.state.get(name))
        for name in ("brand", "model", "year", "looked_at", "next_order")
        if name in turn.state
    ]
    turn.state.begin(ORDER)
    for name, value in kept:
        turn.state.put(name, value, tentative=name in ("brand", "model", "year"))


@action("resume", who=Who.CUSTOMER)
async def resume(turn: Turn, _: str = "") -> None:
    """Ask the open question again, as always when an action returns nothing."""


@action("mine", who=Who.CUSTOMER)
async def my_bookings(turn: Turn, _: str = "") -> Question:
    on_the_web = await web_customers.unjoined(turn.ctx, turn.contact.customer)
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MAX_LISTED)
    waits = await waitlist_entries(turn.session, turn.contact.customer_id)
    if not own and not on_the_web and not waits:
        return menu(turn, say("mine.none"))
    options = [Option(f"see:{b.code}", say("mine.option", code=b.code), headline(turn, b)) for b in own]
    options += [
        Option(f"wait:{each.booking_code}", say("wait.option"), say("wait.hint", at=turn.shop.local(each.starts_at)))
        for each in waits
    ]
    if on_the_web:
        options.append(Option(f"join:{on_the_web.code}", say("option.join_web"), headline(turn, on_the_web)))
    return question(say("mine.list"), options=options, always=[TO_MENU], button=say("button.bookings"))


@action("join", who=Who.CUSTOMER)
async def join(turn: Turn, code: str) -> Question:
    """Confirm that a web booking made with this number is theirs: both histories become one."""
    await web_customers.join(turn.ctx, turn.contact, code)
    turn.remark("web.joined")
    return await my_bookings(turn)


@action("stranger", who=Who.CUSTOMER)
async def stranger(turn: Turn, code: str) -> Question:
    """Deny that a web booking made with this number is theirs: the admins are told, nothing is joined."""
    booking = await web_customers.made_with(turn.session, turn.contact.customer, code)
    await tell(turn.ctx, booking, f"stranger:{code}", admins=alert(booking, say("staff.stranger")))
    return menu(turn, say("web.not_joined"))


@action("see", who=Who.CUSTOMER)
async def see(turn: Turn, code: str) -> Question:
    booking = await turn.own_booking(code)
    owed = await payment.refunds_of(turn.session, booking)
    # A refund that staff transfers by hand needs the customer's bank account.
    by_hand = [refund for refund in owed if refund.state is RefundState.BY_HAND]
    accounts = [Option(f"refund:{refund.key}", say("option.refund_account")) for refund in by_hand]
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
        options=[*_possible_actions(turn, booking), *await papers.buttons(turn, booking), *accounts],
        always=[TO_BOOKINGS, TO_MENU],
        link=await pay_link(turn, booking),
    )


@action("pay", who=Who.CUSTOMER)
async def pay(turn: Turn, code: str) -> Question:
    """The open payment link, or a new one, which follows as the only answer.

    A booking that was paid after its slot was taken must get another slot first.
    """
    booking = await turn.own_booking(code)
    if payment.has_lost_slot(booking):
        options = await payment.lost_slot_choices(turn.ctx, booking)
        return question(say("late.first", code=code), options=options, always=[TO_MENU], button=say("late.button"))
    link = await pay_link(turn, booking)
    if link is not None:
        return question(say("pay.link_lives", code=code), link=link, always=[TO_MENU])
    percent = booking.down_payment_percent if not booking.paid_amount else None
    await payment.request(turn.ctx, booking, percent=percent)
    return question()


@action("info", who=Who.CUSTOMER)
async def info(turn: Turn, _: str = "") -> Question:
    return menu(turn, *opening_hours(turn), address(turn))


@action("human", who=Who.CUSTOMER)
async def human(turn: Turn, reason: str = "") -> Question:
    """Call a person; a button may say why ("human:claim")."""
    why = CallReason(reason) if reason in set(CallReason) else CallReason.ASKED
    if why is CallReason.PROOF:
        await payment.check_now(turn.ctx, turn.contact.customer_id)
    told = await person.call(turn, why)
    return question(told, options=[Option("resume", say("option.resume"))] if turn.state.flow else ())


@action("language", who=Who.CUSTOMER)
async def switch_language(turn: Turn, _: str = "") -> Question | None:
    return speak(turn, "en" if turn.contact.language == "id" else "id")


def speak(turn: Turn, language: str) -> Question | None:
    turn.contact.language = language
    turn.remark("language.changed")
    return None if turn.state.flow else menu(turn)


async def warranties(turn: Turn, categories: Collection[str] = ()) -> list[Say]:
    """A line for each part with a warranty that the customer has got, or for those of these categories."""
    lines, parts = [], turn.catalogue.parts
    for booking in await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MOST_WITH_WARRANTIES):
        for line in booking.lines:
            part = parts.get(line.part_id or "")
            if (until := line.warranty_until) and (not categories or (part and part.category in categories)):
                left = warranty.days_left(until, turn.local_now.date())
                key = "warranty.line" if left else "warranty.over"
                lines.append(say(key, name=line.name, until=until, days=left, code=booking.code))
    return lines


def opening_hours(turn: Turn) -> list[Say]:
    lines = []
    for day in WEEKDAYS:
        span, name = turn.shop.opening_hours.get(day), say(f"weekday.{day}")
        opens = say("hours.open", day=name, span=span.replace("-", "–")) if span else say("hours.closed", day=name)
        lines.append(opens)
    return [say("hours.week", lines=lines)]


def address(turn: Turn) -> Say:
    shop = turn.shop
    at = {"address": shop.address, "city": shop.city}
    if shop.latitude is None or shop.longitude is None:
        return say("where", **at)
    return say("where.map", map=f"https://maps.google.com/?q={shop.latitude},{shop.longitude}", **at)


async def _money(turn: Turn, booking: Booking, owed: Sequence[Refund]) -> list[Say]:
    if booking.status is not BookingStatus.CANCELLED:
        if not booking.total_price:
            return [say("mine.free")]
        status, total = say(f"payment.{booking.payment_status}"), booking.total_price
        paid, left = booking.paid_amount, booking.left_to_pay
        says = [say("mine.money", status=status, total=total, paid=paid, remaining=left)]
        if lines := [say(f"refund.state.{refund.state}", amount=refund.amount) for refund in owed]:
            says.append(say("mine.refunds", lines=lines))
        return says if left == booking.remaining else [*says, say("mine.pay_again")]
    if booking.payment_status is PaymentStatus.REFUNDED:
        return [say("cancelling.went_back")]
    back = booking.going_back
    kept = booking.paid_amount - back
    fee = [say("cancelling.kept", kept=kept)] if kept > 0 else []
    return fee + ([say("cancelling.going_back", back=back)] if back else [])


async def pay_link(turn: Turn, booking: Booking) -> Link | None:
    """The open link of a booking."""
    open_request = await payment.open_request(turn.ctx, booking)
    if open_request is None or open_request.url is None:
        return None
    return Link(open_request.url, say("option.pay", amount=open_request.amount))


def _possible_actions(turn: Turn, booking: Booking) -> list[Option]:
    live = booking.status not in (BookingStatus.CANCELLED, BookingStatus.COMPLETED)
    cash = booking.payment_method is PaymentMethod.COD
    options = []
    slot_is_lost = payment.has_lost_slot(booking)
    if live and booking.remaining and not cash and not slot_is_lost:
        options.append(Option(f"pay:{booking.code}", say("option.pay", amount=booking.remaining)))
    if may_reschedule(turn.ctx, booking):
        options.append(Option(f"move:{booking.code}", say("late.option.other_time" if slot_is_lost else "option.move")))
        if not slot_is_lost:
            options.append(Option(f"change:{booking.code}", say("option.change_order")))
    if slot_is_lost:
        options.append(Option(f"money-back:{booking.code}", say("late.option.money_back")))
    elif booking.status in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        options.append(Option(f"drop:{booking.code}", say("option.cancel_this")))
    options.append(Option(f"past:{booking.code}", say("option.past")))
    if booking.warranty_until:
        options.append(Option("warranties", say("option.warranties")))
    if not live:
        options.append(Option(f"again:{booking.code}", say("option.again")))
    return options


def headline(turn: Turn, booking: Booking) -> Say:
    return say("mine.hint", at=turn.shop.local(booking.starts_at), status=say(f"status.{booking.status}"))
