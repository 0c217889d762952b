"""Refunds, by Midtrans (`refund_requests`) or, where it refuses or can't, by a bank transfer that staff makes.

The ledger's entry is made when the money goes. Refunds never exceed what is left of the payment they are taken off.
A refund's key is Midtrans' refund_key: asked again under the same key, Midtrans never refunds twice. Keys contain the
time, so that none is used again after a backup was restored.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context, Work
from core.db.tables import Booking, LedgerEntry, Refund
from core.messaging.messages import say
from core.money import Money
from core.notices.tell import alert_admins
from core.payment import ledger, refund_notices
from core.payment.ledger import PaymentBalance
from core.payment.payment_methods import can_refund
from core.payment.totals import lock_booking, update_totals
from core.refusals import AlreadySentBack, NotFound
from core.states import Actor, LedgerKind, RefundReason, RefundState


async def refund(ctx: Context, booking: Booking, amount: Money, *, reason: RefundReason) -> list[Refund]:
    """Refund `amount`, or what is left to refund if that is less, off the newest payments first.

    Where Midtrans can't refund, the customer is asked for a bank account and the admins get the task. The notice that
    says why is the caller's.
    """
    booking = await lock_booking(ctx.session, booking.id)
    keys = await _unused_keys(ctx, booking)
    made: list[Refund] = []
    for payment in await _refundable(ctx.session, booking):
        share = min(payment.left, amount - sum(each.amount for each in made))
        if share <= 0:
            continue
        by_midtrans = payment.transaction_id is not None and can_refund(payment.method)
        new = Refund(
            key=next(keys),
            booking_id=booking.id,
            order_id=payment.order_id,
            transaction_id=payment.transaction_id,
            amount=share,
            reason=reason,
            state=RefundState.WANTED if by_midtrans else RefundState.BY_HAND,
            asked_at=ctx.now,
            due_at=ctx.now if by_midtrans else None,
        )
        made.append(new)
    ctx.session.add_all(made)
    await update_totals(ctx.session, booking)
    for each in made:
        await _begin(ctx, booking, each)
    return made


async def record_transfer(ctx: Context, key: str, *, by: str) -> Refund:
    """Record that the staff member `by` transferred a refund, and tell the customer.

    Raises `NotFound`, and `AlreadySentBack` unless it is to be transferred by hand.
    """
    refund, booking = await _lock_transfer(ctx.session, key)
    await ledger.enter_money(
        ctx,
        booking,
        LedgerKind.REFUNDED,
        -refund.amount,
        actor=by,
        reference=f"{key}-transfer",
        order_id=refund.order_id,
        transaction_id=refund.transaction_id,
        method="transfer",
        evidence={"transferred_by": by, "account": refund.bank_account},
    )
    await _close(ctx, booking, refund, by=by)
    await refund_notices.went_back(ctx, booking, refund)
    return refund


async def set_refund_account(ctx: Context, key: str, account: str) -> Refund:
    """Store the customer's bank account, and send the admins the task with it. Raises what `record_transfer` does."""
    refund, booking = await _lock_transfer(ctx.session, key)
    refund.bank_account = account
    await refund_notices.task(ctx, booking, refund)
    return refund


async def ask_refund_account(ctx: Context, key: str) -> Refund:
    """Ask the customer for a bank account again. Raises what `record_transfer` does."""
    refund, booking = await _lock_transfer(ctx.session, key)
    await refund_notices.ask_account(ctx, booking, refund)
    return refund


async def refunds_of(session: AsyncSession, booking: Booking) -> Sequence[Refund]:
    """The oldest first."""
    found = await session.scalars(
        select(Refund).where(Refund.booking_id == booking.id).order_by(Refund.asked_at, Refund.key)
    )
    return found.all()


async def refund_without_account(session: AsyncSession, customer_id: int) -> Refund | None:
    """The customer's newest refund that lacks the bank account to transfer it to."""
    return await session.scalar(
        select(Refund)
        .join(Booking, Booking.id == Refund.booking_id)
        .where(Booking.customer_id == customer_id, Refund.state == RefundState.BY_HAND, Refund.bank_account.is_(None))
        .order_by(Refund.asked_at.desc(), Refund.key.desc())
        .limit(1)
    )


async def open_refunds(session: AsyncSession, *, limit: int, offset: int = 0) -> list[tuple[Refund, Booking]]:
    """The refunds that aren't done, with their bookings, the oldest first."""
    found = await session.execute(
        select(Refund, Booking)
        .join(Booking, Booking.id == Refund.booking_id)
        .where(Refund.state != RefundState.DONE)
        .order_by(Refund.asked_at, Refund.key)
        .limit(limit)
        .offset(offset)
    )
    return [(refund, booking) for refund, booking in found]


async def load_refund(session: AsyncSession, key: str) -> tuple[Refund, Booking]:
    """A refund with its booking; raises `NotFound`."""
    refund = await session.get(Refund, key)
    if refund is None:
        raise NotFound
    return refund, await session.get_one(Booking, refund.booking_id)


# --- for the worker and for settlement -----------------------------------------------------------


async def lock_refund(session: AsyncSession, key: str) -> tuple[Refund, Booking]:
    """A refund and its locked booking, both as they are now; raises `NotFound`."""
    refund, booking = await load_refund(session, key)
    booking = await lock_booking(session, booking.id)
    await session.refresh(refund)
    return refund, booking


async def open_refunds_of(session: AsyncSession, booking: Booking, transaction_id: str) -> list[Refund]:
    """The open refunds of an attempt's money, the oldest first."""
    return [
        each
        for each in await refunds_of(session, booking)
        if each.transaction_id == transaction_id and each.state is not RefundState.DONE
    ]


async def apply_return(
    ctx: Context, booking: Booking, transaction_id: str, amount: Money, *, key: str | None, tell: bool
) -> bool:
    """Take money of an attempt that went back off its open refunds; whether it went under the key of a refund.

    That refund is done then; if less came back, the rest is refunded under another key. Other money is taken off the
    open refund of the same amount, or else off the oldest. `tell`: tell the customer which refunds are done.
    """
    named = await ctx.session.get(Refund, key) if key else None
    if named is not None and named.booking_id == booking.id:
        amount -= await _apply_to(ctx, booking, named, amount)
        if not amount:
            return True
    open_refunds = await open_refunds_of(ctx.session, booking, transaction_id)
    for refund in sorted(open_refunds, key=lambda each: each.amount != amount):
        if amount < refund.amount:
            refund.amount -= amount
            await update_totals(ctx.session, booking)
            break
        amount -= refund.amount
        await _close(ctx, booking, refund, by=Actor.MIDTRANS)
        if tell:
            await refund_notices.went_back(ctx, booking, refund)
        if not amount:
            break
    return False


async def _apply_to(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> Money:
    """Close a refund of which Midtrans sent `amount` back under its key; how much of that was still to be refunded.

    The admins are told where they were to transfer it, or have done so already.
    """
    if refund.state is RefundState.DONE:
        await alert_admins(ctx, booking, f"refund-twice:{refund.key}", say("staff.refund_twice", amount=amount))
        return amount
    rest = await _split(ctx, booking, refund, amount) if amount < refund.amount else None
    if refund.state is RefundState.BY_HAND:
        what = say("staff.refund_no_transfer", amount=refund.amount)
        await alert_admins(ctx, booking, f"refund-no-transfer:{refund.key}", what)
    await _close(ctx, booking, refund, by=Actor.MIDTRANS)
    await refund_notices.went_back(ctx, booking, refund)
    if rest is not None:
        await _begin(ctx, booking, rest)
    return refund.amount


async def _split(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> Refund:
    """Reduce a refund to `amount`; returns one of the rest under another key, as Midtrans takes each key once."""
    rest = Refund(
        key=next(await _unused_keys(ctx, booking)),
        booking_id=booking.id,
        order_id=refund.order_id,
        transaction_id=refund.transaction_id,
        amount=refund.amount - amount,
        reason=refund.reason,
        state=refund.state,
        bank_account=refund.bank_account,
        asked_at=ctx.now,
        due_at=ctx.now if refund.state is RefundState.WANTED else None,
    )
    ctx.session.add(rest)
    refund.amount = amount
    return rest


async def _lock_transfer(session: AsyncSession, key: str) -> tuple[Refund, Booking]:
    refund, booking = await lock_refund(session, key)
    if refund.state is not RefundState.BY_HAND:
        raise AlreadySentBack
    return refund, booking


async def _unused_keys(ctx: Context, booking: Booking) -> Iterator[str]:
    """Keys that neither a refund nor an entry has; the time makes them differ from keys that a restored backup lacks."""
    refunds = await ctx.session.scalars(select(Refund.key).where(Refund.booking_id == booking.id))
    entries = await ctx.session.scalars(select(LedgerEntry.reference).where(LedgerEntry.booking_id == booking.id))
    used = {*refunds, *entries}
    prefix = f"REFUND-{ctx.shop.order_prefix}-{booking.code.replace('-', '')}-{int(ctx.now.timestamp()):X}"
    return (key for number in itertools.count(1) if (key := f"{prefix}-{number}") not in used)


async def _refundable(session: AsyncSession, booking: Booking) -> list[PaymentBalance]:
    """What is left of each payment, without open refunds, the newest first."""
    owed: Counter[tuple[str | None, str | None]] = Counter()
    for each in await refunds_of(session, booking):
        if each.state is not RefundState.DONE:
            owed[each.order_id, each.transaction_id] += each.amount
    return [
        each._replace(left=each.left - owed[each.order_id, each.transaction_id])
        for each in await ledger.balances(session, booking)
    ]


async def _begin(ctx: Context, booking: Booking, refund: Refund) -> None:
    if refund.state is RefundState.WANTED:
        ctx.effects.work.add(Work.PAYMENTS)
        return
    if refund.bank_account is None:
        await refund_notices.ask_account(ctx, booking, refund)
    await refund_notices.task(ctx, booking, refund)


async def _close(ctx: Context, booking: Booking, refund: Refund, *, by: str) -> None:
    refund.state, refund.due_at, refund.error = RefundState.DONE, None, None
    refund.done_at, refund.done_by = ctx.now, by
    await update_totals(ctx.session, booking)
