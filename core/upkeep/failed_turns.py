"""Messages whose turn failed through a bug: stored whole, listed, replayed.

turn fails ── store ──> row with raw and error ── reopen, then the turn ──> row without: answered
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Inbound
from core.people import contacts
from core.refusals import NotFound

_FEW = 500


async def store(
    session: AsyncSession,
    *,
    channel: str,
    event_id: str,
    address: str,
    raw: Mapping[str, Any],
    error: str,
    now: datetime,
) -> bool:
    """Store a message whose turn failed; False if it came in before."""
    if not await contacts.record_inbound(session, channel, event_id, address, now):
        return False
    kept = (Inbound.channel == channel) & (Inbound.event_id == event_id)
    await session.execute(update(Inbound).where(kept).values(raw=dict(raw), error=error))
    return True


async def not_received(session: AsyncSession, channel: str, event_ids: Collection[str]) -> set[str]:
    """Those of a channel's messages that never came in, by event id."""
    left = set(event_ids)
    for some in _few_at_a_time(sorted(left)):
        known = await session.scalars(
            select(Inbound.event_id).where(Inbound.channel == channel, Inbound.event_id.in_(some))
        )
        left.difference_update(known)
    return left


async def failed(session: AsyncSession) -> Sequence[Row[str, str, str, datetime, str | None]]:
    """The messages that wait to be taken again, oldest first: channel, event_id, address, received_at, error."""
    columns = (Inbound.channel, Inbound.event_id, Inbound.address, Inbound.received_at, Inbound.error)
    waiting = select(*columns).where(Inbound.error.is_not(None))
    return (await session.execute(waiting.order_by(Inbound.received_at, Inbound.event_id))).all()


async def find(session: AsyncSession, channel: str, event_id: str) -> Inbound:
    """A message that came in; raises `NotFound`."""
    found = await session.get(Inbound, (channel, event_id))
    if found is None:
        raise NotFound(code=event_id)
    return found


async def reopen(session: AsyncSession, channel: str, event_id: str) -> bool:
    """Delete a failed message's row, so that a turn in this transaction takes it; False if it was answered."""
    waiting = (Inbound.channel == channel, Inbound.event_id == event_id, Inbound.error.is_not(None))
    return await session.scalar(delete(Inbound).where(*waiting).returning(Inbound.event_id)) is not None


def _few_at_a_time(event_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many as every database takes in one statement."""
    yield from (event_ids[begin : begin + _FEW] for begin in range(0, len(event_ids), _FEW))


def masked(address: str) -> str:
    """An address that tells chats apart and gives nobody away: its last three signs."""
    return f"…{address[-3:]}"
