"""Messages that failed for good: seen by staff, and sent again when somebody says so.

failed ──> listed ──> resend ──> due, as if it had just been written
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import leave_work
from core.refusals import NotFound
from core.tables import Contact, Customer, Outbox

WANTED_FOR = timedelta(days=2)
"""How long a message is tried again."""

_GIVEN_UP = text("outbox.state = 'failed'")
"""Written out, not bound: its partial index is only used where its condition can be read in the query."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, and the name of whom it was for, where we know it."""

    row: Outbox
    name: str | None


async def listed(session: AsyncSession, *, limit: int) -> Sequence[DeadLetter]:
    """The messages that were given up, the latest first."""
    found = await session.execute(
        select(Outbox, Customer.name)
        .outerjoin(Contact, (Contact.channel == Outbox.channel) & (Contact.address == Outbox.address))
        .outerjoin(Customer, Customer.id == Contact.customer_id)
        .where(_GIVEN_UP)
        .order_by(Outbox.due_at.desc(), Outbox.id.desc())
        .limit(limit)
    )
    return [DeadLetter(row, name) for row, name in found]


async def resend(session: AsyncSession, *, key: str, now: datetime) -> Outbox:
    """Send a message once more that was given up; raises `NotFound` where none was under that key."""
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


async def key_of(session: AsyncSession, letter: int) -> str:
    """The key of a message by its number; raises `NotFound`."""
    key = await session.scalar(select(Outbox.key).where(Outbox.id == letter))
    if key is None:
        raise NotFound(code=str(letter))
    return key
