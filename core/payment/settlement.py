"""What Midtrans reports, acted upon: notifications kept, money entered once, requests closed.

    webhook ── note ──> PaymentNotification ── worker asks for the status ──> settle ──> LedgerEntry,
    clock   ── due_at ──────────────────────── worker asks for the status ──> look   ──> booking, notices

A notification only says "look": its signature doesn't cover the status, so the status answer decides.
`attempts.meaning` reads a status; below, and in `returns`, a function says what each meaning does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db import leases
from core.db.database import insert_once
from core.db.tables import Booking, BookingEvent, PaymentAttempt, PaymentNotification, PaymentRequest
from core.messaging.backoff import retry_at
from core.messaging.messages import say
from core.money import Money
from core.notices import payment_notices
from core.papers import invoices, receipts
from core.payment import midtrans_status, payment_requests, refunds, reversals, slot_lost
from core.payment.case import Case
from core.payment.midtrans_status import Attempt, Meaning
from core.refusals import Refusal
from core.schedule import bookings
from core.states import Actor, BookingStatus, EventKind, LedgerKind, Outcome, RefundReason, RequestState, check_move

PATIENCE = timedelta(hours=1)
"""How long after it came a notification is believed to know more than Midtrans' status."""
SKEW = timedelta(minutes=1)
"""How far the clocks of two processes may lie apart; what is known from a later moment was seen before a clock was set back."""
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def note(session: AsyncSession, body: Mapping[str, object], *, now: datetime) -> bool:
    """Keep a verified notification, once, to be acted on; False for an order that isn't ours or a repetition."""
    order_id = str(body["order_id"])
    if await session.get(PaymentRequest, order_id) is None:
        return False
    digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return await insert_once(
        session, PaymentNotification, order_id=order_id, digest=digest, body=body, received_at=now, due_at=now
    )


async def claim(session: AsyncSession, *, now: datetime, limit: int) -> list[str]:
    """Take the notifications that are due for `leases.LEASE`; the order_ids to ask Midtrans about."""
    orders = await leases.claim(session, _CLAIM, now=now, limit=limit)
    return sorted(set(orders))


async def answered(session: AsyncSession, order_id: str, *, outcomes: Sequence[Outcome], claimed_at: datetime) -> None:
    """The status was asked and acted on: what was claimed at that moment is done; what came in since isn't."""
    await session.execute(
        update(PaymentNotification)
        .where(
            PaymentNotification.order_id == order_id,
            PaymentNotification.due_at == claimed_at + leases.LEASE,
            PaymentNotification.attempts > 0,
        )
        .values(due_at=None, outcome="; ".join(outcomes))
    )


async def unanswered(
    session: AsyncSession, order_id: str, *, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Midtrans didn't tell the status: ask again later."""
    waiting = await session.scalars(
        select(PaymentNotification).where(
            PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None)
        )
    )
    for notification in waiting:
        notification.due_at = retry_at(max(1, notification.attempts), now, jitter=jitter, after=after)


async def is_behind(session: AsyncSession, order_id: str, outcomes: Sequence[Outcome], *, now: datetime) -> bool:
    """Whether Midtrans must be asked again, since a notification that came lately tells more than what is known now.

    An answer may be older than what was known (a clock was set back), or Midtrans' status behind its own notification.
    """
    asked_about = PaymentNotification.attempts > 0
    told = await _told(session, order_id, asked_about, PaymentNotification.received_at > now - PATIENCE)
    if told and Outcome.OUT_OF_DATE in outcomes:
        return True
    known = await _known(session, order_id)
    of_money = [each for each in told if each.meaning in _MONEY]
    return any(
        _HOW_FAR.get(known.get(each.transaction_id, Meaning.UNKNOWN), 0) < _HOW_FAR[each.meaning] for each in of_money
    )


async def other_attempts(session: AsyncSession, order_id: str, answer: Mapping[str, object] | None) -> list[str]:
    """The transaction_ids to ask about one by one, since a status by order_id answers for the newest attempt alone.

    These are the attempts known to wait, and those that a notification not acted on yet names; not where it
    only repeats that an attempt is over.
    """
    known = await _known(session, order_id)
    told = {each.transaction_id: each.meaning for each in await _told(session, order_id)}
    over = {name for name, meaning in told.items() if meaning in _OVER and known.get(name) is meaning}
    waiting = {name for name, meaning in known.items() if meaning in _LIVING}
    asked = {midtrans_status.read(answer).transaction_id} if answer is not None else set()
    return sorted(name for name in (set(told) - over | waiting) - asked if _TRANSACTION_ID.fullmatch(name))


async def _known(session: AsyncSession, order_id: str) -> Mapping[str, Meaning]:
    """What Midtrans' last confirmed word for each attempt of an order means."""
    kept = await session.scalars(select(PaymentAttempt).where(PaymentAttempt.order_id == order_id))
    return {attempt.transaction_id: midtrans_status.read(attempt.answer).meaning for attempt in kept}


async def _told(session: AsyncSession, order_id: str, *which: ColumnElement[bool]) -> list[Attempt]:
    """What the notifications of an order that aren't acted on yet say."""
    waiting = (PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None), *which)
    return [
        midtrans_status.read(body) for body in await session.scalars(select(PaymentNotification.body).where(*waiting))
    ]


async def settle(
    ctx: Context, order_id: str, answer: Mapping[str, object] | None, *, asked_at: datetime | None = None
) -> Outcome:
    """Act on Midtrans' status answer for a request (None: no attempt yet).

    `asked_at` (`now` when None): an answer older than the one that is known of its attempt says nothing.
    """
    if answer is None or await ctx.session.get(PaymentRequest, order_id) is None:
        return Outcome.NO_ATTEMPT
    request, booking = await payment_requests.locked_request(ctx.session, order_id)
    return await _act_on(Case(ctx, request, booking, midtrans_status.read(answer)), asked_at or ctx.now)


async def look(
    ctx: Context, order_id: str, answer: Mapping[str, object] | None, *, asked_at: datetime | None = None
) -> Outcome:
    """Our own clock asked about a request: settle what the status says; what is still open when its time is over expires."""
    request, booking = await payment_requests.locked_request(ctx.session, order_id)
    outcome = Outcome.NO_ATTEMPT
    if answer is not None:
        outcome = await _act_on(Case(ctx, request, booking, midtrans_status.read(answer)), asked_at or ctx.now)
    if request.state not in payment_requests.ALIVE:
        if request.state is not RequestState.CANCELLED:  # that one's link is still to be closed
            request.due_at = None
        return outcome
    if request.expires_at > ctx.now:
        request.due_at = payment_requests.next_look(request, ctx.now)
        return outcome
    await _end(ctx, request, booking, RequestState.EXPIRED)
    return Outcome.EXPIRED


async def _act_on(case: Case, asked_at: datetime) -> Outcome:
    order_id = case.request.order_id
    if case.attempt.order_id != order_id:
        await case.alert("wrong-order", say("staff.wrong_order", order_id=order_id))
        return Outcome.OTHER_ORDER
    if not await _keep(case, asked_at):
        return Outcome.OUT_OF_DATE
    match case.attempt.meaning:
        case Meaning.RECEIVED:
            return await _receive(case)
        case Meaning.CHALLENGED:
            return await _challenge(case)
        case Meaning.DENIED:
            return await reversals.reversed_by_bank(case)
        case Meaning.ENDED:
            return await _ended(case)
        case Meaning.REFUNDED:
            await _receive(case, there=False)
            return await reversals.refunded(case)
        case Meaning.CHARGED_BACK:
            await _receive(case, there=False)
            return await reversals.charged_back(case)
        case Meaning.WAITING:
            return Outcome.WAITING
        case Meaning.UNKNOWN:
            return Outcome.UNKNOWN_STATUS


async def _keep(case: Case, asked_at: datetime) -> bool:
    """Keep what is confirmed of an attempt now; False when something newer is known."""
    attempt = case.attempt
    told = {
        "status": attempt.status,
        "method": attempt.method,
        "amount": attempt.amount,
        "answer": dict(attempt.evidence),
        "changed_at": asked_at,
    }
    known = await case.ctx.session.get(PaymentAttempt, attempt.transaction_id)
    if known is None:
        identity = {"transaction_id": attempt.transaction_id, "order_id": attempt.order_id}
        case.ctx.session.add(PaymentAttempt(**identity, first_seen_at=case.ctx.now, **told))
        return True
    await case.ctx.session.refresh(known)
    if asked_at < known.changed_at <= case.ctx.now + SKEW:
        return False
    for name, value in told.items():
        setattr(known, name, value)
    return True


async def _receive(case: Case, *, there: bool = True) -> Outcome:
    """Money is entered, and confirms the booking where it is what was asked for, once, and still `there`.

    Money that went back had come in, even if nobody told us of it then.
    """
    outcome = await _take_in(case)
    if outcome is Outcome.RECEIVED and there:
        await _welcome(case)
    if outcome in (Outcome.RECEIVED, Outcome.SECOND_PAYMENT, Outcome.OTHER_AMOUNT):
        await _give_back(case, case.attempt.amount or 0, again=outcome is Outcome.SECOND_PAYMENT)
    return outcome


async def _take_in(case: Case) -> Outcome:
    """Enter whatever rupiah came in, so that the ledger is the money; staff hears of another amount than was asked for."""
    request, attempt = case.request, case.attempt
    mine = await reversals.of_attempt(case)
    if reversals.settled(mine):
        return Outcome.RECEIVED_BEFORE
    as_asked = (attempt.amount, attempt.currency) == (request.amount, "IDR")
    if not as_asked:
        reported = f"{attempt.currency} {attempt.evidence.get('gross_amount')}"
        what = say("staff.wrong_amount", order_id=request.order_id, reported=reported, amount=request.amount)
        await case.alert(f"wrong-amount:{attempt.transaction_id}", what)
    if not attempt.amount or attempt.amount < 0 or attempt.currency != "IDR":
        return Outcome.UNUSABLE_AMOUNT
    again = request.state is RequestState.PAID
    if not again:
        request.state, request.due_at = RequestState.PAID if as_asked else RequestState.FAILED, None
        await payment_requests.void(case.ctx, case.booking)  # what else is asked for asks for too much now
    number = sum(entry.kind is LedgerKind.RECEIVED for entry in mine) + 1
    await case.enter(LedgerKind.RECEIVED, reversals.numbered(attempt.transaction_id, number), attempt.amount)
    case.booking.paid_at = case.booking.paid_at or case.ctx.now
    if again:
        return Outcome.SECOND_PAYMENT
    return Outcome.RECEIVED if as_asked else Outcome.OTHER_AMOUNT


async def _give_back(case: Case, amount: Money, *, again: bool) -> None:
    """What nobody asked for is owed back at once: for a cancelled booking, a second time, or beyond the total."""
    booking = case.booking
    if booking.status is BookingStatus.CANCELLED:
        await refunds.owe(case.ctx, booking, amount, reason=RefundReason.LATE)
        return
    over = amount if again else booking.paid_amount - booking.total_price
    if over > 0 and not again:
        over -= booking.going_back
    if over > 0 and await refunds.owe(case.ctx, booking, over, reason=RefundReason.OVERPAID):
        key = f"overpaid:{case.attempt.transaction_id}"
        await payment_notices.overpaid(case.ctx, booking, over=over, key=key)


async def _welcome(case: Case) -> None:
    """Money came in: confirm the booking if it waits for that and still has, or gets, its place."""
    session, booking, request = case.ctx.session, case.booking, case.request
    if booking.status is BookingStatus.CANCELLED:
        await payment_notices.paid_after_cancel(case.ctx, booking, request)
        return
    first = booking.status is BookingStatus.PENDING
    if first and (why := await _no_place(case)) is not None:
        await slot_lost.place_gone(case.ctx, booking, request, why)
        return
    if first:
        check_move(booking.status, BookingStatus.CONFIRMED)
        booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
        case.log(EventKind.CONFIRMED)
    await invoices.issue(case.ctx, booking)
    paper = await receipts.to_send(session, booking)
    await payment_notices.paid(case.ctx, booking, request, first=first, paper=paper)


async def _no_place(case: Case) -> Refusal | None:
    """Why it can't have its place back; None where it still has, or gets it."""
    if case.booking.holding:
        return None
    try:
        async with case.ctx.session.begin_nested():
            await bookings.hold_again(case.ctx, case.booking)
    except Refusal as refusal:
        await payment_requests.locked(case.ctx.session, case.booking.id)  # as it was before the attempt
        return refusal
    return None


async def _challenge(case: Case) -> Outcome:
    if case.request.state is RequestState.PAID:
        return Outcome.IGNORED
    await case.alert("challenge", say("staff.challenge", order_id=case.request.order_id))
    return Outcome.CHALLENGED


async def _ended(case: Case) -> Outcome:
    """An attempt is over; its request with it, unless another attempt of it lives or has paid."""
    voids = case.attempt.status == "cancel" and case.attempt.method == "credit_card"
    if voids and reversals.left(await reversals.of_attempt(case)) > 0:
        return await reversals.voided(case)
    if case.request.state not in payment_requests.ALIVE:
        return Outcome.IGNORED
    if any(midtrans_status.read(each.answer).meaning in _LIVING for each in await case.attempts()):
        return Outcome.OTHER_ATTEMPT_OPEN
    expired = case.attempt.status == "expire"
    state = RequestState.EXPIRED if expired else RequestState.FAILED
    await _end(case.ctx, case.request, case.booking, state)
    return Outcome.ENDED


async def _end(ctx: Context, request: PaymentRequest, booking: Booking, state: RequestState) -> None:
    if booking.status is BookingStatus.CANCELLED:
        await payment_requests.void(ctx, booking)
        return
    request.state, request.due_at = state, None
    ctx.session.add(
        BookingEvent(
            booking_id=booking.id,
            at=ctx.now,
            kind=EventKind(f"payment_{state}"),
            actor=Actor.SYSTEM,
            detail={"order_id": request.order_id},
        )
    )
    await payment_requests.end_holds(ctx)
    await payment_requests.refresh(ctx.session, booking)
    await payment_notices.payment_ended(ctx, booking, request)


_LIVING = (Meaning.WAITING, Meaning.CHALLENGED)
_OVER = (Meaning.DENIED, Meaning.ENDED)
_MONEY = (Meaning.RECEIVED, Meaning.REFUNDED, Meaning.CHARGED_BACK)
_HOW_FAR = dict.fromkeys(_OVER, 1) | {Meaning.RECEIVED: 2, Meaning.REFUNDED: 3, Meaning.CHARGED_BACK: 3}
"""How far an attempt has come; what isn't here hasn't begun. Money overrides an end, and goes back after it came."""


_CLAIM = leases.claim_statement(
    PaymentNotification.id, PaymentNotification.due_at, attempts=PaymentNotification.attempts + 1
).returning(PaymentNotification.order_id)
