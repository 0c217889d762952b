"""A repeated request with the same key gets the first answer and changes nothing.

    begin ── new key ──> do it ──> finish      one transaction: a refusal forgets the key
      └── known key ──> the first answer, or `IdempotencyKeyReused` for another request

Of two at once the second waits for the first at the key's row. What must commit before its answer is known (a payment
link is asked of a vendor) commits its key without an answer: its repeat does it again, so it must be safe to repeat.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.database import insert_once
from core.db.tables import IDEMPOTENCY_KEPT, IdempotencyKey
from core.refusals import IdempotencyKeyReused


async def begin(session: AsyncSession, *, owner: str, key: str, digest: str, now: datetime) -> Mapping[str, Any] | None:
    """The first answer to a known key; None if there is none yet. `digest` identifies the request.

    Raises `IdempotencyKeyReused`.
    """
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - IDEMPOTENCY_KEPT))
    if await insert_once(session, IdempotencyKey, owner=owner, key=key, digest=digest, answer={}, created_at=now):
        return None
    taken = await session.get_one(IdempotencyKey, (owner, key))
    if taken.digest != digest:  # nosemgrep: compare-in-constant-time
        raise IdempotencyKeyReused
    return taken.answer or None


async def finish(session: AsyncSession, *, owner: str, key: str, answer: Mapping[str, Any]) -> None:
    """Store the answer for repeated requests."""
    taken = update(IdempotencyKey).where(IdempotencyKey.owner == owner, IdempotencyKey.key == key)
    await session.execute(taken.values(answer=dict(answer)))
