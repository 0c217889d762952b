"""Quotes at the catalogue's present prices."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Part, Service
from core.pricing import prices
from core.pricing.installations import times_of
from core.pricing.prices import Line, Quote
from core.refusals import BadQuantity, NotForSale, NotFound, NothingChosen, NotOnsite, PreOrderOnly
from core.shop import Shop
from core.states import Location


async def quote_for(
    ctx: Context,
    parts: Iterable[tuple[str, int]],
    services: Iterable[str],
    *,
    location: Location,
    times: Iterable[tuple[str, int]] = (),
) -> Quote:
    """Price these parts, given with their quantities, and services; `times` as in `Order`.

    Raises `NothingChosen`, `BadQuantity`, `NotFound`, `NotForSale`, `PreOrderOnly`, `NotOnsite`.
    """
    goods, work = _added_up(parts, ctx.shop), _added_up(((service, 1) for service in services), ctx.shop)
    otherwise = _added_up(times, ctx.shop)
    if not goods and not work:
        raise NothingChosen
    offers = await _offers(ctx.session, _PARTS, goods)
    pieces = Counter[str]()
    for offer in offers:
        pieces[offer.category] += goods[offer.id]
    lines = [*_part_lines(offers, goods), *await _service_lines(ctx.session, work, pieces, otherwise, location)]
    return prices.quote(lines, location=location, shop=ctx.shop)


def _added_up(chosen: Iterable[tuple[str, int]], shop: Shop) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for what, quantity in chosen:
        wanted[what] += quantity
        if quantity < 1 or wanted[what] > shop.max_quantity:
            raise BadQuantity(quantity=quantity, most=shop.max_quantity)
    return wanted


def _part_lines(offers: Iterable[Any], wanted: Mapping[str, int]) -> list[Line]:
    for offer in offers:
        if offer.is_pre_order_only:
            raise PreOrderOnly(name=offer.name)
    return [
        Line(kind="part", quantity=wanted[each.id], **_price(each), warranty_months=each.warranty_months)
        for each in offers
    ]


async def _service_lines(
    session: AsyncSession,
    wanted: Counter[str],
    pieces: Mapping[str, int],
    otherwise: Mapping[str, int],
    location: Location,
) -> list[Line]:
    offers = await _offers(session, _SERVICES, wanted)
    times = times_of(wanted.elements(), {offer.id: offer for offer in offers}, pieces, otherwise)
    for offer in offers:
        if location is Location.ONSITE and not offer.onsite:
            raise NotOnsite(name=offer.name)
    return [
        Line(
            kind="service",
            quantity=times[each.id],
            **_price(each),
            minutes=times[each.id] * each.minutes,
            skill=each.skill,
        )
        for each in offers
    ]


def _price(offer: Any) -> dict[str, Any]:
    return {"id": offer.id, "name": offer.name, "price": offer.price, "discount": offer.discount}


async def _offers(session: AsyncSession, query: Executable, wanted: Counter[str]) -> list[Any]:
    """The rows that are wanted, in that order."""
    if not wanted:
        return []
    offers = {offer.id: offer for offer in await session.execute(query, {"ids": list(wanted)})}
    for each in wanted:
        if each not in offers:
            raise NotFound
        if not offers[each].is_available or offers[each].retired_at is not None:
            raise NotForSale(name=offers[each].name)
    return [offers[each] for each in wanted]


# Built once. Single columns: neither stock nor specifications are needed.
_PARTS = select(
    Part.id,
    Part.name,
    Part.category,
    Part.price,
    Part.discount,
    Part.warranty_months,
    Part.is_pre_order_only,
    Part.is_available,
    Part.retired_at,
).where(Part.id.in_(bindparam("ids", expanding=True)))
_SERVICES = select(
    Service.id,
    Service.name,
    Service.category,
    Service.installs,
    Service.price,
    Service.discount,
    Service.minutes,
    Service.skill,
    Service.onsite,
    Service.is_available,
    Service.retired_at,
).where(Service.id.in_(bindparam("ids", expanding=True)))
