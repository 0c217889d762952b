"""Work notes with photos, which the customer gets at once."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import media, payment
from core.context import Context
from core.db.tables import Booking, WorkNote
from core.refusals import NotBeingWorkedOn, NothingNoted
from core.schedule import bookings
from core.states import BookingStatus, EventKind
from core.work import notices

_NOTED = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


async def add_note(ctx: Context, booking: Booking, text: str, *, photos: Sequence[str], actor: str) -> WorkNote:
    """Add a note with photos (keys or links, see `media`) and send it to the customer.

    Raises `NothingNoted`, `BadPhotos`, `NotBeingWorkedOn` (pending or cancelled).
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.status not in _NOTED:
        raise NotBeingWorkedOn
    if not text.strip() and not photos:
        raise NothingNoted
    media.check(photos)
    note = WorkNote(booking_id=booking.id, at=ctx.now, author=actor, text=text.strip(), photos=list(photos))
    ctx.session.add(note)
    await ctx.session.flush()
    bookings.record_event(ctx, booking, EventKind.NOTE, actor=actor, note_id=note.id)
    await notices.noted(ctx, booking, note)
    return note


async def notes_of(session: AsyncSession, booking_ids: Collection[int]) -> dict[int, list[WorkNote]]:
    """The notes of several bookings, oldest first, by booking id; in one query."""
    found = await session.scalars(
        select(WorkNote).where(WorkNote.booking_id.in_(booking_ids)).order_by(WorkNote.at, WorkNote.id)
    )
    notes: defaultdict[int, list[WorkNote]] = defaultdict(list)
    for note in found:
        notes[note.booking_id].append(note)
    return notes
