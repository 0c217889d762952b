"""Pages of what is on offer, by name, each with the count of all that match; what isn't given doesn't filter."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Part, Service, Technician

_Row = TypeVar("_Row", Part, Service, Technician)
_Condition = ColumnElement[bool]


async def find_parts(
    session: AsyncSession,
    *,
    limit: int,
    offset: int,
    category: str | None = None,
    brand: str | None = None,
    search: str | None = None,
    in_stock: bool = False,
) -> tuple[Sequence[Part], int]:
    """`in_stock`: only what can be bought at once."""
    wanted = _words(search, Part.name + " " + Part.brand + " " + Part.description)
    if category is not None:
        wanted.append(Part.category == category)
    if brand is not None:
        wanted.append(func.lower(Part.brand) == brand.lower())
    if in_stock:
        wanted += [Part.on_hand > Part.reserved, Part.is_available.is_(True), Part.is_pre_order_only.is_(False)]
    return await _page(session, Part, wanted, limit=limit, offset=offset)


async def find_services(
    session: AsyncSession,
    *,
    limit: int,
    offset: int,
    category: str | None = None,
    search: str | None = None,
    available: bool | None = None,
) -> tuple[Sequence[Service], int]:
    wanted = _words(search, Service.name + " " + Service.description)
    if category is not None:
        wanted.append(Service.category == category)
    if available is not None:
        wanted.append(Service.is_available == available)
    return await _page(session, Service, wanted, limit=limit, offset=offset)


async def find_technicians(
    session: AsyncSession,
    *,
    limit: int,
    offset: int,
    available: bool | None = None,
    specialization: str | None = None,
) -> tuple[Sequence[Technician], int]:
    wanted: list[_Condition] = []
    if available is not None:
        wanted.append(Technician.is_available == available)
    if specialization is not None:
        # Skills are a list, stored as JSON: look for the word in its quotes.
        skills = func.lower(cast(Technician.skills, Text))
        wanted.append(skills.contains(f'"{specialization.lower()}"', autoescape=True))
    return await _page(session, Technician, wanted, limit=limit, offset=offset)


def _words(search: str | None, text: ColumnElement[str]) -> list[_Condition]:
    """Each word must occur in the text."""
    return [func.lower(text).contains(word, autoescape=True) for word in (search or "").lower().split()]


async def _page(
    session: AsyncSession, table: type[_Row], wanted: Sequence[_Condition], *, limit: int, offset: int
) -> tuple[Sequence[_Row], int]:
    where = (table.retired_at.is_(None), *wanted)
    total = await session.scalar(select(func.count()).select_from(table).where(*where))
    page = select(table).where(*where).order_by(table.name, table.id).limit(limit).offset(offset)
    return (await session.scalars(page)).all(), total or 0
