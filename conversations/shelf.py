"""How parts and services are shown: name, price, current stock, fit."""

from core.catalogue.fit import Fit
from core.catalogue.snapshot import StockStatus, stock_status
from core.db.tables import Part, Service
from core.messaging.messages import Option, Say, say
from core.money import discounted


def part_option(part: Part, stock: int, fit: Fit | None = None) -> Option:
    facts: list[Say] = [price_of(part), stock_of(part, stock)]
    if fit is not None:
        facts.append(say(f"fit.short.{fit.answer}"))
    return Option(part.id, part.name, joined(facts))


def part_line(part: Part, stock: int) -> Say:
    return say("shelf.part", name=part.name, price=price_of(part), stock=stock_of(part, stock))


def service_line(service: Service) -> Say:
    return say("shelf.service", name=service.name, price=price_of(service), minutes=service.minutes)


def price_of(item: Part | Service) -> Say:
    """The current price, and the one before the discount if there is one."""
    now = discounted(item.price, item.discount)
    if not now:
        return say("price.free")
    return say("price.discounted", now=now, before=item.price) if item.discount else say("price.plain", now=now)


def stock_of(part: Part, stock: int) -> Say:
    return say(f"stock.{stock_status(part, stock)}", stock=stock)


def joined(facts: list[Say]) -> Say:
    first, *rest = facts
    for fact in rest:
        first = say("joined", first=first, second=fact)
    return first


def is_sold_out(part: Part, stock: int) -> bool:
    """Whether none can be promised now."""
    return stock_status(part, stock) in (StockStatus.OUT_OF_STOCK, StockStatus.PRE_ORDER)
