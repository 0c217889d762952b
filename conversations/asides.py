"""Questions in the middle: answered, and then the open question comes back."""

from collections.abc import Awaitable, Callable

from conversations import actions
from conversations.booking import draft
from conversations.shelf import is_sold_out, part_line, price_of, service_line
from conversations.turn import Turn
from conversations.understand import Intent
from core.catalogue import snapshot
from core.catalogue.fit import Fit, FitAnswer, find_car, fit_of
from core.db.tables import Part, Service
from core.messaging.messages import Say, say
from core.schedule import bookings

MOST_LINES = 5


async def answer(turn: Turn) -> list[Say] | None:
    """The answer to a question the message asks, or None where it asks none that we can answer."""
    if turn.heard.intent is None:
        return None
    handler = _ASIDES.get(turn.heard.intent)
    return await handler(turn) if handler else None


async def _price_or_stock(turn: Turn) -> list[Say] | None:
    services = _services(turn)
    if services and not turn.heard.parts:
        return [say("aside.services", lines=[service_line(service) for service in services[:MOST_LINES]])]
    parts = _parts(turn)
    if not parts:
        return [say("aside.which_one")] if turn.state.asked is None else None
    stock = await snapshot.stock(turn.session, [part.id for part in parts])
    parts.sort(key=lambda part: (is_sold_out(part, stock.get(part.id, 0)), part.price))
    lines = [part_line(part, stock.get(part.id, 0)) for part in parts[:MOST_LINES]]
    more = [say("aside.more", count=len(parts) - MOST_LINES)] if len(parts) > MOST_LINES else []
    car = _car(turn)
    head = say("aside.parts_for", car=" ".join(map(str, car)), lines=lines) if car else say("aside.parts", lines=lines)
    return [head, *more]


async def _fit(turn: Turn) -> list[Say] | None:
    car = _car(turn)
    if car is None:
        return [say("aside.fit_which_car")]
    name = " ".join(map(str, car))
    if len(turn.heard.parts) == 1 and turn.heard.parts[0] in turn.catalogue.parts:
        part = turn.catalogue.parts[turn.heard.parts[0]]
        return [_fit_line(part, fit_of(turn.catalogue, part, *car), name)]
    if turn.heard.parts or turn.heard.categories:
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
    day = turn.heard.date
    if day is None:
        return actions.opening_hours(turn)
    closed = await bookings.why_closed(turn.ctx, day, language=turn.contact.language)
    if closed is not None:
        return [say("aside.closed_on", day=day, why=closed)]
    opens, closes = turn.shop.weekly_hours(day) or (None, None)
    if opens is None or closes is None:
        return actions.opening_hours(turn)
    return [say("aside.open_on", day=day, span=f"{opens:%H:%M}–{closes:%H:%M}")]


async def _where(turn: Turn) -> list[Say]:
    return [actions.where_we_are(turn)]


async def _thanks(turn: Turn) -> list[Say]:
    return [say("aside.welcome")]


async def _greet(turn: Turn) -> list[Say]:
    return [say("aside.hello")]


def _car(turn: Turn) -> tuple[str, str, int] | None:
    """The car named now, else the one in the booking."""
    heard, state = turn.heard, turn.state
    if heard.brand and heard.model:
        year = heard.year or (state.get("year") if state.get("model") == heard.model else None)
        return (heard.brand, heard.model, year) if year else None
    known = (state.get("brand"), state.get("model"), state.get("year"))
    return known if all(known) else None


def _parts(turn: Turn) -> list[Part]:
    """The parts named, or those of the categories named; for a known car only what can go into it."""
    heard, every = turn.heard, turn.catalogue.parts
    if heard.parts:
        return [every[part] for part in heard.parts if part in every]
    parts = [part for part in every.values() if part.is_available and part.category in heard.categories]
    car = _car(turn)
    if car is None:
        return parts
    able = (FitAnswer.FITS, FitAnswer.NEEDS_ADAPTER)
    return [part for part in parts if fit_of(turn.catalogue, part, *car).answer in able] or parts


def _services(turn: Turn) -> list[Service]:
    return [turn.catalogue.services[one] for one in turn.heard.services if one in turn.catalogue.services]


_ASIDES: dict[Intent, Callable[[Turn], Awaitable[list[Say] | None]]] = {
    Intent.PRICE: _price_or_stock,
    Intent.STOCK: _price_or_stock,
    Intent.FIT: _fit,
    Intent.HOURS: _hours,
    Intent.LOCATION: _where,
    Intent.THANKS: _thanks,
    Intent.GREET: _greet,
}
