"""What a process had claimed when it died: its successor need not wait for the leases to run out.

Only where no other process is at work (`bot.elected`, `bot.sole`).
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import PaymentNotification, PaymentRequest, Refund
from core.messaging import outbox_claims
from core.payment import payment_requests, refund_requests, settlement


async def take_over(session: AsyncSession, *, now: datetime) -> None:
    """Make everything due that anybody has claimed; what was only waiting to be tried again is tried a little early.

    A message stays one that may have been sent.
    """
    await outbox_claims.take_over(session, now=now)
    for table, lease in (
        (PaymentRequest, payment_requests.LEASE),
        (PaymentNotification, settlement.LEASE),
        (Refund, refund_requests.LEASE),
    ):
        claimed = (table.due_at > now, table.due_at <= now + lease)
        await session.execute(update(table).where(*claimed).values(due_at=now))
