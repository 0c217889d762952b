"""The summary, its corrections, how to pay, and the booking itself."""

from conversations.booking import draft, waitlist
from conversations.booking.who import SKIPPED
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_method, read_yes_no
from core.db.tables import Booking, Customer
from core.messaging.messages import Option, Say, say
from core.notices import booking_notices
from core.payment import payment_methods, payment_requests
from core.pricing import policy, trust
from core.pricing.prices import Line, Quote, down_payment
from core.refusals import (
    AddressMissing,
    AlreadyWaiting,
    BadDownPayment,
    BadQuantity,
    CashForServicesOnly,
    InsufficientStock,
    InThePast,
    MethodCannotPay,
    NoCashAfterNoShows,
    NotForSale,
    NothingChosen,
    NotOnsite,
    OutsideHours,
    PreOrderOnly,
    Refusal,
    SlotFull,
    TechnicianBusy,
    TooFarAhead,
)
from core.schedule import bookings
from core.schedule.orders import Order
from core.states import Location, PaymentMethod

CHANGES: dict[str, tuple[str, ...]] = {
    "goods": ("shopped",),
    "car": ("brand", "model", "year", "fits", "other_car"),
    "work": ("services", "serviced"),
    "when": ("date", "time", "part_of_day"),
    "technician": ("technician",),
    "name": ("name",),
    "phone": ("phone",),
    "email": ("email",),
    "plate": ("plate",),
    "place": ("location", "address"),
}
"""What can be corrected from the summary, and the answers that go with it."""

ASKED_AGAIN: dict[type[Refusal], tuple[str, ...]] = {
    SlotFull: ("time",),
    AlreadyWaiting: ("time",),
    OutsideHours: ("time",),
    InThePast: ("date", "time"),
    TooFarAhead: ("date", "time"),
    TechnicianBusy: ("technician",),
    InsufficientStock: ("shopped",),
    PreOrderOnly: ("shopped",),
    NotForSale: ("shopped", "serviced"),
    BadQuantity: ("shopped",),
    NothingChosen: ("shopped", "serviced"),
    CashForServicesOnly: ("method", "plan"),
    MethodCannotPay: ("method", "plan"),
    NoCashAfterNoShows: ("method", "plan"),
    BadDownPayment: ("plan",),
    NotOnsite: ("location", "address"),
    AddressMissing: ("address",),
}
"""Which answers a refusal takes back, so that their questions come again with what is left."""


class Change(Step):
    """Which line of the summary is to be corrected; asked before everything else while it is open."""

    name = "change"

    def needed(self, turn: Turn) -> bool:
        """After "change something"."""
        return "changing" in turn.state

    async def ask(self, turn: Turn) -> Question:
        """Every line that has an answer."""
        return question(
            say("ask.change"),
            options=[Option(name, say(f"change.{name}")) for name in CHANGES if self._given(turn, name)],
            always=[Option("nothing", say("option.nothing"))],
            button=say("button.choose"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """Forget that line, so that its question comes again."""
        turn.state.drop("changing", *CHANGES.get(option, ()))
        turn.state.recheck("time", "technician")
        if option == "phone":
            turn.state.put("other_phone", True)
        return True

    def _given(self, turn: Turn, name: str) -> bool:
        return name in ("phone", "goods") or any(answer in turn.state for answer in CHANGES[name])


class Confirmed(Step):
    """The summary with every price: right, or to be changed."""

    name = "confirmed"

    async def ask(self, turn: Turn) -> Question:
        """All that was chosen, line by line, and what it costs."""
        quote = await _quote(turn)
        waits = draft.in_line(turn)
        return question(
            say("ask.waiting" if waits else "ask.confirmed"),
            say("summary.job", **_job(turn)),
            say("summary.lines", lines=[price_line(line) for line in quote.lines]),
            say("summary.total", extras=_extras(quote), total=quote.total),
            say("summary.customer", **_customer(turn)),
            *([say("waiting.not_a_booking", minutes=turn.shop.offer_minutes)] if waits else []),
            options=[
                Option("yes", say("option.continue" if waits else "option.to_payment")),
                Option("change", say("option.change")),
            ],
            always=[Option("cancel", say("option.cancel_booking"))],
        )

    async def read(self, turn: Turn, text: str) -> bool:
        """Yes is on to the payment, no is to the corrections."""
        agreed = read_yes_no(text)
        if agreed is None:
            return False
        return await self.choose(turn, "yes" if agreed else "change")

    async def choose(self, turn: Turn, option: str) -> bool:
        """On to the payment, or to the corrections."""
        match option:
            case "yes":
                turn.state.put("confirmed", True)
            case "change":
                turn.state.put("changing", True)
            case "cancel":
                turn.state.begin(None)
                turn.remark("cancelled.draft")
        return True


class Method(Step):
    """How to pay; cash only for services alone."""

    name = "method"
    drops = ("plan",)

    async def ask(self, turn: Turn) -> Question:
        """The ways that can take this amount."""
        quote = await _quote(turn)
        methods = await _methods(turn, quote)
        return question(
            *([say("waiting.pay_later")] if draft.in_line(turn) else []),
            say("ask.method", total=quote.total),
            options=[Option(method, say(f"method.{method}"), say(f"method.{method}.hint")) for method in methods],
            button=say("button.method"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        """A way in their words, "gopay aja"; one that can't be taken is told why."""
        named = read_method(text)
        if named is None:
            return False
        quote = await _quote(turn)
        if named in await _methods(turn, quote):
            turn.state.put(self.name, named)
        elif named == PaymentMethod.COD:
            turn.remark(f"refusal.{(CashForServicesOnly if draft.basket(turn) else NoCashAfterNoShows).code}")
        else:
            turn.remark(f"refusal.{MethodCannotPay.code}", amount=quote.total)
        return True


async def _methods(turn: Turn, quote: Quote) -> list[PaymentMethod]:
    cash = not draft.basket(turn) and policy.is_trusted(await _no_shows(turn), turn.shop)
    return payment_methods.offered(quote.total, services_only=cash)


class Plan(Step):
    """All at once, or a down payment."""

    name = "plan"

    def needed(self, turn: Turn) -> bool:
        """Cash is paid at the end."""
        return bool(turn.state.get("method") != PaymentMethod.COD)

    async def ask(self, turn: Turn) -> Question:
        """In full, or each share with its amount."""
        total = (await _quote(turn)).total
        percents = policy.down_payments(await _no_shows(turn), turn.shop)
        shares = [(percent, down_payment(total, percent)) for percent in percents]
        fewer = percents != turn.shop.down_payment_percents
        why = [say("no_show.pay_first", percent=percents[0])] if fewer else []
        return question(
            *why,
            say("ask.plan", total=total),
            options=[
                Option("full", say("option.full"), say("price.plain", now=total)),
                *(
                    Option(str(p), say("option.share", percent=p), say("price.plain", now=amount))
                    for p, amount in shares
                ),
            ],
            button=say("button.plan"),
        )


async def finish(turn: Turn) -> Question | None:
    """Book it all in one savepoint, or put it in the line; a refusal undoes it and asks again what it speaks of."""
    order = draft.order(turn)
    try:
        async with turn.session.begin_nested():
            _know(turn.contact.customer, order)
            last = await waitlist.join(turn, order) if draft.in_line(turn) else _booked(turn, await _book(turn, order))
    except Refusal as refusal:
        return _refused(turn, refusal)
    turn.state.begin(None)
    return last


def _know(customer: Customer, order: Order) -> None:
    """Remember who orders, for the next time."""
    customer.name, customer.email = order.name, order.email or customer.email
    customer.phone = customer.phone or order.phone


def _booked(turn: Turn, booking: Booking) -> Question:
    where = {"code": booking.code, "total": booking.total_price, "at": turn.shop.local(booking.starts_at)}
    key = "booked.cash" if booking.payment_method is PaymentMethod.COD else "booked.link_coming"
    return question(say(key, **where))


async def _book(turn: Turn, order: Order) -> Booking:
    customer = turn.contact.customer
    booking = await bookings.book(
        turn.ctx,
        order,
        customer_id=customer.id,
        contact_id=turn.contact.id,
        language=turn.contact.language,
        code=f"BK-{turn.fresh[:8]}",
    )
    if order.method is not PaymentMethod.COD:
        await payment_requests.request(turn.ctx, booking, percent=order.down_payment_percent)
    await booking_notices.booked(turn.ctx, booking)
    return booking


def _refused(turn: Turn, refusal: Refusal) -> Question | None:
    turn.remark(f"refusal.{refusal.code}", **refusal.params)
    again = ASKED_AGAIN.get(type(refusal))
    if isinstance(refusal, InsufficientStock):
        short = next((part.id for part in draft.basket_parts(turn) if part.name == refusal.params["name"]), None)
        turn.state.put("short", short)
    if again is None:  # nothing the customer could answer differently
        turn.state.begin(None)
        return question(say("refusal.ends_draft"))
    turn.state.drop(*again, "confirmed" if "plan" not in again else "plan")
    return None


async def _no_shows(turn: Turn) -> int:
    return await trust.count(turn.session, turn.contact.customer_id)


async def _quote(turn: Turn) -> Quote:
    return await bookings.quote_for(turn.ctx, draft.basket(turn), draft.services(turn), location=draft.location(turn))


def price_line(line: Line) -> Say:
    """One line of a summary: name, how many, what it costs."""
    key = "summary.line" if line.quantity == 1 else "summary.line_of"
    return say(key, name=line.name, count=line.quantity, total=line.total)


def _extras(quote: Quote) -> list[Say]:
    amounts: dict[str, int] = {
        "summary.savings": quote.savings,
        "summary.onsite_fee": quote.onsite_fee,
        "summary.tax": quote.tax_amount,
    }
    return [say(key, amount=amount) for key, amount in amounts.items() if amount]


def _job(turn: Turn) -> dict[str, object]:
    starts_at = draft.starts_at(turn)
    technician = draft.technician_id(turn)
    address = (turn.state.get("address") or {}).get("text")
    onsite = say("summary.onsite", address=address or say("summary.shared_place"))
    return {
        "car": draft.car_name(turn),
        "at": turn.shop.local(starts_at) if starts_at else None,
        "hours": say("hours_needed", minutes=draft.minutes(turn)),
        "technician": turn.catalogue.technicians[technician].name if technician else say("option.any_technician"),
        "place": onsite if draft.location(turn) is Location.ONSITE else say("option.workshop"),
    }


def _customer(turn: Turn) -> dict[str, object]:
    def given(name: str) -> object:
        return turn.state.get(name) if turn.state.get(name, SKIPPED) != SKIPPED else say("summary.none")

    return {
        "name": turn.state.get("name"),
        "phone": turn.state.get("phone") or turn.contact.customer.phone,
        "email": given("email"),
        "plate": given("plate"),
    }
