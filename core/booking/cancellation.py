"""Cancelling a booking, by the customer or by staff, and noting a no-show.

    cancel           by the customer, until the shop's deadline: a late one costs a share of the down payment
                     by staff, until it is completed: everything is refunded
    record_no_show   by staff, once its time has come: the shop keeps its share

A credit note is issued for what is no longer billed, a refund for what is returned. Open payment links are closed;
a payment that still comes by one is refunded in full (`settlement`).
"""

from dataclasses import dataclass
from datetime import timedelta

from core import payment
from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Message, Option, Say, message, say
from core.money import Money
from core.notices import cards
from core.notices.tell import tell
from core.papers import credit_notes
from core.pricing import policy
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, CreditReason, RefundReason, check_move
from core.work import costs


@dataclass(frozen=True, slots=True)
class CancellationTerms:
    """What becomes of a booking's money when it is cancelled."""

    paid: Money
    """What was paid, without refunds that are under way."""
    kept: Money = 0
    deadline: int | None = None
    """The missed deadline, in hours before the start, that costs `kept`; None for a no-show."""

    @property
    def back(self) -> Money:
        return self.paid - self.kept


def terms_for(booking: Booking, paid: Money, left: timedelta, shop: Shop, *, by_customer: bool) -> CancellationTerms:
    """The terms with `left` to go before the start; only a customer who cancels a confirmed booking loses money.

    Nobody does where the shop can't keep the appointment.
    """
    if not by_customer or booking.status is not BookingStatus.CONFIRMED or booking.impossible_since is not None:
        return CancellationTerms(paid)
    kept = policy.kept_when_cancelled(booking.total_price, paid, booking.down_payment_percent, left, shop)
    return CancellationTerms(paid, kept, policy.missed_deadline(left, shop)) if kept else CancellationTerms(paid)


async def cancellation_terms(ctx: Context, booking: Booking, *, by_customer: bool) -> CancellationTerms:
    """The terms on which it can be cancelled now; its row is locked, so they hold until the transaction ends.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    left = booking.starts_at - ctx.now
    if by_customer and booking.impossible_since is None:
        policy.check_may_cancel(booking.status, left, ctx.shop)
    check_move(booking.status, BookingStatus.CANCELLED)
    return terms_for(booking, _paid(booking), left, ctx.shop, by_customer=by_customer)


async def cancel(ctx: Context, booking: Booking, *, reason: str, actor: str) -> CancellationTerms:
    """Cancel it on the terms of `cancellation_terms`; the actor `bookings.CUSTOMER` is bound by the shop's policy.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    by_customer = actor == bookings.CUSTOMER
    terms = await cancellation_terms(ctx, booking, by_customer=by_customer)
    link_closed = await _end(ctx, booking, reason=reason, actor=actor)
    credit_note = await credit_notes.issue(ctx, booking, keeps=terms.kept, reason=CreditReason.CANCELLED)
    because = [say("cancelling.because", reason=reason)] if reason and reason != bookings.CUSTOMER else []
    which = _which(booking, ctx.shop)
    if by_customer:
        head, staff_head = say("cancelling.done", **which), say("staff.cancelled_by_customer", who=actor, **which)
        says = [head, *refund_summary(terms), *link_closed]
    else:
        head, staff_head = say("cancelling.by_shop", **which), say("staff.cancelled", who=actor, **which)
        says = [head, *because, *refund_summary(terms), *link_closed]
    notice = message(*says, document=credit_note)
    key = f"cancelled:{booking.code}"
    await _tell(ctx, booking, terms, notice, staff_head, *because, key=key, waited_for=by_customer)
    if terms.back:
        await payment.refund(ctx, booking, terms.back, reason=RefundReason.CANCELLED)
    return terms


async def no_show_terms(ctx: Context, booking: Booking) -> CancellationTerms:
    """What a no-show costs this customer, as `cancellation_terms`; raises `InvalidTransition`, `TooEarlyForNoShow`."""
    booking = await payment.lock_booking(ctx.session, booking.id)
    policy.check_no_show(booking.status, booking.starts_at, ctx.now, ctx.shop)
    paid = _paid(booking)
    return CancellationTerms(
        paid, policy.kept_for_no_show(booking.total_price, paid, booking.down_payment_percent, ctx.shop)
    )


async def record_no_show(ctx: Context, booking: Booking, *, actor: str) -> CancellationTerms:
    """Cancel a booking whose customer never came: the shop keeps its share, the rest is refunded.

    Raises `InvalidTransition`, `TooEarlyForNoShow`.
    """
    terms = await no_show_terms(ctx, booking)
    link_closed = await _end(ctx, booking, reason=CreditReason.NO_SHOW, actor=actor)
    booking.no_show_at = ctx.now
    which = _which(booking, ctx.shop)
    credit_note = await credit_notes.issue(ctx, booking, keeps=terms.kept, reason=CreditReason.NO_SHOW)
    says = [say("no_show.missed_you", **which), *refund_summary(terms), *link_closed, say("no_show.welcome")]
    notice = message(*says, options=(Option(f"again:{booking.code}", say("no_show.again")),), document=credit_note)
    staff_head = say("staff.no_show", who=actor, **which)
    await _tell(ctx, booking, terms, notice, staff_head, key=f"no-show:{booking.code}", waited_for=False)
    if terms.back:
        await payment.refund(ctx, booking, terms.back, reason=RefundReason.NO_SHOW)
    return terms


def refund_summary(terms: CancellationTerms) -> list[Say]:
    """What the customer reads about the money, before cancelling and after."""
    if not terms.paid:
        return []
    if not terms.kept:
        return [say("cancelling.all_back", back=terms.back)]
    if terms.deadline is None:
        key = "no_show.part_back" if terms.back else "no_show.none_back"
    else:
        key = "cancelling.part_back" if terms.back else "cancelling.none_back"
    return [say(key, paid=terms.paid, kept=terms.kept, back=terms.back, hours=terms.deadline)]


def staff_refund_summary(terms: CancellationTerms) -> list[Say]:
    kept = [say("staff.kept", kept=terms.kept)] if terms.kept else []
    return kept + ([say("staff.goes_back", back=terms.back)] if terms.back else [])


def _paid(booking: Booking) -> Money:
    return max(0, booking.paid_amount - booking.going_back)


async def _end(ctx: Context, booking: Booking, *, reason: str, actor: str) -> list[Say]:
    """Cancel the booking's row, open costs and payment link; returns what to say about the link."""
    link = await payment.open_request(ctx, booking)
    await bookings.cancel(ctx, booking, reason=reason, actor=actor)
    await costs.withdraw(ctx, booking, actor=actor)
    await payment.withdraw_requests(ctx, booking)
    return [say("cancelling.link_closed")] if link is not None else []


async def _tell(
    ctx: Context,
    booking: Booking,
    terms: CancellationTerms,
    notice: Message,
    staff_head: Say,
    *more: Say,
    key: str,
    waited_for: bool,
) -> None:
    """`notice` to the customer, the headline to the technician, and all of it to the admins."""
    card = message(staff_head, cards.block([cards.customer_line(booking), *more, *staff_refund_summary(terms)]))
    technician = message(staff_head)
    await tell(ctx, booking, key, chat=notice, mail=notice, technician=technician, admins=card, waited_for=waited_for)


def _which(booking: Booking, shop: Shop) -> dict[str, object]:
    return {"code": booking.code, "name": booking.name, "at": shop.local(booking.starts_at)}
