"""A booking is paid after somebody else took its slot: its customer chooses what to do.

offer_choices ──> the customer gets the nearest free slots to choose from
    another slot      ──> rescheduling.reschedule takes it, and `confirm_with_slot` confirms the booking
    the money back    ──> refund_lost_slot cancels the booking and refunds all of it
    paying the rest   ──> payment_requests.request takes its slot again, if that is free now
    no answer         ──> remind_of_lost_slots tells the admins after a day
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text

from core.context import Context
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Message, Option, Say, message, say
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment.payment_requests import withdraw_requests
from core.payment.refunds import refund
from core.payment.slot_regained import has_lost_slot
from core.payment.totals import lock_booking
from core.refusals import InsufficientStock, InvalidTransition, Refusal
from core.schedule import bookings
from core.schedule.availability import nearest_free
from core.shop import Shop
from core.states import Actor, BookingStatus, RefundReason

REMIND_AFTER = timedelta(days=1)
MAX_OFFERED = 3
_HAS_LOST_SLOT = text("booking.status = 'pending' AND booking.paid_amount > 0 AND NOT booking.holding")
"""`has_lost_slot`, written out: a partial index is only used where its condition can be read in the query."""


async def offer_choices(ctx: Context, booking: Booking, request: PaymentRequest, refusal: Refusal) -> None:
    """Tell the customer and the admins that a paid booking's slot is gone, and why."""
    key = f"seat-gone:{request.order_id}"
    received = say("late.received", amount=request.amount, code=booking.code, name=booking.name)
    news = (received, _reason(booking, refusal, ctx.shop))
    options = tuple(await lost_slot_choices(ctx, booking, refusal))
    chat = Message((*news, say("late.choose")), options, button=say("late.button"))
    mail = message(*news, _choices_by_mail(options))
    part_is_gone = isinstance(refusal, InsufficientStock)
    what = say("staff.late.part" if part_is_gone else "staff.late.seat", amount=request.amount)
    await tell(ctx, booking, key, chat=chat, mail=mail, admins=alert(booking, what))


async def lost_slot_choices(ctx: Context, booking: Booking, refusal: Refusal | None = None) -> list[Option]:
    """The buttons for the customer: the nearest free slots and another time, or a person; and the money back."""
    back = Option(f"money-back:{booking.code}", say("late.option.money_back"))
    if isinstance(refusal, InsufficientStock):
        return [Option("human", say("late.option.human")), back]
    code, named = booking.code, booking.technician_id
    with_same = await _nearest(ctx, booking, technician_id=named)
    with_anyone = await _nearest(ctx, booking, technician_id=None) if named else []
    same = [_slot("retake", code, at, "late.with_yours" if named else None, ctx.shop) for at in with_same]
    other = [_slot("retake-any", code, at, "late.with_anyone", ctx.shop) for at in with_anyone if at not in with_same]
    return [*same, *other, Option(f"move:{code}", say("late.option.other_time")), back]


async def refund_lost_slot(ctx: Context, booking: Booking) -> None:
    """Cancel it for its customer and refund all of its money. Raises `InvalidTransition`."""
    booking = await lock_booking(ctx.session, booking.id)
    if not has_lost_slot(booking):
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    await bookings.cancel(ctx, booking, reason=Actor.CUSTOMER, actor=Actor.CUSTOMER)
    await withdraw_requests(ctx, booking)
    amount = booking.paid_amount
    news = message(say("late.gone_back", name=booking.name, code=booking.code, amount=amount))
    warning = alert(booking, say("staff.late.gone_back", amount=amount))
    await tell(ctx, booking, f"late-back:{booking.code}", chat=news, mail=news, admins=warning)
    await refund(ctx, booking, amount, reason=RefundReason.LATE)


async def remind_of_lost_slots(ctx: Context) -> None:
    """Tell the admins once of each booking whose customer hasn't chosen after `REMIND_AFTER`."""
    unanswered = select(Booking).where(_HAS_LOST_SLOT, Booking.paid_at <= ctx.now - REMIND_AFTER)
    for booking in await ctx.session.scalars(unanswered):
        what = say("staff.late.still", amount=booking.paid_amount)
        await tell(ctx, booking, f"still-late:{booking.code}", admins=alert(booking, what))


async def _nearest(ctx: Context, booking: Booking, *, technician_id: str | None) -> Sequence[datetime]:
    return await nearest_free(
        ctx, max(booking.starts_at, ctx.now), booking.minutes, technician_id=technician_id, count=MAX_OFFERED
    )


def _slot(action: str, code: str, at: datetime, hint: str | None, shop: Shop) -> Option:
    local = shop.local(at)
    return Option(f"{action}:{code}:{local:%Y-%m-%dT%H:%M}", say("late.slot", at=local), say(hint) if hint else None)


def _choices_by_mail(options: Sequence[Option]) -> Say:
    """A mail has no buttons: it lists the slots and asks for an answer."""
    slots = [say("late.line", slot=option.label) for option in options if option.id.startswith("retake")]
    return say("late.choose_by_mail", slots=slots) if slots else say("late.answer_by_mail")


def _reason(booking: Booking, refusal: Refusal, shop: Shop) -> Say:
    if isinstance(refusal, InsufficientStock):
        return say("late.part_gone", name=refusal.params["name"])
    return say("late.seat_gone", at=shop.local(booking.starts_at))
