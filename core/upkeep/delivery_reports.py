"""What a vendor reports of an accepted message: in any order, even before the acceptance is recorded.

Most reports are steps (queued, sent, delivered, read), four to a message: those are noted in batches. A failure passes
the message on in another way (`undelivered`), or resends it where this server was to blame.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, case, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from core.context import Context
from core.db.tables import Outbox
from core.messaging.backoff import retry_at
from core.upkeep import undelivered

FAILED = ("failed", "undelivered")
_OURS = ("63019",)
"""The vendor couldn't fetch a file from this server (https://www.twilio.com/docs/api/errors/63019)."""
_TRIES = 5
_RANKS = {"queued": 1, "sending": 2, "sent": 3, "failed": 4, "undelivered": 4, "delivered": 5, "read": 6}


@dataclass(frozen=True, slots=True)
class Report:
    """One of Twilio's states of the message that it calls `vendor_id`, and Twilio's error code."""

    vendor_id: str
    state: str
    error: str | None = None
    message: int | None = None
    """The id of the outbox row; None: only `vendor_id` identifies it."""
    is_last_part: bool = True
    """False: an earlier part of a split message, of which only a failure counts."""

    @property
    def is_step(self) -> bool:
        """Whether `record_steps` takes it: no failure, of a known outbox row."""
        return self.is_last_part and self.message is not None and self.state in _RANKS and self.state not in FAILED


async def record(ctx: Context, report: Report, *, channels: Collection[str]) -> None:
    """Note the state of a message, never backwards; pass it on in another way if it failed."""
    if report.state not in _RANKS or not (report.is_last_part or report.state in FAILED):
        return
    row = (await ctx.session.scalars(_noted(report))).one_or_none()
    if row is None or report.state not in FAILED:
        return
    if report.error in _OURS and row.state == "failed" and row.attempts < _TRIES:
        row.state, row.not_before = "due", retry_at(row.attempts, ctx.now, jitter=0)
        row.parts_left = 1 if report.is_last_part else None
    else:
        await undelivered.escalate(ctx, row, channels=channels)


async def record_steps(session: AsyncSession, steps: Iterable[Report]) -> None:
    """Note the states of messages, never backwards, by one statement."""
    furthest = {(step.message, step.vendor_id): step for step in sorted(steps, key=lambda step: _RANKS[step.state])}
    # In one order, since other processes note other steps of the same messages.
    values = [
        {"of": row, "by": vendor_id, "come_to": step.state, "rank": _RANKS[step.state], "why": step.error}
        for (row, vendor_id), step in sorted(furthest.items(), key=lambda item: item[0])
    ]
    await session.execute(_STEP, values)


def _noted(report: Report) -> ReturningUpdate[Outbox]:
    values: dict[str, object] = {"delivery": report.state, "error": report.error}
    if report.is_last_part:
        values["vendor_id"] = report.vendor_id
    if report.state in FAILED:
        values["state"] = case((Outbox.state.in_(["due", "sending", "sent"]), "failed"), else_=Outbox.state)
    return (
        update(Outbox)
        .where(_meant(report), or_(Outbox.delivery.is_(None), Outbox.delivery.in_(_before(report))))
        .values(values)
        .returning(Outbox)
        .execution_options(synchronize_session=False)
    )


def _meant(report: Report) -> ColumnElement[bool]:
    if report.message is None:
        return Outbox.vendor_id == report.vendor_id
    if not report.is_last_part:
        return Outbox.id == report.message
    return and_(Outbox.id == report.message, _is_called(report.vendor_id))


def _is_called(vendor_id: str | BindParameter[str]) -> ColumnElement[bool]:
    # A row that was resent is another message at the vendor: reports about the earlier one don't count.
    return or_(and_(Outbox.vendor_id.is_(None), Outbox.attempts > 0), Outbox.vendor_id == vendor_id)


def _before(report: Report) -> list[str]:
    if not report.is_last_part:
        # Whatever became of the last part, without this one the message isn't whole.
        return [state for state in _RANKS if state not in FAILED]
    return [state for state, rank in _RANKS.items() if rank < _RANKS[report.state]]


# Built once, since building costs more than running. Of the table, not of the class: for a class, SQLAlchemy takes many
# values as changes by primary key alone.
_STEP = (
    update(Outbox.metadata.tables[Outbox.__tablename__])
    .where(
        Outbox.id == bindparam("of"),
        _is_called(bindparam("by")),
        case(_RANKS, value=Outbox.delivery, else_=0) < bindparam("rank"),
    )
    .values(delivery=bindparam("come_to"), error=bindparam("why"), vendor_id=bindparam("by"))
)
