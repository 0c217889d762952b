"""Messages that are received, and wait a moment for more of their chat: one turn answers them all.

hold ──> a row with its payload and `due_at` ── the vendor gets its answer
release ──> deleted in the turn's transaction, which records them as any message
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Inbound
from core.people import contacts

_JUST_AFTER = timedelta(microseconds=1)


async def hold(
    session: AsyncSession,
    *,
    channel: str,
    event_id: str,
    address: str,
    raw: Mapping[str, Any],
    now: datetime,
    due_at: datetime,
    after: datetime | None,
) -> bool:
    """Store a message until its chat's turn is due; False if it was received before.

    `after` is when the one before it came: the order stays, even if the clock stands still.
    """
    received_at = max(now, after + _JUST_AFTER) if after else now
    if not await contacts.record_inbound(session, channel, event_id, address, received_at):
        return False
    stored = (Inbound.channel == channel) & (Inbound.event_id == event_id)
    await session.execute(update(Inbound).where(stored).values(raw=dict(raw), due_at=due_at))
    return True


async def held(session: AsyncSession, *, chat: tuple[str, str] | None = None) -> Sequence[Inbound]:
    """The messages that wait, of one chat (channel, address) or of all, in the order of their arrival."""
    query = select(Inbound).where(Inbound.due_at.is_not(None)).order_by(Inbound.received_at, Inbound.event_id)
    if chat is not None:
        query = query.where(Inbound.channel == chat[0], Inbound.address == chat[1])
    return (await session.scalars(query)).all()


async def release(session: AsyncSession, channel: str, event_ids: Collection[str]) -> None:
    """Delete those of these messages that still wait: the turn of this transaction records them."""
    waiting = (Inbound.channel == channel, Inbound.event_id.in_(event_ids), Inbound.due_at.is_not(None))
    await session.execute(delete(Inbound).where(*waiting))
