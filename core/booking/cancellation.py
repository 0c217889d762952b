"""Calling a booking off, by whoever: what becomes of its money, its places and its links, and who is told.

    cancel    the customer, until the shop's deadline: a late one costs a share of the down payment
              staff, as long as it isn't completed: everything comes back
    no_show   staff, once its time has come: the shop's share is kept

What is billed no more is credited (`credit_notes`), what comes back is owed (`refunds`); links that are
still open end, and money that comes by one all the same is owed back whole (`settlement`).
"""

from dataclasses import dataclass
from datetime import timedelta

from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Message, Option, Say, message, say
from core.money import Money
from core.notices import cards
from core.notices.tell import tell
from core.papers import credit_notes
from core.payment import payment_requests, refunds
from core.pricing import policy
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, CreditReason, RefundReason, check_move
from core.work import costs


@dataclass(frozen=True, slots=True)
class Terms:
    """What becomes of a booking's money when it is called off."""

    paid: Money
    """What came in and isn't owed back for another reason."""
    kept: Money = 0
    deadline: int | None = None
    """The deadline (hours before the start) whose missing costs that; None for a no-show."""

    @property
    def back(self) -> Money:
        """What the customer gets back."""
        return self.paid - self.kept


def terms(booking: Booking, paid: Money, left: timedelta, shop: Shop, *, by_customer: bool) -> Terms:
    """What becomes of `paid` when it is cancelled with that time left before its start; only who cancels what was confirmed loses any."""
    if not by_customer or booking.status is not BookingStatus.CONFIRMED:
        return Terms(paid)
    kept = policy.kept_when_cancelled(booking.total_price, paid, booking.down_payment_percent, left, shop)
    return Terms(paid, kept, policy.missed_deadline(left, shop)) if kept else Terms(paid)


async def offer(ctx: Context, booking: Booking, *, by_customer: bool) -> Terms:
    """The terms on which it can be cancelled now, its row locked so that they stand until the transaction ends.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    booking = await payment_requests.locked(ctx.session, booking.id)
    left = booking.starts_at - ctx.now
    if by_customer:
        policy.check_may_cancel(booking.status, left, ctx.shop)
    check_move(booking.status, BookingStatus.CANCELLED)
    return terms(booking, _in_hand(booking), left, ctx.shop, by_customer=by_customer)


async def cancel(ctx: Context, booking: Booking, *, reason: str, actor: str) -> Terms:
    """Cancel it on the terms that `offer` tells; the customer's own (`bookings.CUSTOMER`) are the shop's policy.

    Raises `InvalidTransition`, `TooLateToCancel`.
    """
    by_customer = actor == bookings.CUSTOMER
    agreed = await offer(ctx, booking, by_customer=by_customer)
    closed = await _end(ctx, booking, reason=reason, actor=actor)
    note = await credit_notes.issue(ctx, booking, keeps=agreed.kept, reason=CreditReason.CANCELLED)
    because = [say("cancelling.because", reason=reason)] if reason and reason != bookings.CUSTOMER else []
    to_customer, to_staff = _BY_CUSTOMER if by_customer else _BY_SHOP
    which = _which(booking, ctx.shop)
    told = [say(to_customer, **which), *([] if by_customer else because), *money(agreed), *closed]
    heard = _heard(booking, agreed, say(to_staff, who=actor, **which), *because)
    letter = Message(tuple(told), document=note)
    await _tell(ctx, booking, letter, heard, key=f"cancelled:{booking.code}")
    await _owe(ctx, booking, agreed, reason=RefundReason.CANCELLED)
    return agreed


async def offer_for_no_show(ctx: Context, booking: Booking) -> Terms:
    """What a no-show costs this customer, as `offer`; raises `InvalidTransition`, `TooEarlyForNoShow`."""
    booking = await payment_requests.locked(ctx.session, booking.id)
    policy.check_no_show(booking.status, booking.starts_at, ctx.now, ctx.shop)
    paid = _in_hand(booking)
    return Terms(paid, policy.kept_for_no_show(booking.total_price, paid, booking.down_payment_percent, ctx.shop))


async def no_show(ctx: Context, booking: Booking, *, actor: str) -> Terms:
    """The customer never came: cancelled for good, the shop's share kept, the rest owed back.

    Raises `InvalidTransition`, `TooEarlyForNoShow`.
    """
    due = await offer_for_no_show(ctx, booking)
    closed = await _end(ctx, booking, reason=CreditReason.NO_SHOW, actor=actor)
    booking.no_show_at = ctx.now
    head = say("no_show.missed_you", **_which(booking, ctx.shop))
    again = Option(f"again:{booking.code}", say("no_show.again"))
    note = await credit_notes.issue(ctx, booking, keeps=due.kept, reason=CreditReason.NO_SHOW)
    told = message(head, *money(due), *closed, say("no_show.welcome"), options=(again,), document=note)
    heard = _heard(booking, due, say("staff.no_show", who=actor, **_which(booking, ctx.shop)))
    await _tell(ctx, booking, told, heard, key=f"no-show:{booking.code}")
    await _owe(ctx, booking, due, reason=RefundReason.NO_SHOW)
    return due


def money(outcome: Terms) -> list[Say]:
    """What becomes of the money, and why, as the customer reads it before and after."""
    if not outcome.paid:
        return []
    if not outcome.kept:
        return [say("cancelling.all_back", back=outcome.back)]
    if outcome.deadline is None:
        key = "no_show.part_back" if outcome.back else "no_show.none_back"
    else:
        key = "cancelling.part_back" if outcome.back else "cancelling.none_back"
    return [say(key, paid=outcome.paid, kept=outcome.kept, back=outcome.back, hours=outcome.deadline)]


def sums(outcome: Terms) -> list[Say]:
    """The same for staff, a line each."""
    kept = [say("staff.kept", kept=outcome.kept)] if outcome.kept else []
    return kept + ([say("staff.goes_back", back=outcome.back)] if outcome.back else [])


def _in_hand(booking: Booking) -> Money:
    return max(0, booking.paid_amount - booking.going_back)


async def _end(ctx: Context, booking: Booking, *, reason: str, actor: str) -> list[Say]:
    """Give up its places, its open costs and its link; says so where the customer has one."""
    link = await payment_requests.open_request(ctx, booking)
    await bookings.cancel(ctx, booking, reason=reason, actor=actor)
    await costs.withdraw(ctx, booking, actor=actor)
    await payment_requests.void(ctx, booking)
    return [say("cancelling.link_closed")] if link is not None else []


async def _owe(ctx: Context, booking: Booking, outcome: Terms, *, reason: RefundReason) -> None:
    if outcome.back:
        await refunds.owe(ctx, booking, outcome.back, reason=reason)


# --- who is told ---------------------------------------------------------------------------------

_BY_CUSTOMER = ("cancelling.done", "staff.cancelled_by_customer")
_BY_SHOP = ("cancelling.by_shop", "staff.cancelled")
"""What the customer and what staff read first."""


async def _tell(ctx: Context, booking: Booking, told: Message, heard: list[Say], *, key: str) -> None:
    """The customer in the chat and by mail, the technician, who is free now, and the admins."""
    card = Message(tuple(heard))
    await tell(ctx, booking, key, chat=told, mail=told, technician=message(heard[0]), admins=card)


def _heard(booking: Booking, outcome: Terms, head: Say, *more: Say) -> list[Say]:
    """What staff hears: what happened, to whom, and what becomes of the money."""
    return [head, cards.block([cards.customer_line(booking), *more, *sums(outcome)])]


def _which(booking: Booking, shop: Shop) -> dict[str, object]:
    return {"code": booking.code, "name": booking.name, "at": shop.local(booking.starts_at)}
