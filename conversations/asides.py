"""Questions that customers ask, in the middle of an order or before one: answered in the same reply."""

from collections.abc import Mapping
from dataclasses import replace

from conversations import actions, advice, draft
from conversations.advice import Advice
from conversations.advice.wish import car_of
from conversations.booking.goods import take_named
from conversations.registry import action
from conversations.shelf import is_sold_out, part_line, price_of
from conversations.state import ORDER
from conversations.turn import Turn, Who
from conversations.understand.answers import read_no_notice, read_notify
from conversations.understand.intents import Intent
from core.catalogue import snapshot, stock_alerts
from core.catalogue.fit import Fit, FitAnswer, find_car, fit_of
from core.db.tables import Part
from core.messaging.messages import Option, Say, say

GOODS = frozenset({"category", "part", "more", "quantity", "serviced"})
ABOUT: Mapping[Intent, frozenset[str]] = {
    Intent.PRICE: GOODS,
    Intent.STOCK: GOODS,
    Intent.FIT: GOODS,
    Intent.COMPARE: GOODS,
    Intent.DISCOUNT: GOODS,
    Intent.DURATION: GOODS,
    Intent.WARRANTY: GOODS,
    Intent.DELIVERY: GOODS,
    Intent.RECOMMEND: GOODS - {"part"},
    Intent.HOURS: frozenset({"date", "time"}),
    Intent.LOCATION: frozenset({"location"}),
    Intent.PAYMENT_TERMS: frozenset({"confirmed"}),
    Intent.NOT_OURS: GOODS,
    Intent.THANKS: frozenset(),
    Intent.GREET: frozenset(),
}
"""The questions that we answer, and the questions of an order that they are about: "jbl berapa?" doesn't order it."""
ORDERS = frozenset({Intent.BOOK, Intent.REPAIR, Intent.ADD})
SHOWN_BY_AN_ORDER = frozenset({Intent.PRICE, Intent.STOCK, Intent.FIT, Intent.RECOMMEND, Intent.GREET, Intent.THANKS})
OURS = frozenset({Intent.FIT, Intent.LOCATION, Intent.THANKS, Intent.GREET})
MOST_ANSWERS = 2


async def answer(turn: Turn) -> Advice | None:
    """The answers to the questions that the message asks; None if it asks none we can answer."""
    if (said := await _stock_alert(turn)) is not None:
        return Advice(said)
    asked = _asked(turn)
    if turn.understood.intent in ORDERS:
        asked = [topic for topic in asked if topic not in SHOWN_BY_AN_ORDER]
    ours = {topic: each for topic in asked if (each := await _ours(turn, topic)) is not None}
    advised = await advice.answer_all(turn, [topic for topic in asked if topic not in OURS | ours.keys()])
    found = [*([advised] if advised else []), *ours.values()][:MOST_ANSWERS]
    if not found:
        is_vague = Intent.PRICE in asked or Intent.STOCK in asked
        return Advice([say("aside.which_one")]) if is_vague and turn.state.asked is None else None
    return Advice(
        says=[each for one in found for each in one.says],
        options=[_orders(turn, option) for option in found[0].options],
        document=found[0].document,
        link=found[0].link,
    )


async def look_at(turn: Turn) -> Advice | None:
    """All about the part that a message names and nothing else."""
    said = await advice.answer(turn, Intent.PRICE)
    return replace(said, options=[_orders(turn, option) for option in said.options]) if said else None


def asked_about(turn: Turn) -> frozenset[str]:
    """The questions of an order that the message asks about, and so doesn't answer."""
    about = frozenset[str]().union(*(ABOUT[topic] for topic in _asked(turn)))
    return about - GOODS if turn.understood.intent in ORDERS else about


def _asked(turn: Turn) -> list[Intent]:
    """The topics of the message that are questions; "dp 30 aja" is none, and neither is a complaint."""
    understood = turn.understood
    if Intent.COMPLAINT in understood.topics:
        return []
    says_how = understood.plan is not None and "?" not in (turn.incoming.text or "")
    return [topic for topic in understood.topics if topic in ABOUT and not (says_how and topic is Intent.PAYMENT_TERMS)]


async def _ours(turn: Turn, topic: Intent) -> Advice | None:
    """What isn't advice about goods and terms: whether it fits, the customer's own warranties, where we are, a kind word."""
    match topic:
        case Intent.FIT:
            said = await _fit(turn)
            return Advice(said) if said else await advice.answer(turn, Intent.PRICE)
        case Intent.WARRANTY:
            own = [] if turn.understood.parts else await actions.warranties(turn, turn.understood.categories)
            return Advice([say("warranty.list", lines=own)]) if own else None
        case Intent.LOCATION:
            return Advice([actions.address(turn)])
        case Intent.THANKS:
            return Advice([say("aside.welcome")])
        case Intent.GREET:
            return Advice([say("aside.hello")])
    return None


def _orders(turn: Turn, option: Option) -> Option:
    """An option of an answer as a button that orders what it shows."""
    name = "order" if option.id in turn.catalogue.parts else "work" if option.id in turn.catalogue.services else None
    return replace(option, id=f"{name}:{option.id}") if name else option


@action("order", who=Who.CUSTOMER)
async def order(turn: Turn, part_id: str) -> None:
    """Put a part into the open booking, or begin one with it."""
    part = turn.catalogue.parts.get(part_id)
    if turn.state.flow != ORDER:
        await actions.book(turn)
    if part is not None:
        await take_named(turn, part)


@action("work", who=Who.CUSTOMER)
async def order_work(turn: Turn, service_id: str) -> None:
    """Put a service into the open booking, or begin one with it."""
    if turn.state.flow != ORDER:
        await actions.book(turn)
    if service_id in turn.catalogue.services:
        turn.state.put("services", [*(each for each in draft.services(turn) if each != service_id), service_id])
        turn.state.put("shopped", True)


async def _stock_alert(turn: Turn) -> list[Say] | None:
    """ "Kabari kalau ada": an alert for the sold-out part that is named or was shown; or no alerts any more."""
    text = turn.incoming.text or ""
    if read_no_notice(text) and await stock_alerts.forget(turn.ctx, turn.contact):
        return [say("stock_alert.forgotten")]
    if not read_notify(text):
        return None
    named = list(turn.understood.parts)
    if not named and turn.state.asked in (None, "category", "part"):
        named = [turn.state.get("sold_out", "")]
    part = turn.catalogue.parts.get(named[0]) if len(named) == 1 else None
    if part is None or part.is_pre_order_only:
        return None
    stock = (await snapshot.stock(turn.session, [part.id])).get(part.id, 0)
    if not is_sold_out(part, stock):
        return [part_line(part, stock)]
    await stock_alerts.ask(turn.ctx, turn.contact, part.id)
    return [say("stock_alert.noted", name=part.name)]


async def _fit(turn: Turn) -> list[Say] | None:
    car = car_of(turn)
    if car is None:
        return [say("aside.fit_which_car")]
    name = " ".join(map(str, car))
    if len(turn.understood.parts) == 1 and turn.understood.parts[0] in turn.catalogue.parts:
        part = turn.catalogue.parts[turn.understood.parts[0]]
        return [_fit_line(part, fit_of(turn.catalogue, part, *car), name)]
    if turn.understood.parts or turn.understood.categories:
        return None
    if draft.basket(turn):
        return [_fit_line(part, fit_of(turn.catalogue, part, *car), name) for part in draft.basket_parts(turn)]
    known = find_car(turn.catalogue, *car)
    return [say("aside.car_known" if known else "aside.car_unknown", car=name)]


def _fit_line(part: Part, fit: Fit, car: str) -> Say:
    names = {"name": part.name, "car": car}
    if fit.answer is FitAnswer.NEEDS_ADAPTER and fit.adapter is not None:
        return say("fit.needs_adapter", adapter=fit.adapter.name, price=price_of(fit.adapter), **names)
    return say(f"fit.{fit.answer}", **names)
