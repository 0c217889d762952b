"""A booking is paid after somebody else took its slot: its customer chooses what to do.

another slot     ──> `rescheduling.reschedule` takes it, and `confirm_with_slot` confirms the booking
a refund         ──> `refund_lost_slot`
paying the rest  ──> `payment_requests.request` takes the slot again, if it is free now
no answer        ──> `remind_of_lost_slots`
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, text

from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Message, Option, Say, message, say
from core.money import Money
from core.notices.cards import alert
from core.notices.tell import alert_admins, tell
from core.payment.payment_requests import withdraw_requests
from core.payment.refunds import refund
from core.payment.slot_regained import has_lost_slot
from core.payment.totals import lock_booking
from core.refusals import InsufficientStock, InvalidTransition, Refusal, SlotFull, TechnicianBusy
from core.schedule import bookings, obstacles
from core.schedule.availability import nearest_options
from core.shop import Shop
from core.states import Actor, BookingStatus, RefundReason

REMIND_AFTER = timedelta(days=1)
_TAKEN = (SlotFull, TechnicianBusy)
"""Another booking has the place."""
_HAS_LOST_SLOT = text("booking.status = 'pending' AND booking.paid_amount > 0 AND NOT booking.holding")
"""`has_lost_slot`, written out: a partial index is only used where its condition can be read in the query."""


async def offer_choices(ctx: Context, booking: Booking, order_id: str, refusal: Refusal, *, amount: Money) -> None:
    """Tell the customer and the admins that a paid booking's slot is gone, and why."""
    key = f"seat-gone:{order_id}"
    received = say("late.received", amount=amount, code=booking.code, name=booking.name)
    news = (received, _reason(booking, refusal, ctx.shop))
    options = tuple(await lost_slot_choices(ctx, booking, refusal))
    chat = Message((*news, say("late.choose")), options, button=say("late.button"))
    mail = message(*news, _choices_by_mail(options))
    what = _reason_for_staff(refusal, amount)
    await tell(ctx, booking, key, chat=chat, mail=mail, admins=alert(booking, what))


async def lost_slot_choices(ctx: Context, booking: Booking, refusal: Refusal | None = None) -> list[Option]:
    """The buttons for the customer: the nearest free slots and another time, or a person; and the money back."""
    back = Option(f"money-back:{booking.code}", say("late.option.money_back"))
    if isinstance(refusal, InsufficientStock):
        return [Option("human", say("late.option.human")), back]
    code, around = booking.code, max(booking.starts_at, ctx.now)
    other_time = Option(f"move:{code}", say("late.option.other_time"))
    if booking.technician_id is None:
        slots = await nearest_options(ctx, around, booking.minutes, action=f"retake:{code}:")
        return [*slots, other_time, back]
    same = await nearest_options(
        ctx,
        around,
        booking.minutes,
        action=f"retake:{code}:",
        technician_id=booking.technician_id,
        hint=say("late.with_yours"),
    )
    anyone = await nearest_options(
        ctx, around, booking.minutes, action=f"retake-any:{code}:", hint=say("late.with_anyone")
    )
    taken = [option.label for option in same]
    return [*same, *(option for option in anyone if option.label not in taken), other_time, back]


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
    """Tell the admins once of each booking whose customer hasn't chosen after `REMIND_AFTER`, in contact hours."""
    if not ctx.shop.is_contact_time(ctx.now):
        return
    unanswered = select(Booking).where(_HAS_LOST_SLOT, Booking.paid_at <= ctx.now - REMIND_AFTER)
    for booking in await ctx.session.scalars(unanswered):
        what = say("staff.late.still", amount=booking.paid_amount)
        await alert_admins(ctx, booking, f"still-late:{booking.code}", what)


def _choices_by_mail(options: Sequence[Option]) -> Say:
    """An e-mail has no buttons: it lists the slots and asks for an answer."""
    slots = [say("late.line", slot=option.label) for option in options if option.id.startswith("retake")]
    return say("late.choose_by_mail", slots=slots) if slots else say("late.answer_by_mail")


def _reason(booking: Booking, refusal: Refusal, shop: Shop) -> Say:
    if isinstance(refusal, InsufficientStock):
        return say("late.part_gone", name=refusal.params["name"])
    if type(refusal) in _TAKEN:
        return say("late.seat_gone", at=shop.local(booking.starts_at))
    return say("late.impossible", at=shop.local(booking.starts_at), why=obstacles.named(refusal))


def _reason_for_staff(refusal: Refusal, amount: Money) -> Say:
    if isinstance(refusal, InsufficientStock):
        return say("staff.late.part", amount=amount)
    if type(refusal) in _TAKEN:
        return say("staff.late.seat", amount=amount)
    return say("staff.late.impossible", amount=amount, why=obstacles.named(refusal))
