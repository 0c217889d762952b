"""What Midtrans' status answers do: money is entered once, requests end, bookings are confirmed.

Money that went back is in `reversals`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.context import Context
from core.db.tables import Booking, PaymentAttempt, PaymentRequest
from core.messaging.messages import say
from core.money import Money
from core.notices import payment_notices
from core.papers import invoices, receipts
from core.payment import midtrans_status, reversals, slot_lost, unknown_orders
from core.payment.confirmed_status import ConfirmedStatus
from core.payment.midtrans_status import Meaning
from core.payment.notifications import known_meanings
from core.payment.payment_links import lock_request, next_status_call
from core.payment.payment_requests import end_holds, withdraw_requests
from core.payment.refunds import refund
from core.payment.totals import OPEN_STATES, lock_booking, update_totals
from core.refusals import Refusal
from core.schedule import bookings, holds, obstacles
from core.states import Actor, BookingStatus, EventKind, LedgerKind, Outcome, RefundReason, RequestState

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""Between two processes: a status known from further in the future was stored before a clock was set back."""


async def settle(
    ctx: Context, order_id: str, answer: Mapping[str, object] | None, *, asked_at: datetime | None = None
) -> Outcome:
    """Act on Midtrans' status answer for a request (None: no attempt yet).

    `asked_at` (`now` when None): an answer that is older than the last one of its attempt is ignored.
    """
    if await ctx.session.get(PaymentRequest, order_id) is None:
        return await unknown_orders.record(ctx, order_id, answer)
    if answer is None:
        return Outcome.NO_ATTEMPT
    request, booking = await lock_request(ctx.session, order_id)
    return await _act_on(_status(ctx, request, booking, answer), asked_at or ctx.now)


async def settle_or_expire(
    ctx: Context, order_id: str, answer: Mapping[str, object] | None, *, asked_at: datetime | None = None
) -> Outcome:
    """Settle the answer to a poll; a request that is still open after its time expires."""
    request, booking = await lock_request(ctx.session, order_id)
    outcome = Outcome.NO_ATTEMPT
    if answer is not None:
        outcome = await _act_on(_status(ctx, request, booking, answer), asked_at or ctx.now)
    if request.state not in OPEN_STATES:
        if request.state is not RequestState.CANCELLED:  # that one's link is still to be closed
            request.due_at = None
        return outcome
    if request.expires_at > ctx.now:
        request.due_at = next_status_call(request, ctx.now)
        return outcome
    await _end(ctx, request, booking, RequestState.EXPIRED)
    return Outcome.EXPIRED


def _status(ctx: Context, request: PaymentRequest, booking: Booking, answer: Mapping[str, object]) -> ConfirmedStatus:
    attempt = midtrans_status.for_request(midtrans_status.read_status(answer), request.amount)
    return ConfirmedStatus(ctx, request, booking, attempt)


async def _act_on(status: ConfirmedStatus, asked_at: datetime) -> Outcome:
    order_id = status.request.order_id
    if status.attempt.order_id != order_id:
        await status.alert("wrong-order", say("staff.wrong_order", order_id=order_id))
        return Outcome.OTHER_ORDER
    if not await _store(status, asked_at):
        return Outcome.OUT_OF_DATE
    match status.attempt.meaning:
        case Meaning.RECEIVED:
            return await _receive(status)
        case Meaning.CHALLENGED if status.request.state is RequestState.PAID:
            return Outcome.IGNORED
        case Meaning.CHALLENGED:
            await status.alert("challenge", say("staff.challenge", order_id=order_id))
            return Outcome.CHALLENGED
        case Meaning.DENIED:
            return await reversals.reversed_by_bank(status)
        case Meaning.ENDED:
            return await _attempt_ended(status)
        case Meaning.REFUNDED:
            await _receive(status, kept=False)
            return await reversals.refunded(status)
        case Meaning.CHARGED_BACK:
            await _receive(status, kept=False)
            return await reversals.charged_back(status)
        case Meaning.WAITING:
            return Outcome.WAITING
        case Meaning.UNKNOWN:
            return Outcome.UNKNOWN_STATUS


async def _store(status: ConfirmedStatus, asked_at: datetime) -> bool:
    """Store the status of the attempt; False when a newer one is known."""
    ctx, attempt = status.ctx, status.attempt
    values = {
        "status": attempt.status,
        "method": attempt.method,
        "amount": attempt.amount,
        "fee": attempt.fee,
        "answer": dict(attempt.evidence),
        "changed_at": asked_at,
    }
    known = await ctx.session.get(PaymentAttempt, attempt.transaction_id)
    if known is None:
        identity = {"transaction_id": attempt.transaction_id, "order_id": attempt.order_id}
        ctx.session.add(PaymentAttempt(**identity, first_seen_at=ctx.now, **values))
        return True
    await ctx.session.refresh(known)
    if asked_at < known.changed_at <= ctx.now + MAX_CLOCK_SKEW:
        return False
    for name, value in values.items():
        setattr(known, name, value)
    return True


# --- received ------------------------------------------------------------------------------------


async def _receive(status: ConfirmedStatus, *, kept: bool = True) -> Outcome:
    """Enter money once; if it covers the request, and is `kept`, it confirms the booking.

    Money that went back is entered first, in case its receipt was never reported.
    """
    outcome = await _enter(status)
    if outcome is Outcome.RECEIVED and kept:
        await _paid(status)
    if outcome in (Outcome.RECEIVED, Outcome.SECOND_PAYMENT, Outcome.OTHER_AMOUNT):
        await _refund_excess(status, status.attempt.amount or 0, twice=outcome is Outcome.SECOND_PAYMENT)
    return outcome


async def _enter(status: ConfirmedStatus) -> Outcome:
    """Enter any amount in rupiah, so that the ledger shows what was paid; show the admins one that isn't the request's."""
    request, attempt = status.request, status.attempt
    entries = await status.attempt_entries()
    if reversals.received(entries):
        return Outcome.RECEIVED_BEFORE
    covers = attempt.currency == "IDR" and (attempt.amount or 0) >= request.amount
    if not covers or attempt.amount != request.amount:
        reported = f"{attempt.currency} {attempt.evidence.get('gross_amount')}"
        text = "staff.more_paid" if covers else "staff.wrong_amount"
        what = say(text, order_id=request.order_id, reported=reported, amount=request.amount)
        await status.alert(f"wrong-amount:{attempt.transaction_id}", what)
    if not attempt.amount or attempt.amount < 0 or attempt.currency != "IDR":
        return Outcome.UNUSABLE_AMOUNT
    twice = request.state is RequestState.PAID
    if not twice:
        request.state, request.due_at = RequestState.PAID if covers else RequestState.FAILED, None
        await withdraw_requests(status.ctx, status.booking)  # any other request asks for too much now
    number = sum(entry.kind is LedgerKind.RECEIVED for entry in entries) + 1
    await status.enter(LedgerKind.RECEIVED, reversals.reference(attempt.transaction_id, number), attempt.amount)
    status.booking.paid_at = status.booking.paid_at or status.ctx.now
    if twice:
        return Outcome.SECOND_PAYMENT
    return Outcome.RECEIVED if covers else Outcome.OTHER_AMOUNT


async def _paid(status: ConfirmedStatus) -> None:
    """Confirm a pending booking that still has its slot, or gets it back; send what belongs to the payment."""
    ctx, booking, order_id = status.ctx, status.booking, status.request.order_id
    amount, fee = status.attempt.amount or 0, status.attempt.fee
    if booking.status is BookingStatus.CANCELLED:
        await payment_notices.paid_after_cancel(ctx, booking, order_id, amount=amount)
        return
    first = booking.status is BookingStatus.PENDING
    if first:
        refusal = await _hold_again(ctx, booking)
        if refusal is not None:
            await slot_lost.offer_choices(ctx, booking, order_id, refusal, amount=amount)
            return
        bookings.confirm(ctx, booking, actor=Actor.MIDTRANS)
    await invoices.issue(ctx, booking)
    paper = await receipts.to_send(ctx.session, booking)
    await payment_notices.paid(ctx, booking, order_id, amount=amount, fee=fee, first=first, paper=paper)


async def _hold_again(ctx: Context, booking: Booking) -> Refusal | None:
    """Take a lost slot again, or give up one that has become impossible; returns the refusal where it has none."""
    if booking.holding:
        impossible = await obstacles.of_booking(ctx, booking)
        if impossible is not None:
            await holds.exchange(ctx, leaving=[booking])
            booking.hold_until = None
        return impossible
    booking_id = booking.id
    try:
        async with ctx.session.begin_nested():
            await bookings.hold_again(ctx, booking)
    except Refusal as refusal:
        await lock_booking(ctx.session, booking_id)  # load what the rollback restored
        return refusal
    return None


async def _refund_excess(status: ConfirmedStatus, amount: Money, *, twice: bool) -> None:
    """Refund money that nobody asked for: for a cancelled booking, a second time, or beyond the total."""
    ctx, booking = status.ctx, status.booking
    if booking.status is BookingStatus.CANCELLED:
        await refund(ctx, booking, amount, reason=RefundReason.LATE)
        return
    excess = amount if twice else booking.paid_amount - booking.total_price
    if excess > 0 and not twice:
        excess -= booking.going_back
    if excess > 0 and await refund(ctx, booking, excess, reason=RefundReason.OVERPAID):
        key = f"overpaid:{status.attempt.transaction_id}"
        await payment_notices.overpaid(ctx, booking, over=excess, key=key)


# --- not received --------------------------------------------------------------------------------


async def _attempt_ended(status: ConfirmedStatus) -> Outcome:
    """End the request too, unless another attempt has paid it or can still do so."""
    attempt, request = status.attempt, status.request
    if attempt.status == "cancel" and attempt.method == "credit_card":
        charged = reversals.balance(await status.attempt_entries())
        if charged > 0:
            return await reversals.voided(status)
    if request.state not in OPEN_STATES:
        return Outcome.IGNORED
    meanings = await known_meanings(status.ctx.session, request.order_id)
    if any(meaning in midtrans_status.PAYABLE for meaning in meanings.values()):
        return Outcome.OTHER_ATTEMPT_OPEN
    state = RequestState.EXPIRED if attempt.status == "expire" else RequestState.FAILED
    await _end(status.ctx, request, status.booking, state)
    return Outcome.ENDED


async def _end(ctx: Context, request: PaymentRequest, booking: Booking, state: RequestState) -> None:
    if booking.status is BookingStatus.CANCELLED:
        await withdraw_requests(ctx, booking)
        return
    request.state, request.due_at = state, None
    bookings.record_event(ctx, booking, EventKind(f"payment_{state}"), actor=Actor.SYSTEM, order_id=request.order_id)
    await end_holds(ctx)
    await update_totals(ctx.session, booking)
    await payment_notices.payment_ended(ctx, booking, request)
