"""What must hold after any conversation: money as in the ledger, places and stock as the bookings say, and no lost draft."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from workshop import check_books

from conversations.state import ORDER
from conversations.understand.answers import Command, read_command
from core.db.database import Database
from core.db.tables import Booking, LedgerEntry, PaymentRequest, Refund
from core.payment.totals import OPEN_STATES
from core.states import BookingStatus, RefundState

OVER = (BookingStatus.CANCELLED, BookingStatus.COMPLETED)
LETS_GO = (Command.CANCEL, Command.START_OVER)
"""The only words that may end a draft."""


def has_draft(state: Mapping[str, Any]) -> bool:
    """Whether an order is open, or parked, in what the bot remembers of a chat (`conversations.state.State`)."""
    return bool(state.get("parked") or (state.get("flow") == ORDER and state.get("answers")))


def lets_the_draft_go(text: str) -> bool:
    return read_command(text) in LETS_GO or text.startswith("/")


async def check_consistency(database: Database, *, places: int, unentered: Collection[str] = ()) -> None:
    """Assert it; `unentered` are the codes of bookings whose money a test has set without the ledger."""
    await check_books(database, most=places)
    async with database.read() as session:
        paid = dict((await session.execute(_sums(LedgerEntry))).all())
        owed = dict((await session.execute(_sums(Refund).where(Refund.state != RefundState.DONE))).all())
        live = select(PaymentRequest.booking_id, func.count()).where(PaymentRequest.state.in_(OPEN_STATES))
        links = dict((await session.execute(live.group_by(PaymentRequest.booking_id))).all())
        for booking in await session.scalars(select(Booking).where(Booking.code.not_in(unentered))):
            assert booking.paid_amount == max(0, paid.get(booking.id, 0)), f"{booking.code}: not what the ledger says"
            assert booking.going_back == owed.get(booking.id, 0), f"{booking.code}: not what the refunds say"
            assert links.get(booking.id, 0) <= 1, f"{booking.code}: two live links"
            if booking.status in OVER:
                assert not booking.holding, f"{booking.code} is over, and holds a place"
            if booking.status is BookingStatus.CANCELLED:
                assert not links.get(booking.id), f"{booking.code} is cancelled, and has a live link"


def _sums(table: Any) -> Any:
    return select(table.booking_id, func.sum(table.amount)).group_by(table.booking_id)
