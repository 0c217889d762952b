"""Take entries out of the catalogue: deleted where nothing refers to them, otherwise retired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue.csv_files import SHEETS, Entry, Line, Sheet
from core.catalogue.csv_rows import CatalogueRow
from core.catalogue.snapshot import bump
from core.db.tables import Base, Car, Part, Service, Technician

# What makes an entry the same thing: an owner who gave an id another name has an own entry there.
_IDENTITY: dict[type[Entry], tuple[str, ...]] = {
    Part: ("name", "brand"),
    Service: ("name",),
    Car: ("brand", "model", "year_from"),
    Technician: ("name", "phone"),
}


@dataclass(frozen=True, slots=True)
class Cleared:
    deleted: Mapping[str, int]
    """How many by sheet ("parts": 113)."""
    retired: Sequence[str]
    """Ids of entries that bookings, ratings or stock alerts refer to."""
    kept: Sequence[str]
    """Ids whose entries have become the owner's."""
    unskilled: Sequence[str]
    """Ids of services on offer that no remaining technician can do."""


async def clear(session: AsyncSession, lines: Sequence[Line], *, now: datetime) -> Cleared:
    """Take out the entries of these lines that are still what the lines say they are."""
    deleted: dict[str, int] = {}
    retired: list[str] = []
    kept: list[str] = []
    for sheet in SHEETS:
        wanted = {line.row.id: line for line in lines if line.sheet is sheet}
        # Locked, so that nobody books between the look and the deletion.
        present = await session.scalars(sheet.query.where(sheet.table.id.in_(wanted)).with_for_update())
        entries = [(entry, _is_same(entry, wanted[entry.id].row)) for entry in present]
        kept += (entry.id for entry, is_same in entries if not is_same)
        theirs = [entry for entry, is_same in entries if is_same]
        used = await _referred_to(session, sheet, [entry.id for entry in theirs])
        retired += (entry.id for entry in theirs if entry.id in used and _retire(entry, now))
        gone = [entry.id for entry in theirs if entry.id not in used]
        deleted |= {sheet.name: len(gone)} if gone else {}
        await session.flush()
        await session.execute(delete(sheet.table).where(sheet.table.id.in_(gone)))
    await bump(session)
    return Cleared(deleted, retired, kept, await _unskilled(session))


def _is_same(entry: Entry, row: CatalogueRow) -> bool:
    return all(getattr(entry, name) == getattr(row, name) for name in _IDENTITY[type(entry)])


async def _referred_to(session: AsyncSession, sheet: Sheet, ids: Sequence[str]) -> set[str]:
    """Which of the ids a foreign key of any table holds."""
    used: set[str] = set()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table is sheet.table.__table__ for key in column.foreign_keys):
                used |= set(await session.scalars(select(column).distinct().where(column.in_(ids))))
    return used


def _retire(entry: Entry, now: datetime) -> bool:
    """Whether it was on offer until now; nothing refers to cars."""
    if isinstance(entry, Car) or entry.retired_at is not None:
        return False
    entry.retired_at = now
    return True


async def _unskilled(session: AsyncSession) -> list[str]:
    team = await session.scalars(select(Technician.skills).where(Technician.retired_at.is_(None)))
    skills = {skill for each in team for skill in each}
    wanted = select(Service.id, Service.skill).where(Service.retired_at.is_(None), Service.skill.is_not(None))
    return [id_ for id_, skill in await session.execute(wanted.order_by(Service.id)) if skill not in skills]
