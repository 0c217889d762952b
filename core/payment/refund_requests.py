"""The worker's side of a refund: what to ask of Midtrans, and what its answer means.

claim ──> status asked and settled ──> next_deed ──> REFUND or VOID asked ──┬──> went
                                          └─ WAIT                           ├──> refused: later, at last by hand
                                                                            └──> unclear: later, the same key
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db import leases
from core.db.tables import Booking, BookingEvent, LedgerEntry, PaymentAttempt, Refund
from core.messaging.backoff import retry_at
from core.messaging.messages import say
from core.money import Money
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment import ledger, refund_notices, refunds
from core.states import Actor, EventKind, LedgerKind, RefundState

REFUSED_AGAIN = timedelta(hours=1)
"""How long a no is waited out: a card settles overnight, ShopeePay refunds nothing at night."""
PATIENCE = timedelta(days=3)
"""After so long of nothing but noes it is transferred by hand."""


class Deed(StrEnum):
    """What to ask of Midtrans for a refund."""

    REFUND = "refund"
    VOID = "void"  # a charged card that hasn't settled, all of whose money goes back
    WAIT = "wait"  # a charged card that hasn't settled, part of whose money goes back


async def claim(session: AsyncSession, *, now: datetime, limit: int) -> list[Refund]:
    """Take the refunds that Midtrans must be asked for now, for `leases.LEASE`."""
    claimed = await leases.claim(session, _CLAIM, now=now, limit=limit)
    return list(claimed.all())


async def next_deed(session: AsyncSession, key: str) -> tuple[Refund, Deed] | None:
    """What to ask of Midtrans, after the attempt's status was settled; None: nothing any more."""
    refund, booking = await refunds.locked(session, key)
    if refund.state is not RefundState.WANTED:
        return None
    attempt = await session.get(PaymentAttempt, refund.transaction_id)
    if attempt is None or attempt.status != "capture":
        return refund, Deed.REFUND
    pots = await ledger.pots(session, booking)
    whole = any((pot.transaction_id, pot.left) == (refund.transaction_id, refund.amount) for pot in pots)
    return refund, Deed.VOID if whole else Deed.WAIT


async def went(ctx: Context, key: str, evidence: Mapping[str, object], *, amount: Money) -> None:
    """Midtrans sent back the `amount` that was asked for: entered once (a notification may have told it before).

    Less may be owed by now, as some went another way while Midtrans was asked. Where another amount went under its key
    before, nothing has gone now: staff transfers it.
    """
    refund, booking = await refunds.locked(ctx.session, key)
    assert refund.transaction_id is not None  # only what came by an attempt is asked of Midtrans
    attempt = await ctx.session.get_one(PaymentAttempt, refund.transaction_id)
    new = await ledger.enter(
        ctx,
        booking,
        LedgerKind.REFUNDED,
        -amount,
        reference=key,
        order_id=refund.order_id,
        transaction_id=refund.transaction_id,
        method=attempt.method,
        evidence=evidence,
    )
    if new:
        _note(ctx, booking, refund, amount)
        await _cover(ctx, booking, refund, amount)
    elif refund.state is RefundState.WANTED:
        await _entered_before(ctx, booking, refund)


async def refused(ctx: Context, key: str, reason: str, *, for_good: bool) -> None:
    """Midtrans said no: asked again in an hour; for good, or after `PATIENCE`, staff transfers it instead."""
    refund, booking = await refunds.locked(ctx.session, key)
    if refund.state is not RefundState.WANTED:
        return
    refund.attempts += 1
    refund.error = reason
    refund.due_at = ctx.now + REFUSED_AGAIN
    if for_good or ctx.now - refund.asked_at >= PATIENCE:
        await _by_hand(ctx, booking, refund)


async def unclear(
    session: AsyncSession, key: str, reason: str, *, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Nobody knows whether it went: asked again soon, and never by another way, lest it go twice."""
    refund, _ = await refunds.locked(session, key)
    if refund.state is RefundState.WANTED:
        refund.attempts += 1
        refund.error = reason
        refund.due_at = retry_at(refund.attempts, now, jitter=jitter, after=after)


async def _by_hand(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Midtrans won't send it (`refund.error`): staff is told why, and transfers it once the customer has named an account."""
    refund.state, refund.due_at = RefundState.BY_HAND, None
    await refund_notices.refused(ctx, booking, refund)
    await refund_notices.ask_account(ctx, booking, refund)
    await refund_notices.task(ctx, booking, refund)


async def _entered_before(ctx: Context, booking: Booking, refund: Refund) -> None:
    under_its_key = (LedgerEntry.order_id == refund.order_id, LedgerEntry.reference == refund.key)
    entered = select(LedgerEntry.amount).where(LedgerEntry.kind == LedgerKind.REFUNDED, *under_its_key)
    if await ctx.session.scalar(entered) == -refund.amount:
        await _cover(ctx, booking, refund, refund.amount)
        return
    refund.error = "its refund_key was used for another amount"
    await _by_hand(ctx, booking, refund)


async def _cover(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> None:
    """The refund is done, the customer is told; staff hears of more than was still owed."""
    key, transaction_id = refund.key, refund.transaction_id or ""
    if not await refunds.covered(ctx, booking, transaction_id, amount, key=key, tell=True):
        news = alert(booking, say("staff.refunded", amount=amount))
        await tell(ctx, booking, f"refunded:{key}:{refund.order_id}", admins=news)


def _note(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> None:
    detail = {"amount": -amount, "order_id": refund.order_id}
    ctx.session.add(
        BookingEvent(booking_id=booking.id, at=ctx.now, kind=EventKind.REFUNDED, actor=Actor.MIDTRANS, detail=detail)
    )


_CLAIM = leases.claim_statement(Refund.key, Refund.due_at).returning(Refund)
