"""What a process had claimed when it died: its successor need not wait for the leases to run out.

Only where no other process is at work (`bot.elected`, `bot.sole`).
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core import payments, relay, sending_back, settlement
from core.tables import PaymentNotification, PaymentRequest, Refund


async def take_over(session: AsyncSession, *, now: datetime) -> None:
    """Make everything due that anybody has claimed; what was only waiting to be tried again is tried a little early.

    A message stays one that may have been sent.
    """
    await relay.take_over(session, now=now)
    for table, lease in (
        (PaymentRequest, payments.LEASE),
        (PaymentNotification, settlement.LEASE),
        (Refund, sending_back.LEASE),
    ):
        claimed = (table.due_at > now, table.due_at <= now + lease)
        await session.execute(update(table).where(*claimed).values(due_at=now))
