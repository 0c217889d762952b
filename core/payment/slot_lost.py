"""Late money: a booking is paid, but its place went to somebody else meanwhile.

place_gone ──> the customer is told, with the nearest slots to tap
    another slot  ──> rescheduling.reschedule takes it, and `placed` confirms the booking
    the money back ─> give_back cancels it and owes all of it
    the rest, asked for all the same ─> request_payment takes its place again where it is free, and `placed` confirms it
    no answer     ──> remind the admins after a day
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text

from core.context import Context
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Document, Message, Option, Say, message, say
from core.notices import cards, reminders
from core.notices.cards import alert
from core.notices.tell import tell
from core.papers import invoices
from core.payment import payment_requests, refunds
from core.refusals import InsufficientStock, InvalidTransition, Refusal
from core.schedule import bookings
from core.schedule.availability import nearest_free
from core.shop import Shop
from core.states import BookingStatus, EventKind, RefundReason, check_move

PATIENCE = timedelta(days=1)
"""After so long without an answer the admins are reminded."""
MOST_OFFERED = 3


def waits(booking: Booking) -> bool:
    """Whether it is paid for, in part at least, and has no place."""
    return booking.status is BookingStatus.PENDING and booking.paid_amount > 0 and not booking.holding


async def place_gone(ctx: Context, booking: Booking, request: PaymentRequest, why: Refusal) -> None:
    """The money came and the place is gone (`why`): the customer chooses what becomes of it, the admins know."""
    key = f"seat-gone:{request.order_id}"
    received = say("late.received", amount=request.amount, code=booking.code, name=booking.name)
    news = (received, _reason(booking, why, ctx.shop))
    options = tuple(await offers(ctx, booking, why))
    chat = Message((*news, say("late.choose")), options, button=say("late.button"))
    mail = message(*news, _choice_by_mail(options))
    what = say("staff.late.part" if isinstance(why, InsufficientStock) else "staff.late.seat", amount=request.amount)
    await tell(ctx, booking, key, chat=chat, mail=mail, admins=alert(booking, what))


async def offers(ctx: Context, booking: Booking, why: Refusal | None = None) -> list[Option]:
    """What the customer can choose: the nearest slots now and another time, or a person; and the money back."""
    back = Option(f"money-back:{booking.code}", say("late.option.money_back"))
    if isinstance(why, InsufficientStock):
        return [Option("human", say("late.option.human")), back]
    code, named = booking.code, booking.technician_id
    kept = await _nearest(ctx, booking, technician_id=named)
    anyone = await _nearest(ctx, booking, technician_id=None) if named else []
    same = [_slot("retake", code, at, "late.with_yours" if named else None, ctx.shop) for at in kept]
    other = [_slot("retake-any", code, at, "late.with_anyone", ctx.shop) for at in anyone if at not in kept]
    return [*same, *other, Option(f"move:{code}", say("late.option.other_time")), back]


async def placed(ctx: Context, booking: Booking) -> None:
    """It has a place again: confirmed, with its invoice and reminders; the customer and the admins are told."""
    check_move(booking.status, BookingStatus.CONFIRMED)
    booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
    bookings.record_event(ctx, booking, EventKind.CONFIRMED, actor=bookings.SYSTEM)
    await invoices.issue(ctx, booking)
    await reminders.schedule(ctx, booking)
    facts = await cards.job_facts(ctx, booking)
    news = message(
        say("notice.confirmed", code=booking.code),
        cards.block(facts),
        cards.money_left(booking),
        document=Document("invoice", booking.code),
    )
    card = cards.staff_card(say("staff.late.placed", code=booking.code), booking, facts)
    await tell(
        ctx,
        booking,
        f"placed:{booking.code}:{ctx.now.isoformat()}",
        chat=news,
        mail=news,
        subject="notice.mail.confirmed",
        technician=card,
        admins=card,
    )


async def request_payment(ctx: Context, booking: Booking, *, percent: int | None) -> PaymentRequest:
    """Ask for a down payment of `percent`, or (None) for all that remains; a link that failed is retried at once.

    Where money came after the slot was lost, the slot is taken again first, for good. Raises what
    `payment_requests.request` does, also where the slot isn't free.
    """
    booking = await payment_requests.locked(ctx.session, booking.id)
    if waits(booking):
        await bookings.hold_again(ctx, booking)
        await placed(ctx, booking)
    request = await payment_requests.request(ctx, booking, percent=percent)
    await payment_requests.hurry(ctx, request.order_id)
    return request


async def give_back(ctx: Context, booking: Booking) -> None:
    """Cancel it as its customer wishes, and owe all that came in. Raises `InvalidTransition`."""
    booking = await payment_requests.locked(ctx.session, booking.id)
    if not waits(booking):
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    await bookings.cancel(ctx, booking, reason=bookings.CUSTOMER, actor=bookings.CUSTOMER)
    await payment_requests.void(ctx, booking)
    amount = booking.paid_amount
    news = message(say("late.gone_back", name=booking.name, code=booking.code, amount=amount))
    warning = alert(booking, say("staff.late.gone_back", amount=amount))
    await tell(ctx, booking, f"late-back:{booking.code}", chat=news, mail=news, admins=warning)
    await refunds.owe(ctx, booking, amount, reason=RefundReason.LATE)


async def remind(ctx: Context) -> None:
    """Tell the admins once of each booking that has waited for its customer's choice for a day."""
    for booking in await ctx.session.scalars(_WAITING.where(Booking.paid_at <= ctx.now - PATIENCE)):
        what = say("staff.late.still", amount=booking.paid_amount)
        await tell(ctx, booking, f"still-late:{booking.code}", admins=alert(booking, what))


async def _nearest(ctx: Context, booking: Booking, *, technician_id: str | None) -> Sequence[datetime]:
    return await nearest_free(
        ctx, max(booking.starts_at, ctx.now), booking.minutes, technician_id=technician_id, count=MOST_OFFERED
    )


def _slot(action: str, code: str, at: datetime, hint: str | None, shop: Shop) -> Option:
    local = shop.local(at)
    return Option(f"{action}:{code}:{local:%Y-%m-%dT%H:%M}", say("late.slot", at=local), say(hint) if hint else None)


def _choice_by_mail(options: Sequence[Option]) -> Say:
    """A mail has no buttons: the slots are listed, and who wants one answers."""
    slots = [say("late.line", slot=option.label) for option in options if option.id.startswith("retake")]
    return say("late.choose_by_mail", slots=slots) if slots else say("late.answer_by_mail")


def _reason(booking: Booking, why: Refusal, shop: Shop) -> Say:
    if isinstance(why, InsufficientStock):
        return say("late.part_gone", name=why.params["name"])
    return say("late.seat_gone", at=shop.local(booking.starts_at))


# As `waits` says, in the index's own words: with bound values a database wouldn't know that it may use it.
_WAITING = select(Booking).where(text("booking.status = 'pending' AND booking.paid_amount > 0 AND NOT booking.holding"))
