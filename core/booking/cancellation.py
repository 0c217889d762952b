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
    """The terms with `left` to go before the start; only a customer who cancels a confirmed booking loses money."""
    if not by_customer or booking.status is not BookingStatus.CONFIRMED:
        return CancellationTerms(paid)
    kept = policy.kept_when_cancelled(booking.total_price, paid, booking.down_payment_percent, left, shop)
    return CancellationTerms(paid, kept, policy.missed_deadline(left, shop)) if kept else CancellationTerms(paid)


async def cancellation_terms(ctx: Context, booking: Booking, *, by_customer: bool) -> CancellationTerms:
    """The terms on which it can be cancelled now; its row is locked, so they hold until the transaction ends.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    left = booking.starts_at - ctx.now
    if by_customer:
        policy.check_may_cancel(booking.status, left, ctx.shop)
    check_move(booking.status, BookingStatus.CANCELLED)
    return terms_for(booking, _paid(booking), left, ctx.shop, by_customer=by_customer)


async def cancel(ctx: Context, booking: Booking, *, reason: str, actor: str) -> CancellationTerms:
    """Cancel it on the terms of `cancellation_terms`; the actor `bookings.CUSTOMER` is bound by the shop's policy.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    by_customer = actor == bookings.CUSTOMER
    terms = await cancellation_terms(ctx, booking, by_customer=by_customer)
    closed = await _end(ctx, booking, reason=reason, actor=actor)
    note = await credit_notes.issue(ctx, booking, keeps=terms.kept, reason=CreditReason.CANCELLED)
    because = [say("cancelling.because", reason=reason)] if reason and reason != bookings.CUSTOMER else []
    to_customer, to_staff = _BY_CUSTOMER if by_customer else _BY_SHOP
    which = _which(booking, ctx.shop)
    told = [say(to_customer, **which), *([] if by_customer else because), *refund_summary(terms), *closed]
    heard = _heard(booking, terms, say(to_staff, who=actor, **which), *because)
    letter = Message(tuple(told), document=note)
    await _tell(ctx, booking, letter, heard, key=f"cancelled:{booking.code}")
    await _owe(ctx, booking, terms, reason=RefundReason.CANCELLED)
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
    closed = await _end(ctx, booking, reason=CreditReason.NO_SHOW, actor=actor)
    booking.no_show_at = ctx.now
    head = say("no_show.missed_you", **_which(booking, ctx.shop))
    again = Option(f"again:{booking.code}", say("no_show.again"))
    note = await credit_notes.issue(ctx, booking, keeps=terms.kept, reason=CreditReason.NO_SHOW)
    told = message(head, *refund_summary(terms), *closed, say("no_show.welcome"), options=(again,), document=note)
    heard = _heard(booking, terms, say("staff.no_show", who=actor, **_which(booking, ctx.shop)))
    await _tell(ctx, booking, told, heard, key=f"no-show:{booking.code}")
    await _owe(ctx, booking, terms, reason=RefundReason.NO_SHOW)
    return terms


def refund_summary(terms: CancellationTerms) -> list[Say]:
    """What becomes of the money, and why, for the customer: before cancelling and after."""
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


async def _owe(ctx: Context, booking: Booking, terms: CancellationTerms, *, reason: RefundReason) -> None:
    if terms.back:
        await payment.refund(ctx, booking, terms.back, reason=reason)


# --- notices ---------------------------------------------------------------------------------------

_BY_CUSTOMER = ("cancelling.done", "staff.cancelled_by_customer")
_BY_SHOP = ("cancelling.by_shop", "staff.cancelled")
"""What the customer and what staff read first."""


async def _tell(ctx: Context, booking: Booking, told: Message, heard: list[Say], *, key: str) -> None:
    card = Message(tuple(heard))
    await tell(ctx, booking, key, chat=told, mail=told, technician=message(heard[0]), admins=card)


def _heard(booking: Booking, terms: CancellationTerms, head: Say, *more: Say) -> list[Say]:
    return [head, cards.block([cards.customer_line(booking), *more, *staff_refund_summary(terms)])]


def _which(booking: Booking, shop: Shop) -> dict[str, object]:
    return {"code": booking.code, "name": booking.name, "at": shop.local(booking.starts_at)}
