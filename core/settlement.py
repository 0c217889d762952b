"""What Midtrans reports, acted upon: notifications kept, money entered once, requests closed.

    webhook ── note ──> PaymentNotification ── worker asks for the status ──> settle ──> LedgerEntry,
    clock   ── due_at ──────────────────────── worker asks for the status ──> look   ──> booking, notices

A notification only says "look": its signature doesn't cover the status, so the status answer decides.
`attempts.meaning` reads a status; below, a function says what each meaning does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Executable, Integer, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import attempts, bookings, invoices, ledger, notices, payments
from core.attempts import Attempt, Meaning, Return
from core.database import insert_once
from core.messages import Say, say
from core.money import Money
from core.outbox import retry_at
from core.refusals import Refusal
from core.shop import Shop
from core.states import BookingStatus, RequestState, check_move
from core.tables import Booking, BookingEvent, LedgerEntry, Moment, PaymentNotification, PaymentRequest

LEASE = timedelta(minutes=1)


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
    """Take the notifications that are due for `LEASE`; the order_ids to ask Midtrans about."""
    orders = await session.scalars(_CLAIM, {"now": now, "leased_until": now + LEASE, "most": limit})
    return sorted(set(orders))


async def answered(session: AsyncSession, order_id: str, *, outcome: str, claimed_at: datetime) -> None:
    """The status was asked and acted on: what had come in before that is done."""
    await session.execute(
        update(PaymentNotification)
        .where(
            PaymentNotification.order_id == order_id,
            PaymentNotification.due_at.is_not(None),
            PaymentNotification.received_at <= claimed_at,
        )
        .values(due_at=None, outcome=outcome)
    )


async def unanswered(session: AsyncSession, order_id: str, *, jitter: float, now: datetime) -> None:
    """Midtrans didn't tell the status: ask again later."""
    waiting = await session.scalars(
        select(PaymentNotification).where(
            PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None)
        )
    )
    for notification in waiting:
        notification.due_at = retry_at(max(1, notification.attempts), now, jitter=jitter)


async def settle(
    session: AsyncSession, order_id: str, answer: Mapping[str, object] | None, *, shop: Shop, now: datetime
) -> str:
    """Act on Midtrans' status answer for a request (None: no attempt yet); returns the outcome in a few words."""
    request = await session.get(PaymentRequest, order_id)
    if request is None or answer is None:
        return "nothing"
    booking = await payments.locked(session, request.booking_id)
    await session.refresh(request)
    case = _Case(session, request, booking, attempts.read(answer), shop, now)
    if case.attempt.order_id != order_id:
        await case.alert("wrong-order", say("staff.wrong_order", order_id=order_id))
        return "another order"
    match case.attempt.meaning:
        case Meaning.RECEIVED:
            return await _receive(case)
        case Meaning.CHALLENGED:
            return await _challenge(case)
        case Meaning.DENIED:
            return await _deny(case)
        case Meaning.ENDED:
            return await _ended(case)
        case Meaning.REFUNDED:
            return await _money_back(case, "refunded")
        case Meaning.CHARGED_BACK:
            return await _money_back(case, "charged_back")
        case Meaning.WAITING:
            return "waiting"
        case Meaning.UNKNOWN:
            return f"unknown status {case.attempt.status}"


async def look(
    session: AsyncSession, order_id: str, answer: Mapping[str, object] | None, *, shop: Shop, now: datetime
) -> str:
    """Our own clock asked about a request: settle what the status says; what is still open when its time is over expires."""
    outcome = await settle(session, order_id, answer, shop=shop, now=now)
    request = await session.get_one(PaymentRequest, order_id)
    if request.state not in payments.ALIVE:
        return outcome
    if request.expires_at > now:
        request.due_at = payments.next_look(request, now)
        return outcome
    booking = await payments.locked(session, request.booking_id)
    await _end(session, request, booking, RequestState.EXPIRED, now=now)
    return "expired"


@dataclass(frozen=True, slots=True)
class _Case:
    """One status answer with all it is about."""

    session: AsyncSession
    request: PaymentRequest
    booking: Booking
    attempt: Attempt
    shop: Shop
    now: datetime

    async def entries(self, kind: str) -> list[LedgerEntry]:
        """What the ledger holds of this request, of one kind."""
        found = await self.session.scalars(
            select(LedgerEntry).where(LedgerEntry.order_id == self.request.order_id, LedgerEntry.kind == kind)
        )
        return list(found)

    async def enter(self, kind: str, reference: str, amount: Money) -> bool:
        """Enter money in the ledger, once; whether it was new."""
        new = await ledger.enter(
            self.session,
            self.booking,
            kind,
            amount,
            reference=reference,
            order_id=self.request.order_id,
            transaction_id=self.attempt.transaction_id,
            method=self.attempt.method,
            evidence=self.attempt.evidence,
            now=self.now,
        )
        if new:
            self.log(kind, amount=amount, order_id=self.request.order_id)
        return new

    def log(self, kind: str, **detail: object) -> None:
        """Put it on the booking's time line."""
        event = BookingEvent(booking_id=self.booking.id, at=self.now, kind=kind, actor="midtrans", detail=detail)
        self.session.add(event)

    async def alert(self, cause: str, what: Say) -> None:
        """Tell the admins, once per request and cause."""
        key = f"{cause}:{self.request.order_id}"
        await notices.alert(self.session, self.booking, what, key=key, shop=self.shop, now=self.now)


async def _receive(case: _Case) -> str:
    request, booking, attempt = case.request, case.booking, case.attempt
    receipts = await case.entries("received")
    if any(receipt.reference == attempt.transaction_id for receipt in receipts):
        return "received before"
    if receipts:
        what = say("staff.second_payment", order_id=request.order_id, transaction=attempt.transaction_id)
        await case.alert(f"second-payment:{attempt.transaction_id}", what)
        return "second payment"
    if (attempt.amount, attempt.currency) != (request.amount, "IDR"):
        reported = f"{attempt.currency} {attempt.evidence.get('gross_amount')}"
        what = say("staff.wrong_amount", order_id=request.order_id, reported=reported, amount=request.amount)
        await case.alert("wrong-amount", what)
        return "wrong amount"
    request.state, request.due_at = RequestState.PAID, None
    await payments.void(case.session, booking, now=case.now)  # whatever else is asked for asks for too much now
    await case.enter("received", attempt.transaction_id, request.amount)
    booking.paid_at = booking.paid_at or case.now
    await _welcome(case)
    if (over := booking.paid_amount - booking.total_price) > 0:
        await notices.overpaid(
            case.session, booking, request, over=min(over, request.amount), shop=case.shop, now=case.now
        )
    return "received"


async def _welcome(case: _Case) -> None:
    """Money came in: confirm the booking if it waits for that and still has, or gets, its place."""
    session, booking, request = case.session, case.booking, case.request
    if booking.status is BookingStatus.CANCELLED:
        await notices.paid_after_cancel(session, booking, request, shop=case.shop, now=case.now)
        return
    first = booking.status is BookingStatus.PENDING
    if first and not await _has_place(case):
        near = await bookings.nearest_free(
            session,
            booking.starts_at,
            booking.minutes,
            shop=case.shop,
            now=case.now,
            technician_id=booking.technician_id,
        )
        await notices.seat_gone(session, booking, request, near=near, shop=case.shop, now=case.now)
        return
    if first:
        check_move(booking.status, BookingStatus.CONFIRMED)
        booking.status, booking.hold_until = BookingStatus.CONFIRMED, None
        case.log("confirmed")
    await invoices.issue(session, booking, shop=case.shop, now=case.now)
    await notices.paid(session, booking, request, first=first, shop=case.shop, now=case.now)


async def _has_place(case: _Case) -> bool:
    if case.booking.holding:
        return True
    try:
        async with case.session.begin_nested():
            await bookings.hold_again(case.session, case.booking, shop=case.shop, now=case.now)
    except Refusal:
        await payments.locked(case.session, case.booking.id)  # as it was before the attempt
        return False
    return True


async def _challenge(case: _Case) -> str:
    if case.request.state is RequestState.PAID:
        return "ignored"
    await case.alert("challenge", say("staff.challenge", order_id=case.request.order_id))
    return "challenged"


async def _deny(case: _Case) -> str:
    """One attempt failed and the page stays open; or, if its money had come in, the bank takes it back."""
    transaction = case.attempt.transaction_id
    receipt = next((each for each in await case.entries("received") if each.reference == transaction), None)
    if receipt is None:
        return "attempt denied"
    case.request.state = RequestState.FAILED
    if not await case.enter("reversed", transaction, -receipt.amount):
        return "reversed before"
    await case.alert("reversed", say("staff.reversed", amount=receipt.amount))
    return "reversed"


async def _ended(case: _Case) -> str:
    if case.request.state not in payments.ALIVE:
        return "ignored"
    if await _another_attempt_lives(case):
        return "another attempt lives"
    expired = case.attempt.status == "expire"
    state = RequestState.EXPIRED if expired else RequestState.FAILED
    await _end(case.session, case.request, case.booking, state, now=case.now)
    return "ended"


async def _another_attempt_lives(case: _Case) -> bool:
    """Whether another attempt of this request was reported waiting, and never as over."""
    bodies = await case.session.scalars(
        select(PaymentNotification.body).where(PaymentNotification.order_id == case.request.order_id)
    )
    told: dict[str, set[Meaning]] = {}
    for attempt in map(attempts.read, bodies):
        told.setdefault(attempt.transaction_id, set()).add(attempt.meaning)
    told.pop(case.attempt.transaction_id, None)
    return any(Meaning.WAITING in each and not each & {Meaning.DENIED, Meaning.ENDED} for each in told.values())


async def _money_back(case: _Case, kind: str) -> str:
    """Refunds and chargebacks, each once by its key; without a list, whatever is left of the request's money."""
    left = sum(each.amount for each in [*await case.entries("received"), *await case.entries(kind)])
    returned = case.attempt.returned or (Return("", left),)
    gone = 0
    for each in returned:
        reference = each.reference or case.attempt.transaction_id
        if each.amount and await case.enter(kind, reference, -each.amount):
            gone += each.amount
    if not gone:
        return f"{kind} before"
    await case.alert(f"{kind}:{case.booking.paid_amount}", say(f"staff.{kind}", amount=gone))
    return kind


async def _end(
    session: AsyncSession, request: PaymentRequest, booking: Booking, state: RequestState, *, now: datetime
) -> None:
    if booking.status is BookingStatus.CANCELLED:
        await payments.void(session, booking, now=now)
        return
    request.state, request.due_at = state, None
    session.add(
        BookingEvent(
            booking_id=booking.id,
            at=now,
            kind=f"payment_{state}",
            actor="system",
            detail={"order_id": request.order_id},
        )
    )
    await bookings.release_ended_holds(session, now=now)
    await payments.refresh(session, booking)
    await notices.payment_ended(session, booking, request, now=now)


def _claim_statement() -> Executable:
    due = (
        select(PaymentNotification.id)
        .where(PaymentNotification.due_at <= bindparam("now", type_=Moment()))
        .order_by(PaymentNotification.due_at)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(PaymentNotification)
        .where(PaymentNotification.id.in_(select(due.c.id)))
        .values(due_at=bindparam("leased_until", type_=Moment()), attempts=PaymentNotification.attempts + 1)
        .returning(PaymentNotification.order_id)
        .execution_options(synchronize_session=False)
    )


_CLAIM = _claim_statement()
"""Built once, as the outbox's is."""
