"""Changes of the catalogue by staff: new entries, other values, and what isn't offered any more.

Each change counts the catalogue's version up, so that caches know. Nothing is erased: bookings refer to it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue import snapshot
from core.db.tables import Part, Service, Technician
from core.refusals import NotFound

Entry = TypeVar("Entry", Part, Service, Technician)


async def add(session: AsyncSession, entry: Entry) -> Entry:
    """Put a new entry on offer."""
    session.add(entry)
    await session.flush()
    await snapshot.bump(session)
    return entry


async def change(session: AsyncSession, table: type[Entry], entry_id: str, values: Mapping[str, object]) -> Entry:
    """Give an entry on offer other values by column; a part's `stock` is what can still be promised.

    Raises `NotFound`.
    """
    entry = await offered(session, table, entry_id, to_change=True)
    for column, value in values.items():
        if isinstance(entry, Part) and column == "stock" and isinstance(value, int):
            entry.on_hand = value + entry.reserved
        else:
            setattr(entry, column, value)
    await session.flush()
    await snapshot.bump(session)
    return entry


async def retire(session: AsyncSession, table: type[Entry], entry_id: str, *, now: datetime) -> Entry:
    """Take an entry off the offer; bookings that have it keep it. Raises `NotFound`."""
    entry = await offered(session, table, entry_id, to_change=True)
    entry.retired_at = now
    await snapshot.bump(session)
    return entry


async def offered(session: AsyncSession, table: type[Entry], entry_id: str, *, to_change: bool = False) -> Entry:
    """An entry that is on offer; locked when it is to be changed. Raises `NotFound`."""
    lock = {"key_share": True} if to_change else None
    entry = await session.get(table, entry_id, with_for_update=lock)
    if entry is None or entry.retired_at is not None:
        raise NotFound
    return entry
