"""Changes of the catalogue by staff; each increments its version, for the caches. Nothing is deleted: bookings refer to it."""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue import snapshot
from core.db.tables import Part, Service, Technician
from core.refusals import NotFound

Entry = TypeVar("Entry", Part, Service, Technician)


async def add(session: AsyncSession, entry: Entry) -> Entry:
    session.add(entry)
    await session.flush()
    await snapshot.bump(session)
    return entry


async def change(session: AsyncSession, table: type[Entry], entry_id: str, values: Mapping[str, object]) -> Entry:
    """Set columns of an entry on offer (`retired_at` ends that); a part's `stock` is what isn't reserved.

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


async def offered(session: AsyncSession, table: type[Entry], entry_id: str, *, to_change: bool = False) -> Entry:
    """An entry on offer, locked if it is to be changed; raises `NotFound`."""
    lock = {"key_share": True} if to_change else None
    entry = await session.get(table, entry_id, with_for_update=lock)
    if entry is None or entry.retired_at is not None:
        raise NotFound
    return entry
