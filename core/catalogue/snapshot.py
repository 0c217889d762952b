"""The catalogue: parts with their stock, services, cars, technicians."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from core.db.tables import Car, CatalogueVersion, Part, Service, Technician
from core.refusals import BadAmount, NotFound, StockPromised

CATEGORIES = ("speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other")
SERVICE_CATEGORIES = ("installation", "repair", "upgrade", "consultation", "package", "other")
MOST_ON_HAND = 100_000

_Row = TypeVar("_Row", Part, Service, Car, Technician)
# One statement that both databases know, so that two first changes don't collide.
_BUMP = text(
    "INSERT INTO catalogue_version (id, version) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET version = catalogue_version.version + 1"
)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All that is on offer at one version; shared between turns, so without stock (see `stock`)."""

    version: int
    parts: Mapping[str, Part]
    services: Mapping[str, Service]
    cars: Mapping[str, Car]
    technicians: Mapping[str, Technician]


class StockStatus(StrEnum):
    """What a customer is told about a part's stock (api.md)."""

    AVAILABLE = "available"
    LOW_STOCK = "low_stock"
    OUT_OF_STOCK = "out_of_stock"
    PRE_ORDER = "pre_order"


async def load(session: AsyncSession) -> Catalogue:
    """The catalogue without what is retired, detached from the session; reading a part's stock from it raises."""
    parts = select(Part).options(defer(Part.on_hand), defer(Part.reserved)).where(Part.retired_at.is_(None))
    return Catalogue(
        version=await version(session),
        parts=await _by_id(session, parts.order_by(Part.id)),
        services=await _by_id(session, select(Service).where(Service.retired_at.is_(None)).order_by(Service.id)),
        cars=await _by_id(session, select(Car).order_by(Car.id)),
        technicians=await _by_id(
            session, select(Technician).where(Technician.retired_at.is_(None)).order_by(Technician.id)
        ),
    )


async def version(session: AsyncSession) -> int:
    return await session.scalar(select(CatalogueVersion.version)) or 0


async def stock(session: AsyncSession, parts: Iterable[str] | None = None) -> dict[str, int]:
    """How many of each part aren't reserved."""
    query = select(Part.id, Part.on_hand - Part.reserved)
    if parts is not None:
        query = query.where(Part.id.in_(list(parts)))
    return dict((await session.execute(query)).all())


async def set_stock(session: AsyncSession, part_id: str, on_hand: int) -> Part:
    """Raises `NotFound`, `BadAmount` (negative, or absurdly many), `StockPromised` below what bookings have reserved."""
    if not 0 <= on_hand <= MOST_ON_HAND:
        raise BadAmount(least=0, most=MOST_ON_HAND)
    part = await session.get(Part, part_id, with_for_update={"key_share": True}, populate_existing=True)
    if part is None:
        raise NotFound
    if on_hand < part.reserved:
        raise StockPromised(name=part.name, reserved=part.reserved)
    part.on_hand = on_hand
    await session.flush()
    return part


async def bump(session: AsyncSession) -> None:
    """Increment the version; called in the transaction of every change."""
    await session.execute(_BUMP)


def stock_status(part: Part, stock: int) -> StockStatus:
    if part.is_pre_order_only:
        return StockStatus.PRE_ORDER
    if stock <= 0 or not part.is_available:
        return StockStatus.OUT_OF_STOCK
    if stock <= part.low_stock_threshold:
        return StockStatus.LOW_STOCK
    return StockStatus.AVAILABLE


def brands(catalogue: Catalogue) -> list[str]:
    """The car brands, those with the most models first: roughly the most common ones."""
    counts = Counter(brand for brand, _ in {(car.brand, car.model) for car in catalogue.cars.values()})
    return sorted(counts, key=lambda brand: (-counts[brand], brand))


def models(catalogue: Catalogue, brand: str) -> list[str]:
    return sorted({car.model for car in catalogue.cars.values() if car.brand.casefold() == brand.casefold()})


async def _by_id(session: AsyncSession, query: Select[_Row]) -> dict[str, _Row]:
    rows = (await session.scalars(query)).all()
    for row in rows:
        session.expunge(row)
    return {row.id: row for row in rows}
