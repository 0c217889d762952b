"""The negative control for bursts: a server that gathers a chat's messages in memory, and answers the vendor before the turn.

It patches the storage of held messages and starts like the product; the test must catch it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.__main__ import main as bengkel
from core.db.tables import Inbound
from core.upkeep import bursts

_MEMORY: dict[str, Inbound] = {}


async def _hold(
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
    _MEMORY[event_id] = Inbound(
        channel=channel, event_id=event_id, address=address, received_at=now, raw=dict(raw), due_at=due_at
    )
    return True


async def _held(session: AsyncSession, *, chat: tuple[str, str] | None = None) -> Sequence[Inbound]:
    return [row for row in _MEMORY.values() if chat in (None, (row.channel, row.address))]


async def _release(session: AsyncSession, channel: str, event_ids: Collection[str]) -> None:
    for event_id in event_ids:
        _MEMORY.pop(event_id, None)


def main(words: Sequence[str]) -> int:
    """Run `bengkel` with the fault."""
    bursts.hold, bursts.held, bursts.release = _hold, _held, _release
    return bengkel(words)
