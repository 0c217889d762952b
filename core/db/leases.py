"""Workers claim due rows for a lease, so that no two do the same work.

`due_at` is when a row's work is due, or when the lease of its worker ends; None: nothing to do.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, ScalarResult, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningUpdate, Update

from core.db.tables import Moment, PaymentNotification, PaymentRequest, Refund

LEASE = timedelta(seconds=30)
_LEASED = (PaymentRequest, PaymentNotification, Refund)


def claim_statement(key: InstrumentedAttribute[Any], due_at: InstrumentedAttribute[Any], **values: object) -> Update:
    """The update that claims the rows due first; build it once, since building costs more than running."""
    due = select(key).where(due_at <= bindparam("now", type_=Moment())).order_by(due_at)
    return update_unlocked(key, due).values(due_at=bindparam("leased_until", type_=Moment()), **values)


def update_unlocked(key: InstrumentedAttribute[Any], chosen: Select[Any]) -> Update:
    """An update of at most `most` of the rows whose keys are selected, without those that another transaction has locked."""
    unlocked = chosen.limit(bindparam("most", type_=Integer())).with_for_update(skip_locked=True).cte("chosen")
    return update(key.class_).where(key.in_(select(unlocked.c[key.name]))).execution_options(synchronize_session=False)


async def claim(
    session: AsyncSession, statement: ReturningUpdate[Any], *, now: datetime, limit: int
) -> ScalarResult[Any]:
    """Claim at most `limit` rows for `LEASE`; what the statement returns of each."""
    return await session.scalars(statement, {"now": now, "leased_until": now + LEASE, "most": limit})


async def end_all(session: AsyncSession, *, now: datetime) -> None:
    """End all leases; a retry that is due within a lease's length comes early, since it looks the same."""
    for table in _LEASED:
        claimed = (table.due_at > now, table.due_at <= now + LEASE)
        await session.execute(update(table).where(*claimed).values(due_at=now))
