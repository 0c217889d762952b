"""The summary, its corrections, how to pay, and the booking itself."""

from dataclasses import replace

from conversations import draft, exclusions
from conversations.booking import waitlist
from conversations.state import ORDER
from conversations.turn import Question, Step, Turn, YesNo, question
from conversations.understand.answers import (
    DOWN_PAYMENT,
    FULL,
    read_yes_no,
    reads_as_paying,
)
from core.booking import BookingRequest, place
from core.messaging.messages import Option, Say, say
from core.pricing import policy, quotes, trust
from core.pricing.prices import Line, Quote, down_payment
from core.refusals import (
    BadDownPayment,
    CashForServicesOnly,
    MethodCannotPay,
    NoCashAfterNoShows,
    NoTechnician,
    Refusal,
)
from core.schedule import availability
from core.states import Location, PaymentMethod

CHANGES: dict[str, tuple[str, ...]] = {
    "goods": ("shopped",),
    "car": ("brand", "model", "year", "fits", "other_car"),
    "serviced": ("services", "serviced", "times"),
    "when": ("date", "time", "part_of_day"),
    "location": ("location", "address"),
    "technician": ("technician",),
    "name": ("name",),
    "phone": ("phone",),
    "plate": ("plate",),
    "email": ("email",),
}
"""What can be corrected from the summary, and the answers that this drops."""


NEXT_ORDER = "next_order"
"""The answer that keeps the words about a second car."""
START_OVER = "start_over"
"""The answer to `giving_up` when a new order follows at once."""


class Change(Step):
    """Which line of the summary to correct; asked before everything else."""

    name = "change"

    def needed(self, turn: Turn) -> bool:
        return "changing" in turn.state

    async def ask(self, turn: Turn) -> Question:
        return question(
            say("ask.change"),
            options=[Option(name, say(f"change.{name}")) for name in CHANGES],
            always=[Option("nothing", say("option.nothing"))],
            button=say("button.choose"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.drop("changing", *CHANGES.get(option, ()))
        turn.state.recheck("time", "technician")
        turn.state.put("asking", option)
        return True


class GiveUp(YesNo):
    """Whether the order is really dropped; asked before everything else, and forgotten by any other answer."""

    name = "give_up"
    no = "stay"

    def needed(self, turn: Turn) -> bool:
        return "giving_up" in turn.state

    async def ask(self, turn: Turn) -> Question:
        return question(
            say("ask.give_up"),
            options=[Option("yes", say("option.give_up")), Option("stay", say("option.resume"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "yes":
            starts_over = turn.state.get("giving_up") == START_OVER
            turn.state.begin(None)
            turn.remark("cancelled.draft")
            turn.state.begin(ORDER if starts_over else None)
        else:
            turn.state.drop("giving_up")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        agreed = read_yes_no(text)
        if agreed is None:
            turn.state.drop("giving_up")
            return False
        return await self.choose(turn, "yes" if agreed else self.no)


class Confirmed(Step):
    """The summary: one tap says that it is right, and how to pay. The customer chooses the bank or wallet at Midtrans."""

    name = "confirmed"
    own_numbers = True
    reopened_by = (BadDownPayment, CashForServicesOnly, MethodCannotPay, NoCashAfterNoShows)

    async def ask(self, turn: Turn) -> Question:
        quote, missed = await _quote(turn), await _no_shows(turn)
        is_waitlist = draft.is_for_waitlist(turn)
        return question(
            say("ask.waiting" if is_waitlist else "ask.confirmed"),
            say("summary.job", **_job(turn)),
            say("summary.lines", lines=[_price_line(line) for line in quote.lines]),
            say("summary.total", extras=_extras(quote), total=quote.total),
            say("summary.customer", lines=_customer(turn)),
            *([say("waiting.not_a_booking", minutes=turn.shop.offer_minutes)] if is_waitlist else []),
            *_why_so(turn, missed),
            options=[*_ways_to_pay(turn, quote, missed), Option("change", say("option.change"))],
            always=[Option("cancel", say("option.cancel_booking"))],
            button=say("button.plan"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        match option:
            case "change":
                turn.state.put("changing", True)
            case "cancel":
                turn.state.put("giving_up", True)
            case _:
                self._confirm(turn, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """A way to pay in the customer's words, or a plain yes, which means the first one shown."""
        ways = {option.id for option in _ways_to_pay(turn, await _quote(turn), await _no_shows(turn))}
        if "?" in text:
            return False
        said, agreed = turn.understood, read_yes_no(text)
        method, plan = said.method, _percent(turn, said.plan) if said.plan else None
        if agreed is False:
            return await self.choose(turn, "change")
        if method == PaymentMethod.COD:
            if method in ways:
                return await self.choose(turn, method)
            turn.remark(f"refusal.{(CashForServicesOnly if draft.basket(turn) else NoCashAfterNoShows).code}")
            return True
        if plan is None and method is None and not (agreed or reads_as_paying(text)):
            return False
        if method is not None:
            turn.state.put("method", method)
        self._confirm(turn, plan or turn.state.get("plan", FULL))
        return True

    async def absorb(self, turn: Turn) -> bool:
        """How to pay, said before the summary: it comes first there."""
        said = turn.understood
        if not (said.plan or said.method) or "?" in (turn.incoming.text or ""):
            return False
        if said.plan:
            turn.state.put("plan", _percent(turn, said.plan))
        if said.method:
            turn.state.put("method", said.method)
        return True

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        turn.state.drop(self.name, "method", "plan")

    def _confirm(self, turn: Turn, way: str) -> None:
        turn.state.put("confirmed", True)
        if way == PaymentMethod.COD:
            turn.state.put("method", way)
        else:
            turn.state.put("plan", way)


def _percent(turn: Turn, plan: str) -> str:
    """A down payment without its percent is the lowest."""
    return str(min(turn.shop.down_payment_percents, default=100)) if plan == DOWN_PAYMENT else plan


def _ways_to_pay(turn: Turn, quote: Quote, missed: int) -> list[Option]:
    """In full, the lowest down payment (or the one that was named), and cash where it is possible."""
    if draft.is_for_waitlist(turn):
        return [Option(FULL, say("option.wait"))]
    if not quote.total:
        return [Option(FULL, say("option.book_it"))]
    percents = policy.down_payments(missed, turn.shop)
    named = turn.state.get("plan", FULL)
    shares = [percent for percent in percents if str(percent) == named] or list(percents[:1])
    ways = [Option(FULL, say("option.full"), say("price.plain", now=quote.total))]
    ways += [
        Option(str(percent), say("option.share", percent=percent), say("price.plain", now=amount))
        for percent in shares
        if (amount := down_payment(quote.total, percent))
    ]
    if named != FULL and ways[-1].id == named:
        ways.reverse()
    if not draft.basket(turn) and policy.is_trusted(missed, turn.shop):
        ways.append(Option(PaymentMethod.COD, say("method.cod")))
    return ways


def _why_so(turn: Turn, missed: int) -> list[Say]:
    """Why a customer who didn't come before has fewer ways to pay."""
    percents = policy.down_payments(missed, turn.shop)
    return [] if percents == turn.shop.down_payment_percents else [say("no_show.pay_first", percent=percents[0])]


async def finish(turn: Turn) -> Question:
    request = draft.request(turn)
    if draft.is_for_waitlist(turn):
        last = await waitlist.join(turn, request)
    else:
        request = await _without_unwanted(turn, request)
        await place(turn.ctx, request, ask_for_payment=True)
        last = question()  # the link or the confirmation follows by itself
    turn.state.begin(None)
    return last


async def _without_unwanted(turn: Turn, request: BookingRequest) -> BookingRequest:
    """Anyone but those whom the customer doesn't want: the first who is free. Raises `NoTechnician`."""
    unwanted, order = exclusions.of(turn, "technician"), request.order
    if not unwanted or order.technician_id is not None:
        return request
    job = await draft.job(turn)
    free = await availability.free_technicians(turn.ctx, order.starts_at, job.minutes, skills=job.skills)
    chosen = next((one.id for one in free if one.id not in unwanted), None)
    if chosen is None:
        raise NoTechnician
    return replace(request, order=replace(order, technician_id=chosen))


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
        "technician": turn.catalogue.technicians[technician].name if technician else _anyone(turn),
        "place": onsite if draft.location(turn) is Location.ONSITE else say("option.workshop"),
    }


def _anyone(turn: Turn) -> Say:
    unwanted = [turn.catalogue.technicians[each].name for each in exclusions.of(turn, "technician")]
    return say("technician.but", names=", ".join(sorted(unwanted))) if unwanted else say("option.any_technician")


def _customer(turn: Turn) -> list[Say]:
    """A line for each that is known: name, number, e-mail, plate."""
    known = {"name": draft.name(turn), "phone": draft.phone(turn)}
    known |= {name: turn.state.get(name) for name in ("email", "plate")}
    return [say(f"summary.{name}", value=value) for name, value in known.items() if value]
