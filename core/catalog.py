"""What the shop offers: parts with their stock, services, cars, technicians."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from core.tables import Car, CatalogueVersion, Part, Service, Technician

CATEGORIES = ("speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other")
SERVICE_CATEGORIES = ("installation", "repair", "upgrade", "consultation", "package", "other")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is on offer at one version; shared between turns, so stock is not in it (see `stock`)."""

    version: int
    parts: Mapping[str, Part]
    services: Mapping[str, Service]
    cars: Mapping[str, Car]
    technicians: Mapping[str, Technician]


async def load(session: AsyncSession) -> Catalogue:
    """The catalogue as it stands, without what is retired; reading a part's stock from it raises."""
    on_offer = select(Part).options(defer(Part.on_hand, raiseload=True), defer(Part.reserved, raiseload=True))
    parts = await session.scalars(on_offer.where(Part.retired_at.is_(None)).order_by(Part.id))
    services = await session.scalars(select(Service).where(Service.retired_at.is_(None)).order_by(Service.id))
    technicians = await session.scalars(
        select(Technician).where(Technician.retired_at.is_(None)).order_by(Technician.id)
    )
    cars = await session.scalars(select(Car).order_by(Car.id))
    return Catalogue(
        version=await version(session),
        parts={part.id: part for part in parts},
        services={service.id: service for service in services},
        cars={car.id: car for car in cars},
        technicians={technician.id: technician for technician in technicians},
    )


async def version(session: AsyncSession) -> int:
    """The number that grows with each change of the catalogue."""
    return await session.scalar(select(CatalogueVersion.version)) or 0


async def stock(session: AsyncSession, parts: Iterable[str] | None = None) -> dict[str, int]:
    """How many of each part can be promised now: on hand less reserved."""
    query = select(Part.id, Part.on_hand - Part.reserved)
    if parts is not None:
        query = query.where(Part.id.in_(list(parts)))
    return dict((await session.execute(query)).tuples().all())
