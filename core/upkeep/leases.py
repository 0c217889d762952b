"""Ends the leases of a dead process, so that its successor needn't wait. Only while no other process serves."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import leases
from core.messaging import outbox_claims


async def end_all(session: AsyncSession, *, now: datetime) -> None:
    """Make every claimed row due; some retries come a little early. A message still counts as possibly sent."""
    await outbox_claims.end_leases(session, now=now)
    await leases.end_all(session, now=now)
