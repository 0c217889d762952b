"""Late money: a booking is paid, but its place went to somebody else meanwhile.

place_gone ──> the customer is told, with the nearest slots to tap
    another slot  ──> moving.move takes it, and `placed` confirms the booking
    the money back ─> give_back cancels it and owes all of it
    the rest, asked for all the same ─> ask_for_rest takes its place again where it is free, and `placed` confirms it
    no answer     ──> remind the admins after a day
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Document, Message, Option, Say, message, say
from core.notices import booking_notices, recipients
from core.papers import invoices
from core.payment import payment_requests, refunds
from core.refusals import InsufficientStock, InvalidTransition, Refusal
from core.schedule import bookings
from core.schedule.availability import nearest_free
from core.shop import Shop
from core.states import BookingStatus, check_move

PATIENCE = timedelta(days=1)
"""After so long without an answer the admins are reminded."""
MOST_OFFERED = 3


def waits(booking: Booking) -> bool:
    """Whether it is paid for, in part at least, and has no place."""
    return booking.status is BookingStatus.PENDING and booking.paid_amount > 0 and not booking.holding


async def place_gone(
    session: AsyncSession, booking: Booking, request: PaymentRequest, why: Refusal, *, shop: Shop, now: datetime
) -> None:
    """The money came and the place is gone (`why`): the customer chooses what becomes of it, the admins know."""
    key = f"seat-gone:{request.order_id}"
    received = say("late.received", amount=request.amount, code=booking.code, name=booking.name)
    news = (received, _reason(booking, why, shop))
    options = tuple(await offers(session, booking, why, shop=shop, now=now))
    told = Message((*news, say("late.choose")), options, button=say("late.button"))
    await recipients.chat(session, booking, told, key, now)
    letter = Message((*news, _choice_by_mail(options)))
    await recipients.mail(session, booking, "notice.mail.news", letter, key=key, shop=shop, now=now)
    what = say("staff.late.part" if isinstance(why, InsufficientStock) else "staff.late.seat", amount=request.amount)
    await booking_notices.alert(session, booking, what, key=key, shop=shop, now=now)


async def offers(
    session: AsyncSession, booking: Booking, why: Refusal | None = None, *, shop: Shop, now: datetime
) -> list[Option]:
    """What the customer can choose: the nearest slots now and another time, or a person; and the money back."""
    back = Option(f"money-back:{booking.code}", say("late.option.money_back"))
    if isinstance(why, InsufficientStock):
        return [Option("human", say("late.option.human")), back]
    code, named = booking.code, booking.technician_id
    kept = await _nearest(session, booking, technician_id=named, shop=shop, now=now)
    anyone = await _nearest(session, booking, technician_id=None, shop=shop, now=now) if named else []
    same = [_slot("retake", code, at, "late.with_yours" if named else None, shop) for at in kept]
    other = [_slot("retake-any", code, at, "late.with_anyone", shop) for at in anyone if at not in kept]
    return [*same, *other, Option(f"move:{code}", say("late.option.other_time")), back]


async def placed(session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime) -> None:
    """It has a place again: confirmed, with its invoice and reminders; the customer and the admins are told."""
    check_move(booking.status, BookingStatus.CONFIRMED)
    booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
    bookings.note(session, booking, "confirmed", actor=bookings.SYSTEM, now=now)
    await invoices.issue(session, booking, shop=shop, now=now)
    await booking_notices.schedule_reminders(session, booking, shop=shop, now=now)
    facts = await booking_notices.job_facts(session, booking, shop)
    letter = Message(
        (say("notice.confirmed", code=booking.code), booking_notices.block(facts), booking_notices.money_left(booking)),
        document=Document("invoice", booking.code),
    )
    key = f"placed:{booking.code}:{now.isoformat()}"
    await recipients.chat(session, booking, letter, key, now)
    await recipients.mail(session, booking, "notice.mail.confirmed", letter, key=key, shop=shop, now=now)
    card = booking_notices.staff_card(say("staff.late.placed", code=booking.code), booking, facts)
    await recipients.admins(session, booking, card, key=key, shop=shop, now=now)
    await recipients.technician(session, booking, card, key=key, shop=shop, now=now)


async def ask_for_rest(
    session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime, percent: int | None
) -> PaymentRequest:
    """`payments.request` where late money may wait: its place is taken again first, for good.

    Raises what `payments.request` does, also where the place isn't free.
    """
    booking = await payment_requests.locked(session, booking.id)
    if waits(booking):
        await bookings.hold_again(session, booking, shop=shop, now=now)
        await placed(session, booking, shop=shop, now=now)
    return await payment_requests.request(session, booking, shop=shop, now=now, percent=percent)


async def give_back(session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime) -> None:
    """Cancel it as its customer wishes, and owe all that came in. Raises `InvalidTransition`."""
    booking = await payment_requests.locked(session, booking.id)
    if not waits(booking):
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    await bookings.cancel(session, booking, reason=bookings.CUSTOMER, actor=bookings.CUSTOMER, now=now)
    await payment_requests.void(session, booking, now=now)
    amount, key = booking.paid_amount, f"late-back:{booking.code}"
    told = message(say("late.gone_back", name=booking.name, code=booking.code, amount=amount))
    await recipients.chat(session, booking, told, key, now)
    await recipients.mail(session, booking, "notice.mail.news", told, key=key, shop=shop, now=now)
    await booking_notices.alert(
        session, booking, say("staff.late.gone_back", amount=amount), key=key, shop=shop, now=now
    )
    await refunds.owe(session, booking, amount, reason="late", shop=shop, now=now)


async def remind(session: AsyncSession, *, shop: Shop, now: datetime) -> None:
    """Tell the admins once of each booking that has waited for its customer's choice for a day."""
    for booking in await session.scalars(_WAITING.where(Booking.paid_at <= now - PATIENCE)):
        what = say("staff.late.still", amount=booking.paid_amount)
        await booking_notices.alert(session, booking, what, key=f"still-late:{booking.code}", shop=shop, now=now)


async def _nearest(
    session: AsyncSession, booking: Booking, *, technician_id: str | None, shop: Shop, now: datetime
) -> Sequence[datetime]:
    return await nearest_free(
        session,
        max(booking.starts_at, now),
        booking.minutes,
        shop=shop,
        now=now,
        technician_id=technician_id,
        count=MOST_OFFERED,
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
