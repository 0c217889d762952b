"""What waits to be done, and since when: read by an index, however long the history."""

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
    """How many rows wait, when the oldest began to (None: none waits), and how many have failed at least once."""

    count: int = 0
    since: datetime | None = None
    tried: int = 0

    def age(self, now: datetime) -> timedelta:
        """How long the oldest has waited."""
        return now - self.since if self.since else timedelta()


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that waits at a moment."""

    outbox: Mapping[str, QueueStats] = field(default_factory=dict)
    """Messages that are due, by channel."""
    given_up: Mapping[str, int] = field(default_factory=dict)
    """Messages that failed for good in the last days, by channel."""
    requests: Mapping[RequestState, QueueStats] = field(default_factory=dict)
    """Payment requests that a worker still looks at, by state, since they were made."""
    reconciliation: datetime | None = None
    """Since when the nightly comparison has waited for Midtrans; None where it doesn't."""
    notifications: QueueStats = QueueStats()
    """Payment notifications that Midtrans hasn't confirmed yet, since they came."""


async def measure(session: AsyncSession, *, channels: Collection[str], now: datetime) -> Backlog:
    """Everything that waits now; of messages, only those of the channels that are on."""
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
