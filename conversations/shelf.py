"""How parts and services are shown: name, price, current stock, fit."""

from collections.abc import Mapping, Sequence
from typing import overload

from core.catalogue.fit import FitAnswer, Shelf
from core.catalogue.snapshot import stock_status
from core.db.tables import Part, Service
from core.messaging.messages import Option, Say, say
from core.money import discounted


class PartOptions(Sequence[Option]):
    """The options of a shelf, each made when its page is shown: there may be thousands."""

    def __init__(self, shelf: Shelf, stock: Mapping[str, int]) -> None:
        self._shelf = shelf
        self._stock = stock

    def __len__(self) -> int:
        return len(self._shelf)

    @overload
    def __getitem__(self, at: int) -> Option: ...
    @overload
    def __getitem__(self, at: slice) -> list[Option]: ...
    def __getitem__(self, at: int | slice) -> Option | list[Option]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        part, answer = self._shelf[at]
        return part_option(part, self._stock.get(part.id, 0), answer)


def part_option(part: Part, stock: int, fits: FitAnswer | None = None) -> Option:
    """Its price and stock, and whether it fits if it isn't simply so."""
    facts: list[Say] = [price_now(part), stock_of(part, stock)]
    if fits not in (None, FitAnswer.FITS):
        facts.append(say(f"fit.short.{fits}"))
    return Option(part.id, part.name, joined(facts))


def part_line(part: Part, stock: int) -> Say:
    return say("shelf.part", name=part.name, price=price_of(part), stock=stock_of(part, stock))


def service_line(service: Service) -> Say:
    return say("shelf.service", name=service.name, price=price_of(service), minutes=service.minutes)


def price_now(item: Part | Service) -> Say:
    """The current price alone, where there is little room."""
    now = discounted(item.price, item.discount)
    return say("price.plain", now=now) if now else say("price.free")


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
    return stock <= 0 or part.is_pre_order_only or not part.is_available
