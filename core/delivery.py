"""What a vendor reports of a message that he took: in any order, and before we have recorded that he took it.

report ── further than before? ── no ──> nothing
                └ yes ──> noted ── couldn't be delivered after all? ──> given up, told otherwise (`dead_letters`)
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from core import dead_letters
from core.shop import Shop
from core.tables import Outbox

FAILED = ("failed", "undelivered")
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


async def note(session: AsyncSession, report: Report, *, shop: Shop, channels: Collection[str], now: datetime) -> None:
    """Note how far a message has come, never backwards; what couldn't be delivered after all is told otherwise."""
    if report.state not in _RANKS or not (report.is_last_part or report.state in FAILED):
        return
    row = (await session.scalars(_noted(report))).one_or_none()
    if row is not None and report.state in FAILED:
        await dead_letters.tell_otherwise(session, row, shop=shop, channels=channels, now=now)


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
    # Sent again (by staff, or because nobody knew), a row is another message of the vendor's: the older one's end is past.
    return and_(Outbox.id == report.message, or_(Outbox.vendor_id.is_(None), Outbox.vendor_id == report.vendor_id))


def _before(report: Report) -> list[str]:
    """The states that this one is a step forward from."""
    if not report.is_last_part:
        # Whatever became of the end, without this part it isn't whole.
        return [state for state in _RANKS if state not in FAILED]
    return [state for state, rank in _RANKS.items() if rank < _RANKS[report.state]]
