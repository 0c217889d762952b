"""Quotes for what customers choose, from the catalogue's rows of now."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import prices
from core.prices import Line, Quote
from core.refusals import BadQuantity, NotForSale, NotFound, NothingChosen, NotOnsite, PreOrderOnly
from core.shop import Shop
from core.states import Location
from core.tables import Part, Service


async def quote_for(
    session: AsyncSession,
    parts: Iterable[tuple[str, int]],
    services: Iterable[str],
    *,
    location: Location,
    shop: Shop,
) -> Quote:
    """The price of parts and services as they stand in the catalogue.

    Raises `NothingChosen`, `BadQuantity`, `NotFound`, `NotForSale`, `PreOrderOnly`, `NotOnsite`.
    """
    wanted: Counter[str] = Counter()
    for part_id, quantity in parts:
        _check_quantity(quantity, shop)
        wanted[part_id] += quantity
    work = Counter(services)
    if not wanted and not work:
        raise NothingChosen
    for quantity in (*wanted.values(), *work.values()):
        _check_quantity(quantity, shop)
    lines = [*await _part_lines(session, wanted), *await _service_lines(session, work, location)]
    return prices.quote(lines, location=location, shop=shop)


def _check_quantity(quantity: int, shop: Shop) -> None:
    if not 1 <= quantity <= shop.max_quantity:
        raise BadQuantity(quantity=quantity, most=shop.max_quantity)


async def _part_lines(session: AsyncSession, wanted: Counter[str]) -> list[Line]:
    if not wanted:
        return []
    query = select(
        Part.id,
        Part.name,
        Part.price,
        Part.discount,
        Part.warranty_months,
        Part.is_pre_order_only,
        (Part.is_available & Part.retired_at.is_(None)).label("for_sale"),
    ).where(Part.id.in_(wanted))
    rows = {row.id: row for row in await session.execute(query)}
    for part_id in wanted:
        if part_id not in rows:
            raise NotFound
        if not rows[part_id].for_sale:
            raise NotForSale(name=rows[part_id].name)
        if rows[part_id].is_pre_order_only:
            raise PreOrderOnly(name=rows[part_id].name)
    return [
        Line(
            kind="part",
            id=part_id,
            name=rows[part_id].name,
            price=rows[part_id].price,
            discount=rows[part_id].discount,
            quantity=quantity,
            warranty_months=rows[part_id].warranty_months,
        )
        for part_id, quantity in wanted.items()
    ]


async def _service_lines(session: AsyncSession, work: Counter[str], location: Location) -> list[Line]:
    if not work:
        return []
    query = select(
        Service.id,
        Service.name,
        Service.price,
        Service.discount,
        Service.minutes,
        Service.skill,
        Service.onsite,
        (Service.is_available & Service.retired_at.is_(None)).label("for_sale"),
    ).where(Service.id.in_(work))
    rows = {row.id: row for row in await session.execute(query)}
    for service_id in work:
        if service_id not in rows:
            raise NotFound
        if not rows[service_id].for_sale:
            raise NotForSale(name=rows[service_id].name)
        if location is Location.ONSITE and not rows[service_id].onsite:
            raise NotOnsite(name=rows[service_id].name)
    return [
        Line(
            kind="service",
            id=service_id,
            name=rows[service_id].name,
            price=rows[service_id].price,
            discount=rows[service_id].discount,
            quantity=quantity,
            minutes=quantity * rows[service_id].minutes,
            skill=rows[service_id].skill,
        )
        for service_id, quantity in work.items()
    ]
