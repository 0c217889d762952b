"""Inbound messages that a bug left unanswered: kept with their error, and answered by a later turn."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Inbound
from core.people import contacts
from core.refusals import NotFound

_MAX_IDS = 500
"""In one statement; every database takes so many."""


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
    """Store a message that couldn't be answered; False when it was received before."""
    if not await contacts.record_inbound(session, channel, event_id, address, now):
        return False
    kept = (Inbound.channel == channel) & (Inbound.event_id == event_id)
    await session.execute(update(Inbound).where(kept).values(raw=dict(raw), error=error))
    return True


async def not_received(session: AsyncSession, channel: str, event_ids: Collection[str]) -> set[str]:
    """Those of a channel's messages that were never received."""
    asked, known = sorted(set(event_ids)), set[str]()
    for begin in range(0, len(asked), _MAX_IDS):
        batch = Inbound.event_id.in_(asked[begin : begin + _MAX_IDS])
        known.update(await session.scalars(select(Inbound.event_id).where(Inbound.channel == channel, batch)))
    return set(asked) - known


async def failed(session: AsyncSession) -> Sequence[Row[str, str, str, datetime, str | None]]:
    """The unanswered messages, oldest first: channel, event_id, address, received_at, error."""
    columns = (Inbound.channel, Inbound.event_id, Inbound.address, Inbound.received_at, Inbound.error)
    waiting = select(*columns).where(Inbound.error.is_not(None))
    return (await session.execute(waiting.order_by(Inbound.received_at, Inbound.event_id))).all()


async def find(session: AsyncSession, channel: str, event_id: str) -> Inbound:
    """Raises `NotFound`."""
    found = await session.get(Inbound, (channel, event_id))
    if found is None:
        raise NotFound(code=event_id)
    return found


async def reopen(session: AsyncSession, channel: str, event_id: str) -> bool:
    """Delete a failed message, so that a turn of this transaction can take it; False when it was answered."""
    waiting = (Inbound.channel == channel, Inbound.event_id == event_id, Inbound.error.is_not(None))
    return await session.scalar(delete(Inbound).where(*waiting).returning(Inbound.event_id)) is not None


def masked(address: str) -> str:
    """The last three characters: they tell chats apart and identify nobody."""
    return f"…{address[-3:]}"
