"""The worker's side of a refund: what to ask of Midtrans after a status call, and what its answer means."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db import leases
from core.db.tables import Booking, LedgerEntry, PaymentAttempt, Refund
from core.messaging.backoff import retry_at
from core.messaging.messages import say
from core.money import Money
from core.notices.tell import alert_admins
from core.payment import ledger, refund_notices
from core.payment.refunds import apply_return, lock_refund
from core.states import Actor, LedgerKind, RefundState

REFUSED_AGAIN = timedelta(hours=1)
"""When to ask again after a refusal: a card settles overnight, ShopeePay refunds nothing at night."""
GIVE_UP_AFTER = timedelta(days=3)
"""After so long of refusals staff transfers it by hand."""


class RefundCall(StrEnum):
    REFUND = "refund"
    VOID = "void"  # a charged card that hasn't settled, all of whose money goes back
    WAIT = "wait"  # a charged card that hasn't settled, part of whose money goes back


async def claim_refunds(session: AsyncSession, *, now: datetime, limit: int) -> list[Refund]:
    """Claim the refunds that Midtrans must be asked for now, for `leases.LEASE`."""
    return list((await leases.claim(session, _CLAIM, now=now, limit=limit)).all())


async def next_refund_call(session: AsyncSession, key: str) -> tuple[Refund, RefundCall] | None:
    """What to ask of Midtrans once the attempt's status was settled; None: nothing any more."""
    refund, booking = await lock_refund(session, key)
    if refund.state is not RefundState.WANTED:
        return None
    attempt = await session.get(PaymentAttempt, refund.transaction_id)
    if attempt is None or attempt.status != "capture":
        return refund, RefundCall.REFUND
    balances = await ledger.balances(session, booking)
    whole = any((each.transaction_id, each.left) == (refund.transaction_id, refund.amount) for each in balances)
    return refund, RefundCall.VOID if whole else RefundCall.WAIT


async def refund_sent(ctx: Context, key: str, evidence: Mapping[str, object], *, amount: Money) -> None:
    """Enter the `amount` that Midtrans was asked to refund, unless a notification has reported it before.

    The refund may have become smaller during the call. If another amount was entered under its key before, Midtrans
    has sent nothing now, and staff transfers it.
    """
    refund, booking = await lock_refund(ctx.session, key)
    assert refund.transaction_id is not None  # Midtrans is only asked for money that came by an attempt
    attempt = await ctx.session.get_one(PaymentAttempt, refund.transaction_id)
    new = await ledger.enter_money(
        ctx,
        booking,
        LedgerKind.REFUNDED,
        -amount,
        actor=Actor.MIDTRANS,
        reference=key,
        order_id=refund.order_id,
        transaction_id=refund.transaction_id,
        method=attempt.method,
        evidence=evidence,
    )
    if new:
        await _apply(ctx, booking, refund, amount)
    elif refund.state is RefundState.WANTED:
        await _entered_before(ctx, booking, refund)


async def refund_refused(ctx: Context, key: str, reason: str, *, for_good: bool) -> None:
    """Ask again in an hour; for good, or after `GIVE_UP_AFTER`, let staff transfer it."""
    refund, booking = await lock_refund(ctx.session, key)
    if refund.state is not RefundState.WANTED:
        return
    refund.attempts += 1
    refund.error = reason
    refund.due_at = ctx.now + REFUSED_AGAIN
    if for_good or ctx.now - refund.asked_at >= GIVE_UP_AFTER:
        await _transfer_by_hand(ctx, booking, refund)


async def refund_unclear(
    session: AsyncSession, key: str, reason: str, *, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Ask again soon where nobody knows whether it went; never transfer it by hand, since it could go twice."""
    refund, _ = await lock_refund(session, key)
    if refund.state is RefundState.WANTED:
        refund.attempts += 1
        refund.error = reason
        refund.due_at = retry_at(refund.attempts, now, jitter=jitter, after=after)


async def _transfer_by_hand(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Midtrans won't send it (`refund.error`): tell the admins why, and ask the customer for a bank account."""
    refund.state, refund.due_at = RefundState.BY_HAND, None
    what = say("staff.refund_refused", amount=refund.amount, reason=refund.error)
    await alert_admins(ctx, booking, f"refund-refused:{refund.key}", what)
    await refund_notices.ask_account(ctx, booking, refund)
    await refund_notices.task(ctx, booking, refund)


async def _entered_before(ctx: Context, booking: Booking, refund: Refund) -> None:
    under_its_key = (LedgerEntry.order_id == refund.order_id, LedgerEntry.reference == refund.key)
    entered = select(LedgerEntry.amount).where(LedgerEntry.kind == LedgerKind.REFUNDED, *under_its_key)
    if await ctx.session.scalar(entered) == -refund.amount:
        await _apply(ctx, booking, refund, refund.amount)
        return
    refund.error = "its refund_key was used for another amount"
    await _transfer_by_hand(ctx, booking, refund)


async def _apply(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> None:
    """Close the refund and tell the customer; tell the admins of money beyond what was still to be refunded."""
    key, transaction_id = refund.key, refund.transaction_id or ""
    if not await apply_return(ctx, booking, transaction_id, amount, key=key, tell=True):
        await alert_admins(ctx, booking, f"refunded:{key}:{refund.order_id}", say("staff.refunded", amount=amount))


_CLAIM = leases.claim_statement(Refund.key, Refund.due_at).returning(Refund)
