"""Messages that failed for good: seen by staff, and sent again when somebody says so.

failed ──> listed ──> resend ──> due, as if it had just been written
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import leave_work
from core.refusals import NotFound
from core.tables import Outbox

WANTED_FOR = timedelta(days=2)
"""How long a message is tried again."""

_GIVEN_UP = text("outbox.state = 'failed'")
"""Written out, so that its partial index is used."""


async def listed(session: AsyncSession, *, limit: int) -> Sequence[Outbox]:
    """The messages that were given up, the latest first."""
    newest = select(Outbox).where(_GIVEN_UP).order_by(Outbox.due_at.desc(), Outbox.id.desc())
    return (await session.scalars(newest.limit(limit))).all()


async def resend(session: AsyncSession, key: str, *, now: datetime) -> Outbox:
    """Send a message once more that was given up; raises `NotFound` when none was under that key."""
    again = (
        update(Outbox)
        .where(Outbox.key == key, _GIVEN_UP)
        .values(state="due", due_at=now, not_before=now, until=now + WANTED_FOR, attempts=0, unclear=0, error=None)
        .returning(Outbox)
    )
    row = (await session.scalars(again)).one_or_none()
    if row is None:
        raise NotFound(code=key)
    leave_work(session, row.channel)
    return row
