"""What a vendor reports of a message it accepted: in any order, maybe before we recorded that it did.

report ── further than before? ── no ──> nothing
                └ yes ──> recorded ── couldn't be delivered after all? ──┬──> failed, escalated (`undelivered`)
                                                                      └──> sent again, where that was our own fault

Most reports are steps (queued, sent, delivered, read), four to a message: those are noted many at once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, Update, and_, bindparam, case, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from core.context import Context
from core.db.tables import Outbox
from core.messaging.backoff import retry_at
from core.upkeep import undelivered

FAILED = ("failed", "undelivered")
_OURS = ("63019",)
"""Failures for which the server was to blame, being down: a file couldn't be fetched from it (https://www.twilio.com/docs/api/errors/63019)."""
_TRIES = 5
_RANKS = {"queued": 1, "sending": 2, "sent": 3, "failed": 4, "undelivered": 4, "delivered": 5, "read": 6}


@dataclass(frozen=True, slots=True)
class Report:
    """How far the vendor's message `vendor_id` has come: one of Twilio's states, and its error's code."""

    vendor_id: str
    state: str
    error: str | None = None
    message: int | None = None
    """The number of the outbox row; None: only the vendor's id tells."""
    is_last_part: bool = True
    """False: the row was split, and this is a part before its end, of which only a failure counts."""

    @property
    def is_step(self) -> bool:
        """Whether it only says how far a message is whose number is known: all that `record_steps` takes."""
        return self.is_last_part and self.message is not None and self.state in _RANKS and self.state not in FAILED


async def record(ctx: Context, report: Report, *, channels: Collection[str]) -> None:
    """Record how far a message has come, never backwards; an undelivered one is sent again or escalated."""
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
    """Record how far messages have come, never backwards, in one statement; of each the furthest step."""
    furthest = {(step.message, step.vendor_id): step for step in sorted(steps, key=lambda step: _RANKS[step.state])}
    # In one order, since other processes note the same messages' other steps.
    noted = [furthest[step] for step in sorted(furthest)]
    values = [
        {"of": step.message, "by": step.vendor_id, "come_to": step.state, "rank": _RANKS[step.state], "why": step.error}
        for step in noted
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
    # Sent again (by staff, or because nobody knew), a row is another message of the vendor's: the older one's end is past.
    return or_(and_(Outbox.vendor_id.is_(None), Outbox.attempts > 0), Outbox.vendor_id == vendor_id)


def _before(report: Report) -> list[str]:
    """The states that this one is a step forward from."""
    if not report.is_last_part:
        # Whatever became of the end, without this part it isn't whole.
        return [state for state in _RANKS if state not in FAILED]
    return [state for state, rank in _RANKS.items() if rank < _RANKS[report.state]]


def _step_statement() -> Update:
    rank = case(_RANKS, value=Outbox.delivery, else_=0)
    return (
        # Of the table, not of the class: SQLAlchemy takes many values for the latter as changes by primary key alone.
        update(Outbox.metadata.tables[Outbox.__tablename__])
        .where(Outbox.id == bindparam("of"), _is_called(bindparam("by")), rank < bindparam("rank"))
        .values(delivery=bindparam("come_to"), error=bindparam("why"), vendor_id=bindparam("by"))
    )


# Built once: it runs all the time, and building costs more than running.
_STEP = _step_statement()
