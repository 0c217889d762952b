"""Moving a booking to another time, another technician or both; what was paid stays with it.

A booking whose slot was lost before it was paid (`slot_lost`) is confirmed by the new one.
"""

from dataclasses import replace
from datetime import datetime

from core import payment
from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Say, message, say
from core.notices import cards, reminders
from core.notices.tell import tell
from core.pricing import policy
from core.refusals import NotForSale, Refusal
from core.schedule import bookings, obstacles
from core.states import BookingStatus, PaymentMethod
from core.work import notices

_MOVABLE = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def reschedule(
    ctx: Context, booking: Booking, starts_at: datetime, *, technician_id: str | None, actor: str
) -> None:
    """Move a booking; a customer (`bookings.CUSTOMER`) within the shop's limits, staff until work starts.

    Raises `TooLateToMove`, `MovedTooOften`, and what `bookings.reschedule` and, after a lost hold, `payment.request` do.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    if _is_there(booking, starts_at, technician_id, ctx.now):
        return
    was, slot_was_lost = booking.starts_at, payment.has_lost_slot(booking)
    needs_link = not slot_was_lost and (_lapsed(booking, ctx.now) or _link_was_closed(booking))
    if actor == bookings.CUSTOMER and not _is_free_to_move(booking):
        check_may_reschedule(ctx, booking)
        booking.moves += 1
    if booking.technician_id != technician_id:
        await notices.unassigned(ctx, booking)
    limits = ctx if actor == bookings.CUSTOMER else replace(ctx, shop=ctx.shop.for_staff())
    await bookings.reschedule(limits, booking, starts_at, technician_id=technician_id, actor=actor)
    if slot_was_lost:
        await payment.confirm_with_slot(ctx, booking)
        return
    if actor != bookings.CUSTOMER and isinstance(await obstacles.of_booking(ctx, booking), NotForSale):
        booking.kept_despite = NotForSale.code  # staff gave it a new time, so they will do it
    if needs_link:
        await payment.request(ctx, booking, percent=booking.down_payment_percent)
    if booking.status is BookingStatus.CONFIRMED or booking.payment_method is PaymentMethod.COD:
        await reminders.schedule(ctx, booking)
    await _tell(ctx, booking, was, actor=actor)


def check_may_reschedule(ctx: Context, booking: Booking) -> None:
    """Raise `InvalidTransition`, `TooLateToMove` or `MovedTooOften` unless the customer may reschedule it now."""
    if not _is_free_to_move(booking):
        policy.check_may_reschedule(booking.status, booking.starts_at - ctx.now, booking.moves, ctx.shop)


def may_reschedule(ctx: Context, booking: Booking) -> bool:
    try:
        check_may_reschedule(ctx, booking)
    except Refusal:
        return False
    return True


def _is_free_to_move(booking: Booking) -> bool:
    """Whether the shop can't keep the appointment, so that no limit binds the customer."""
    live = booking.status in _MOVABLE
    return payment.has_lost_slot(booking) or (live and booking.impossible_since is not None)


def _link_was_closed(booking: Booking) -> bool:
    is_by_link = booking.status is BookingStatus.PENDING and booking.payment_method is not PaymentMethod.COD
    return is_by_link and booking.impossible_since is not None


def _is_there(booking: Booking, starts_at: datetime, technician_id: str | None, now: datetime) -> bool:
    same = (booking.starts_at, booking.technician_id) == (starts_at, technician_id)
    return same and booking.status in _MOVABLE and booking.holding and not _lapsed(booking, now)


def _lapsed(booking: Booking, now: datetime) -> bool:
    """Whether the time for its payment is over, so that it needs a new link."""
    by_link = booking.status is BookingStatus.PENDING and booking.payment_method is not PaymentMethod.COD
    return by_link and (not booking.holding or (booking.hold_until is not None and booking.hold_until <= now))


async def _tell(ctx: Context, booking: Booking, was: datetime, *, actor: str) -> None:
    """Tell everybody except who moved it; the customer also by mail."""
    by_customer = actor == bookings.CUSTOMER
    key = f"moved:{booking.code}:{ctx.now.isoformat()}"
    facts = await cards.job_facts(ctx, booking)
    when = {"code": booking.code, "was": ctx.shop.local(was), "at": ctx.shop.local(booking.starts_at)}
    notice = message(
        say("moved.by_customer" if by_customer else "moved.by_staff", name=booking.name, **when),
        cards.block(facts),
    )
    who: Say | str = say("moved.who_customer") if by_customer else actor
    card = cards.staff_card(say("staff.moved", who=who, **when), booking, facts)
    await tell(
        ctx,
        booking,
        key,
        chat=None if by_customer else notice,
        waited_for=by_customer,
        mail=notice,
        subject="moved.mail",
        technician=card,
        admins=card if by_customer else None,
    )
