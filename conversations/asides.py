"""Questions in the middle of a flow: answered, then the open question is asked again."""

from conversations import actions, draft
from conversations.booking import BOOKING
from conversations.registry import action
from conversations.shelf import is_sold_out, part_line, price_of, service_line
from conversations.turn import Turn, Who
from conversations.understand.answers import read_no_notice, read_notify
from conversations.understand.intents import Intent
from core.catalogue import snapshot, stock_alerts
from core.catalogue.fit import Fit, FitAnswer, find_car, fit_of, shelf
from core.db.tables import Part
from core.messaging.messages import Say, say
from core.schedule import availability

MAX_LINES = 5


async def answer(turn: Turn) -> list[Say] | None:
    """The answer to the question that the message asks; None if it asks none we can answer."""
    if (said := await _stock_alert(turn)) is not None:
        return said
    match turn.understood.intent:
        case Intent.PRICE | Intent.STOCK:
            return await _price_or_stock(turn)
        case Intent.FIT:
            return await _fit(turn)
        case Intent.HOURS:
            return await _hours(turn)
        case Intent.LOCATION:
            return [actions.address(turn)]
        case Intent.THANKS:
            return [say("aside.welcome")]
        case Intent.GREET:
            return [say("aside.hello")]
    return None


async def _price_or_stock(turn: Turn) -> list[Say] | None:
    services = [turn.catalogue.services[one] for one in turn.understood.services if one in turn.catalogue.services]
    if services and not turn.understood.parts:
        return [say("aside.services", lines=[service_line(service) for service in services[:MAX_LINES]])]
    parts = _parts(turn)
    if not parts:
        return [say("aside.which_one")] if turn.state.asked is None else None
    stock = await snapshot.stock(turn.session, [part.id for part in parts])
    parts.sort(key=lambda part: (is_sold_out(part, stock.get(part.id, 0)), part.price))
    lines = [part_line(part, stock.get(part.id, 0)) for part in parts[:MAX_LINES]]
    more = [say("aside.more", count=len(parts) - MAX_LINES)] if len(parts) > MAX_LINES else []
    if len(parts) == 1 and not parts[0].is_pre_order_only and is_sold_out(parts[0], stock.get(parts[0].id, 0)):
        turn.state.put("sold_out", parts[0].id)
        more = [say("stock_alert.hint")]
    car = _car(turn)
    head = say("aside.parts_for", car=" ".join(map(str, car)), lines=lines) if car else say("aside.parts", lines=lines)
    return [head, *more]


@action("order", who=Who.CUSTOMER)
async def order(turn: Turn, part_id: str) -> None:
    """Put a part that is back in stock into the open booking, or begin one with it."""
    if turn.state.flow != BOOKING.name:
        await actions.book(turn)
    if part_id in turn.catalogue.parts:
        draft.put_in_basket(turn, part_id, 1)


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
    car = _car(turn)
    if car is None:
        return [say("aside.fit_which_car")]
    name = " ".join(map(str, car))
    if len(turn.understood.parts) == 1 and turn.understood.parts[0] in turn.catalogue.parts:
        part = turn.catalogue.parts[turn.understood.parts[0]]
        return [_fit_line(part, fit_of(turn.catalogue, part, *car), name)]
    if turn.understood.parts or turn.understood.categories:
        return await _price_or_stock(turn)
    if draft.basket(turn):
        return [_fit_line(part, fit_of(turn.catalogue, part, *car), name) for part in draft.basket_parts(turn)]
    known = find_car(turn.catalogue, *car)
    return [say("aside.car_known" if known else "aside.car_unknown", car=name)]


def _fit_line(part: Part, fit: Fit, car: str) -> Say:
    names = {"name": part.name, "car": car}
    if fit.answer is FitAnswer.NEEDS_ADAPTER and fit.adapter is not None:
        return say("fit.needs_adapter", adapter=fit.adapter.name, price=price_of(fit.adapter), **names)
    return say(f"fit.{fit.answer}", **names)


async def _hours(turn: Turn) -> list[Say]:
    day = turn.understood.date
    if day is None:
        return actions.opening_hours(turn)
    closed = await availability.why_closed(turn.ctx, day, language=turn.contact.language)
    if closed is not None:
        return [say("aside.closed_on", day=day, why=closed)]
    opens, closes = turn.shop.weekly_hours(day) or (None, None)
    if opens is None or closes is None:
        return actions.opening_hours(turn)
    return [say("aside.open_on", day=day, span=f"{opens:%H:%M}–{closes:%H:%M}")]


def _car(turn: Turn) -> tuple[str, str, int] | None:
    understood, state = turn.understood, turn.state
    if understood.brand and understood.model:
        year = understood.year or (state.get("year") if state.get("model") == understood.model else None)
        return (understood.brand, understood.model, year) if year else None
    return draft.car(turn)


def _parts(turn: Turn) -> list[Part]:
    """The parts named, or those of the named categories; for a known car, only those that can be fitted."""
    understood, every = turn.understood, turn.catalogue.parts
    if understood.parts:
        return [every[part] for part in understood.parts if part in every]
    car, categories = _car(turn), dict.fromkeys(understood.categories)
    shelves = [row for category in categories for row in shelf(turn.catalogue, category, car)]
    fitting = (FitAnswer.FITS, FitAnswer.NEEDS_ADAPTER)
    return [part for part, fits in shelves if fits in fitting] or [part for part, _ in shelves]
