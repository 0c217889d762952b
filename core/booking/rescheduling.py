"""Moving a booking to another time, another technician or both; what was paid stays with it.

move ──> the new places are taken before the old ones are left ──> reminders anew, both sides told
  └── late money, whose place was gone: the new place confirms it (`late`)
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Booking
from core.messaging.messages import Message, Say, message, say
from core.notices import booking_notices, recipients
from core.payment import payment_requests, slot_lost
from core.pricing import policy
from core.refusals import Refusal
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod
from core.work.notices import taken_away

_MOVABLE = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def move(
    session: AsyncSession,
    booking: Booking,
    starts_at: datetime,
    *,
    technician_id: str | None,
    actor: str,
    shop: Shop,
    now: datetime,
) -> None:
    """Move a booking; a customer (`bookings.CUSTOMER`) within the shop's limits, staff at any time before work starts.

    Asked for where it stands already, nothing happens. Raises `TooLateToMove`, `MovedTooOften`, and what
    `bookings.reschedule` refuses; a booking that had lost its hold also what `payments.request` does.
    """
    booking = await payment_requests.locked(session, booking.id)
    if _stands(booking, starts_at, technician_id, now):
        return
    was, waited = booking.starts_at, slot_lost.waits(booking)
    lapsed = not waited and _lapsed(booking, now)
    if actor == bookings.CUSTOMER and not waited:
        check_may_move(booking, shop=shop, now=now)
        booking.moves += 1
    if booking.technician_id != technician_id:
        await taken_away(session, booking, shop=shop, now=now)
    await bookings.reschedule(session, booking, starts_at, technician_id=technician_id, shop=shop, now=now, actor=actor)
    if waited:
        await slot_lost.placed(session, booking, shop=shop, now=now)
        return
    if lapsed:
        await payment_requests.request(session, booking, shop=shop, now=now, percent=booking.down_payment_percent)
    if booking.status is BookingStatus.CONFIRMED or booking.payment_method is PaymentMethod.COD:
        await booking_notices.schedule_reminders(session, booking, shop=shop, now=now)
    await _tell(session, booking, was, actor=actor, shop=shop, now=now)


def check_may_move(booking: Booking, *, shop: Shop, now: datetime) -> None:
    """Raise `InvalidTransition`, `TooLateToMove` or `MovedTooOften` unless its customer may move it now."""
    if not slot_lost.waits(booking):
        policy.check_may_move(booking.status, booking.starts_at, booking.moves, shop=shop, now=now)


def may_move(booking: Booking, *, shop: Shop, now: datetime) -> bool:
    """Whether its customer may move it now."""
    try:
        check_may_move(booking, shop=shop, now=now)
    except Refusal:
        return False
    return True


def _stands(booking: Booking, starts_at: datetime, technician_id: str | None, now: datetime) -> bool:
    there = (booking.starts_at, booking.technician_id) == (starts_at, technician_id)
    return there and booking.status in _MOVABLE and booking.holding and not _lapsed(booking, now)


def _lapsed(booking: Booking, now: datetime) -> bool:
    """Whether it waits for a payment whose time is over, so that moving it takes a new link."""
    by_link = booking.status is BookingStatus.PENDING and booking.payment_method is not PaymentMethod.COD
    return by_link and (not booking.holding or (booking.hold_until is not None and booking.hold_until <= now))


async def _tell(
    session: AsyncSession, booking: Booking, was: datetime, *, actor: str, shop: Shop, now: datetime
) -> None:
    """Who moved it knows; everybody else concerned reads it, the customer also by mail."""
    by_customer = actor == bookings.CUSTOMER
    key = f"moved:{booking.code}:{now.isoformat()}"
    facts = await booking_notices.job_facts(session, booking, shop)
    when = {"code": booking.code, "was": shop.local(was), "at": shop.local(booking.starts_at)}
    told = message(
        say("moved.by_customer" if by_customer else "moved.by_staff", name=booking.name, **when),
        booking_notices.block(facts),
    )
    if not by_customer:
        await recipients.chat(session, booking, told, key, now)
    await recipients.mail(session, booking, "moved.mail", told, key=key, shop=shop, now=now)
    who: Say | str = say("moved.who_customer") if by_customer else actor
    card: Message = booking_notices.staff_card(say("staff.moved", who=who, **when), booking, facts)
    await recipients.technician(session, booking, card, key=key, shop=shop, now=now)
    if by_customer:
        await recipients.admins(session, booking, card, key=key, shop=shop, now=now)
