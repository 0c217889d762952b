"""What a customer can look at: everything that happened to a booking."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import AdditionalCost, Booking, BookingEvent, Rating, WorkNote
from core.papers import invoices, numbering
from core.papers.invoices import Payment
from core.states import EventKind

SHOWN = (
    EventKind.CREATED,
    EventKind.CONFIRMED,
    EventKind.MOVED,
    EventKind.CHANGED,
    EventKind.CUSTOMER_LATE,
    EventKind.ASSIGNED,
    EventKind.ON_MY_WAY,
    EventKind.STARTED,
    EventKind.NOTE,
    EventKind.COST_PROPOSED,
    EventKind.COST_AGREED,
    EventKind.COST_REFUSED,
    EventKind.RECEIVED,
    EventKind.CASH,
    EventKind.REFUNDED,
    EventKind.COMPLETED,
    EventKind.CANCELLED,
    EventKind.RATED,
)
"""The kinds of booking events that a customer sees."""


@dataclass(frozen=True, slots=True)
class History:
    """A booking's past, each list oldest first; an event's detail names its note (`note_id`) or cost (`cost_id`)."""

    events: Sequence[BookingEvent]
    notes: Sequence[WorkNote]
    costs: Sequence[AdditionalCost]
    payments: Sequence[Payment]
    papers: Sequence[str]
    """The keys of its papers, for `invoices.load`."""
    rating: Rating | None


async def history(session: AsyncSession, booking: Booking) -> History:
    """A booking's past, in six queries however much happened."""
    events = await session.scalars(
        select(BookingEvent)
        .where(BookingEvent.booking_id == booking.id, BookingEvent.kind.in_(SHOWN))
        .order_by(BookingEvent.at, BookingEvent.id)
    )
    notes = await session.scalars(select(WorkNote).where(WorkNote.booking_id == booking.id).order_by(WorkNote.id))
    costs = await session.scalars(
        select(AdditionalCost).where(AdditionalCost.booking_id == booking.id).order_by(AdditionalCost.id)
    )
    return History(
        events=events.all(),
        notes=notes.all(),
        costs=costs.all(),
        payments=await invoices.payments_of(session, booking.id),
        papers=(await numbering.of_booking(session, booking)).invoices,
        rating=await session.get(Rating, booking.id),
    )
