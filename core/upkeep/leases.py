"""What a process had claimed when it died: its successor need not wait for the leases to run out.

Only where no other process is at work (`bot.elected`, `bot.sole`).
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import leases
from core.messaging import outbox_claims


async def take_over(session: AsyncSession, *, now: datetime) -> None:
    """Make everything due that anybody has claimed; what was only waiting to be tried again is tried a little early.

    A message stays one that may have been sent.
    """
    await outbox_claims.take_over(session, now=now)
    await leases.end_all(session, now=now)
