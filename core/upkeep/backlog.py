"""What waits to be done, and since when; read from partial indexes, however long the history."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Outbox, PaymentNotification, PaymentRequest
from core.payment import reconciliation_run
from core.states import RequestState

FAILED_COUNTED_FOR = timedelta(days=30)
"""How long a failed message counts."""
_UNFINISHED = text("outbox.state IN ('due', 'sending')")
_GIVEN_UP = text("outbox.state = 'failed'")
"""Written out, not bound: a partial index is only used where its condition can be read in the query."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """How many wait, since when the oldest does, and how many of them were tried before."""

    count: int = 0
    since: datetime | None = None
    tried: int = 0

    def age(self, now: datetime) -> timedelta:
        return now - self.since if self.since else timedelta()


@dataclass(frozen=True, slots=True)
class Backlog:
    outbox: Mapping[str, QueueStats] = field(default_factory=dict)
    """Messages that are due, by channel."""
    given_up: Mapping[str, int] = field(default_factory=dict)
    """Messages that failed for good within `FAILED_COUNTED_FOR`, by channel."""
    requests: Mapping[RequestState, QueueStats] = field(default_factory=dict)
    """Payment requests that a worker still polls, by state, since they were made."""
    reconciliation: datetime | None = None
    """Since when the nightly reconciliation has waited for Midtrans."""
    notifications: QueueStats = QueueStats()
    """Payment notifications without a status call yet, since they were received."""


async def measure(session: AsyncSession, *, channels: Collection[str], now: datetime) -> Backlog:
    """`channels`: the enabled ones; messages of others aren't counted."""
    outbox = await session.execute(
        select(Outbox.channel, func.count(), func.min(Outbox.due_at), func.count(Outbox.error))
        .where(_UNFINISHED, Outbox.channel.in_(channels), Outbox.due_at <= now)
        .group_by(Outbox.channel)
    )
    given_up = await session.execute(
        select(Outbox.channel, func.count())
        .where(_GIVEN_UP, Outbox.due_at > now - FAILED_COUNTED_FOR)
        .group_by(Outbox.channel)
    )
    requests = await session.execute(
        select(PaymentRequest.state, func.count(), func.min(PaymentRequest.created_at))
        .where(PaymentRequest.due_at.is_not(None))
        .group_by(PaymentRequest.state)
    )
    notifications = await session.execute(
        select(func.count(), func.min(PaymentNotification.received_at)).where(PaymentNotification.due_at.is_not(None))
    )
    return Backlog(
        outbox={channel: QueueStats(count, since, tried) for channel, count, since, tried in outbox},
        given_up=dict(given_up.all()),
        requests={state: QueueStats(count, since) for state, count, since in requests},
        reconciliation=await reconciliation_run.away_since(session),
        notifications=QueueStats(*notifications.one()),
    )
