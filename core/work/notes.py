"""What the technician sees, written down and photographed; the customer reads along."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import media
from core.db.tables import Booking, WorkNote
from core.payment import payment_requests
from core.refusals import NotBeingWorkedOn, NothingNoted
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus
from core.work import notices

_NOTED = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


async def add_note(
    session: AsyncSession,
    booking: Booking,
    text: str,
    *,
    photos: Sequence[str],
    shop: Shop,
    now: datetime,
    actor: str,
) -> WorkNote:
    """Note something about a job, with photos (`media`: keys or links), and show it to the customer at once.

    Raises `NothingNoted`, `BadPhotos`, `NotBeingWorkedOn` (pending or cancelled).
    """
    booking = await payment_requests.locked(session, booking.id)
    if booking.status not in _NOTED:
        raise NotBeingWorkedOn
    if not text.strip() and not photos:
        raise NothingNoted
    media.check(photos)
    note = WorkNote(booking_id=booking.id, at=now, author=actor, text=text.strip(), photos=list(photos))
    session.add(note)
    await session.flush()
    bookings.note(session, booking, "note", actor=actor, now=now, note_id=note.id)
    await notices.noted(session, booking, note, shop=shop, now=now)
    return note


async def notes_of(session: AsyncSession, booking_ids: Collection[int]) -> dict[int, list[WorkNote]]:
    """The notes of several bookings by booking, oldest first, in one query."""
    found = await session.scalars(
        select(WorkNote).where(WorkNote.booking_id.in_(booking_ids)).order_by(WorkNote.at, WorkNote.id)
    )
    notes: defaultdict[int, list[WorkNote]] = defaultdict(list)
    for note in found:
        notes[note.booking_id].append(note)
    return notes
