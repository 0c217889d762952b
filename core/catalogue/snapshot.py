"""The catalogue: parts with their stock, services, cars, technicians.

It may hold tens of thousands of parts, so rows are read in batches, between which the event loop does other work.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from core.db.tables import Car, CatalogueVersion, Part, Service, Technician
from core.refusals import BadStock, NotFound, StockPromised

CATEGORIES = ("speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other")
SERVICE_CATEGORIES = ("installation", "repair", "upgrade", "consultation", "package", "other")
MOST_ON_HAND = 100_000
BATCH = 500
"""Rows read at a time: some milliseconds."""

_T = TypeVar("_T")
_Row = TypeVar("_Row", Part, Service, Car, Technician)
# One statement that both databases know, so that two first changes don't collide.
_BUMP = text(
    "INSERT INTO catalogue_version (id, version) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET version = catalogue_version.version + 1"
)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All that is on offer at one version; shared between turns, so without stock (see `stock`)."""

    version: int
    parts: Mapping[str, Part]
    services: Mapping[str, Service]
    cars: Mapping[str, Car]
    technicians: Mapping[str, Technician]

    @cached_property
    def shelves(self) -> Mapping[str, tuple[Part, ...]]:
        """The parts for sale by category, the cheapest first."""
        found: dict[str, list[Part]] = {}
        for part in sorted(self.parts.values(), key=lambda part: part.price):
            if part.is_available:
                found.setdefault(part.category, []).append(part)
        return {category: tuple(parts) for category, parts in found.items()}


class PerCatalogue(Generic[_T]):
    """Makes something of each catalogue once, and forgets it with the catalogue."""

    def __init__(self, make: Callable[[Catalogue], _T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Catalogue, _T] = WeakKeyDictionary()

    def __call__(self, catalogue: Catalogue) -> _T:
        made = self._made.get(catalogue)
        if made is None:
            made = self._made[catalogue] = self._make(catalogue)
        return made


class Newest:
    """Keeps the newest catalogue, loaded once per version."""

    def __init__(self) -> None:
        self._known: Catalogue | None = None
        self._loading = asyncio.Lock()

    async def get(self, session: AsyncSession) -> Catalogue:
        async with self._loading:
            if self._known is None or self._known.version != await version(session):
                self._known = await load(session)
            return self._known


class StockStatus(StrEnum):
    """What a customer is told about a part's stock (api.md)."""

    AVAILABLE = "available"
    LOW_STOCK = "low_stock"
    OUT_OF_STOCK = "out_of_stock"
    PRE_ORDER = "pre_order"


async def load(session: AsyncSession) -> Catalogue:
    """The catalogue without what is retired, detached from the session; reading a part's stock from it raises.

    Of a part it also leaves out what no chat shows: description, specifications and images.
    """
    left_out = (Part.on_hand, Part.reserved, Part.description, Part.specifications, Part.images)
    # The version first: what changes meanwhile has a higher one.
    return Catalogue(
        version=await version(session),
        parts=await _by_id(session, Part, select(Part).options(*map(defer, left_out)).where(Part.retired_at.is_(None))),
        services=await _by_id(session, Service, select(Service).where(Service.retired_at.is_(None))),
        cars=await _by_id(session, Car, select(Car)),
        technicians=await _by_id(session, Technician, select(Technician).where(Technician.retired_at.is_(None))),
    )


async def version(session: AsyncSession) -> int:
    return await session.scalar(select(CatalogueVersion.version)) or 0


async def stock(session: AsyncSession, parts: Iterable[str] | None = None) -> dict[str, int]:
    """How many of each part aren't reserved."""
    free = select(Part.id, Part.on_hand - Part.reserved)
    if parts is None:
        return dict((await session.execute(free)).all())
    found: dict[str, int] = {}
    ids = list(parts)
    for begin in range(0, len(ids), BATCH):
        found.update((await session.execute(free.where(Part.id.in_(ids[begin : begin + BATCH])))).all())
    return found


async def set_stock(session: AsyncSession, part_id: str, on_hand: int) -> Part:
    """Raises `NotFound`, `BadStock` (negative, or absurdly many), `StockPromised` below what bookings have reserved."""
    if not 0 <= on_hand <= MOST_ON_HAND:
        raise BadStock(least=0, most=MOST_ON_HAND)
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


async def _by_id(session: AsyncSession, table: type[_Row], query: Select[_Row]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    last = ""
    while True:
        rows = (await session.scalars(query.where(table.id > last).order_by(table.id).limit(BATCH))).all()
        for row in rows:
            session.expunge(row)
            found[row.id] = row
        if len(rows) < BATCH:
            return found
        last = rows[-1].id
