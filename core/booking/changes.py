"""Changing what is ordered: goods, technician, place or car of a booking that stands; its time is `rescheduling`.

    change_terms   what it would cost, tried and undone ──> shown to the customer ──> change

What it holds already keeps its price. Money beyond the new price is refunded; a rest is asked for by a new link. An
invoice once issued never changes: it is credited in full and another one takes its place.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from core import payment
from core.booking.placement import confirm_free
from core.context import Context, Effects
from core.db.tables import Booking
from core.messaging.messages import Document, Say, message, say
from core.money import Money
from core.notices import cards, reminders
from core.notices.tell import tell
from core.papers import credit_notes
from core.pricing import policy
from core.refusals import MethodCannotPay, NothingToChange
from core.schedule import bookings
from core.schedule.orders import Order, order_of
from core.states import BookingStatus, PaymentMethod, RefundReason
from core.work import notices


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTerms:
    """What a change does to a booking's price and money."""

    was: Money
    total: Money
    back: Money
    """What is refunded."""
    rest: Money
    """What is left to pay."""
    by_link: bool
    """Whether a payment link for it follows."""
    ends_at: datetime
    invoice: Document | None
    """The one in place of earlier ones, for a customer in the chat."""


class _Tried(Exception):
    """Undoes a change that was made to see its terms."""

    def __init__(self, terms: ChangeTerms) -> None:
        super().__init__()
        self.terms = terms


async def change_terms(ctx: Context, booking: Booking, order: Order) -> ChangeTerms:
    """The terms of a change by the customer, which is tried and undone; raises what `change` does."""
    booking_id = booking.id
    try:
        async with ctx.session.begin_nested():
            raise _Tried(await change(replace(ctx, effects=Effects()), booking, order, actor=bookings.CUSTOMER))
    except _Tried as tried:
        return tried.terms
    finally:
        await payment.lock_booking(ctx.session, booking_id)  # load what the rollback restored


async def change(ctx: Context, booking: Booking, order: Order, *, actor: str) -> ChangeTerms:
    """Make a booking what `order` says (`order_of`, with what differs); a customer until the deadline for moving.

    Raises `NothingToChange`, `TooLateToChange`, what `bookings.change` does, and what `payment.request` does where its
    hold was lost.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    before = order_of(booking)
    if order == before:
        raise NothingToChange
    if actor == bookings.CUSTOMER:
        policy.check_may_change(booking.status, booking.starts_at - ctx.now, ctx.shop)
    was, needs_link = booking.total_price, _has_lapsed(booking, ctx.now)
    if order.technician_id != booking.technician_id:
        await notices.unassigned(ctx, booking)
    await bookings.change(ctx, booking, order, actor=actor)
    await payment.update_totals(ctx.session, booking)
    back = max(0, booking.paid_amount - booking.going_back - booking.total_price)
    if back:
        await payment.refund(ctx, booking, back, reason=RefundReason.CHANGED)
    by_link = await _ask_for_rest(ctx, booking, was, needs_link=needs_link)
    is_same = order_of(booking).parts == before.parts and booking.total_price == was
    invoice = None if is_same else await credit_notes.replace_invoices(ctx, booking)
    if booking.status is BookingStatus.CONFIRMED or booking.payment_method is PaymentMethod.COD:
        await reminders.schedule(ctx, booking)
    terms = ChangeTerms(
        was=was,
        total=booking.total_price,
        back=back,
        rest=booking.left_to_pay,
        by_link=by_link,
        ends_at=ctx.shop.local(booking.ends_at),
        invoice=invoice,
    )
    await _tell(ctx, booking, invoice, actor=actor)
    return terms


def _has_lapsed(booking: Booking, now: datetime) -> bool:
    """Whether the time for its payment is over, so that it needs a new link."""
    by_link = booking.status is BookingStatus.PENDING and booking.payment_method is not PaymentMethod.COD
    return by_link and (not booking.holding or (booking.hold_until is not None and booking.hold_until <= now))


async def _ask_for_rest(ctx: Context, booking: Booking, was: Money, *, needs_link: bool) -> bool:
    """A new link where more is to be paid, or the open one asks for too much; whether one follows."""
    if booking.status is BookingStatus.PENDING and not booking.total_price:
        await payment.withdraw_requests(ctx, booking)
        await confirm_free(ctx, booking)
        return False
    had_link = booking.total_price != was and await payment.withdraw_requests(ctx, booking)
    asks = booking.total_price > was or had_link or needs_link
    if not asks or not booking.remaining or booking.payment_method is PaymentMethod.COD:
        return False
    percent = None if booking.paid_amount else booking.down_payment_percent
    try:
        await payment.request(ctx, booking, percent=percent)
    except MethodCannotPay:
        if booking.status is BookingStatus.PENDING:
            raise  # it is confirmed by its link alone; any other rest can be paid at the workshop
        return False
    return True


async def _tell(ctx: Context, booking: Booking, invoice: Document | None, *, actor: str) -> None:
    """Tell everybody but the customer in the chat, who is answered there with the invoice."""
    by_customer = actor == bookings.CUSTOMER
    who: Say | str = say("moved.who_customer") if by_customer else actor
    facts = await cards.job_facts(ctx, booking)
    notice = message(say("changed.notice", name=booking.name, code=booking.code), cards.block(facts), document=invoice)
    card = cards.staff_card(say("staff.changed", code=booking.code, who=who), booking, facts)
    await tell(
        ctx,
        booking,
        f"changed:{booking.code}:{ctx.now.isoformat()}",
        chat=None if by_customer else notice,
        mail=notice,
        subject="changed.mail",
        technician=card,
        admins=card,
    )
