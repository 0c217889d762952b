"""The summary, its corrections, how to pay, and the booking itself."""

from conversations.booking import draft, waitlist
from conversations.turn import SKIPPED, Question, Step, Turn, YesNo, question
from conversations.understand.answers import read_method
from core import payment
from core.booking import place
from core.messaging.messages import Option, Say, say
from core.pricing import policy, quotes, trust
from core.pricing.prices import Line, Quote, down_payment
from core.refusals import BadDownPayment, CashForServicesOnly, MethodCannotPay, NoCashAfterNoShows
from core.states import Location, PaymentMethod

CHANGES: dict[str, tuple[str, ...]] = {
    "goods": ("shopped",),
    "car": ("brand", "model", "year", "fits", "other_car"),
    "work": ("services", "serviced", "times"),
    "when": ("date", "time", "part_of_day"),
    "technician": ("technician",),
    "name": ("name",),
    "phone": ("phone",),
    "email": ("email",),
    "plate": ("plate",),
    "place": ("location", "address"),
}
"""What can be corrected from the summary, and the answers that this drops."""


class Change(Step):
    """Which line of the summary to correct; asked before everything else."""

    name = "change"

    def needed(self, turn: Turn) -> bool:
        return "changing" in turn.state

    async def ask(self, turn: Turn) -> Question:
        given = [
            name
            for name, answers in CHANGES.items()
            if name in ("phone", "goods") or any(answer in turn.state for answer in answers)
        ]
        return question(
            say("ask.change"),
            options=[Option(name, say(f"change.{name}")) for name in given],
            always=[Option("nothing", say("option.nothing"))],
            button=say("button.choose"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.drop("changing", *CHANGES.get(option, ()))
        turn.state.recheck("time", "technician")
        if option == "phone":
            turn.state.put("other_phone", True)
        return True


class Confirmed(YesNo):
    name = "confirmed"
    no = "change"

    async def ask(self, turn: Turn) -> Question:
        quote = await _quote(turn)
        is_waitlist = draft.is_for_waitlist(turn)
        pays_now = quote.total and not is_waitlist
        return question(
            say("ask.waiting" if is_waitlist else "ask.confirmed"),
            say("summary.job", **_job(turn)),
            say("summary.lines", lines=[_price_line(line) for line in quote.lines]),
            say("summary.total", extras=_extras(quote), total=quote.total),
            say("summary.customer", **_customer(turn)),
            *([say("waiting.not_a_booking", minutes=turn.shop.offer_minutes)] if is_waitlist else []),
            options=[
                Option("yes", say("option.to_payment" if pays_now else "option.continue")),
                Option("change", say("option.change")),
            ],
            always=[Option("cancel", say("option.cancel_booking"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        match option:
            case "yes":
                turn.state.put("confirmed", True)
                turn.state.put("free", not (await _quote(turn)).total)
            case "change":
                turn.state.put("changing", True)
            case "cancel":
                turn.state.begin(None)
                turn.remark("cancelled.draft")
        return True


class Method(Step):
    name = "method"
    drops = ("plan",)
    reopened_by = (CashForServicesOnly, MethodCannotPay, NoCashAfterNoShows)

    def needed(self, turn: Turn) -> bool:
        return not turn.state.get("free")

    async def ask(self, turn: Turn) -> Question:
        quote = await _quote(turn)
        methods = await _methods(turn, quote)
        return question(
            *([say("waiting.pay_later")] if draft.is_for_waitlist(turn) else []),
            say("ask.method", total=quote.total),
            options=[Option(method, say(f"method.{method}"), say(f"method.{method}.hint")) for method in methods],
            button=say("button.method"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        """A method in the customer's words, "gopay aja"; one that can't be used is refused with its reason."""
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
    return payment.offered_methods(quote.total, services_only=cash)


class Plan(Step):
    name = "plan"
    reopened_by = (BadDownPayment,)

    def needed(self, turn: Turn) -> bool:
        return not turn.state.get("free") and turn.state.get("method") != PaymentMethod.COD

    async def ask(self, turn: Turn) -> Question:
        total = (await _quote(turn)).total
        percents = policy.down_payments(await _no_shows(turn), turn.shop)
        shares = [(percent, down_payment(total, percent)) for percent in percents]
        has_missed = percents != turn.shop.down_payment_percents
        why = [say("no_show.pay_first", percent=percents[0])] if has_missed else []
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


async def finish(turn: Turn) -> Question:
    request = draft.request(turn)
    if draft.is_for_waitlist(turn):
        last = await waitlist.join(turn, request)
    else:
        booking = await place(turn.ctx, request, ask_for_payment=True)
        in_cash = booking.payment_method is PaymentMethod.COD
        key = "booked.free" if not booking.total_price else "booked.cash" if in_cash else "booked.link_coming"
        at = turn.shop.local(booking.starts_at)
        last = question(say(key, code=booking.code, total=booking.total_price, at=at))
    turn.state.begin(None)
    return last


async def refused(_: Turn, __: str) -> Question:
    return question(say("refusal.ends_draft"))


async def _no_shows(turn: Turn) -> int:
    return await trust.count_no_shows(turn.session, turn.contact.customer_id)


async def _quote(turn: Turn) -> Quote:
    times = turn.state.get("times", {}).items()
    return await quotes.quote_for(
        turn.ctx, draft.basket(turn), draft.services(turn), location=draft.location(turn), times=times
    )


def _price_line(line: Line) -> Say:
    key = "summary.line" if line.quantity == 1 else "summary.line_of"
    return say(key, name=line.name, count=line.quantity, total=line.total)


def _extras(quote: Quote) -> list[Say]:
    amounts = {"savings": quote.savings, "onsite_fee": quote.onsite_fee, "tax": quote.tax_amount}
    return [say(f"summary.{name}", amount=amount) for name, amount in amounts.items() if amount]


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
