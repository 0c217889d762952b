"""Money that goes back: owed, asked of Midtrans or transferred by hand, entered in the ledger once it went.

    owe ──> WANTED ── the worker asks Midtrans (sending_back) ──────> DONE
              └── refused for good ──> BY_HAND ── transferred ───────> DONE

What is owed never exceeds what is left of the payment it came by. A refund's key is Midtrans' refund_key:
asking again under it never refunds twice, so whatever happened in between is found and not repeated. No key comes
again, even where a backup was put back: it names its moment.
"""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context, Work
from core.db.tables import Booking, BookingEvent, LedgerEntry, Refund
from core.money import Money
from core.payment import ledger, payment_requests, refund_notices
from core.payment.ledger import Pot
from core.payment.payment_methods import can_refund
from core.refusals import AlreadySentBack, NotFound
from core.states import RefundState

MIDTRANS = "midtrans"
"""Who sent back what no person transferred."""


async def owe(ctx: Context, booking: Booking, amount: Money, *, reason: str) -> list[Refund]:
    """Owe the customer `amount` of what came in, off the newest payments first; as much as isn't owed back already.

    `reason`: cancelled, overpaid, late or no_show. Where Midtrans can't send it back, the customer is
    asked for a bank account and the admins get the task; who is told why is the caller's to see to.
    """
    booking = await payment_requests.locked(ctx.session, booking.id)
    keys = await _fresh_keys(ctx, booking)
    made: list[Refund] = []
    for pot in await _unowed(ctx.session, booking):
        share = min(pot.left, amount - sum(each.amount for each in made))
        if share <= 0:
            continue
        made.append(_refund(next(keys), booking, pot, share, reason, ctx.now))
    ctx.session.add_all(made)
    await _counted(ctx.session, booking)
    for refund in made:
        await _begin(ctx, booking, refund)
    return made


async def transferred(ctx: Context, key: str, *, by: str) -> Refund:
    """Record that `by`, of the staff, transferred a refund: entered once, the customer is told.

    Raises `NotFound`, and `AlreadySentBack` unless it waits to be done by hand.
    """
    refund, booking = await locked(ctx.session, key)
    if refund.state is not RefundState.BY_HAND:
        raise AlreadySentBack
    await ledger.enter(
        ctx,
        booking,
        "refunded",
        -refund.amount,
        reference=f"{key}-transfer",
        order_id=refund.order_id,
        transaction_id=refund.transaction_id,
        method="transfer",
        evidence={"transferred_by": by, "account": refund.bank_account},
    )
    _note(ctx, booking, refund.amount, actor=by)
    await _close(ctx, booking, refund, by=by)
    await refund_notices.went_back(ctx, booking, refund)
    return refund


async def send_to(ctx: Context, key: str, account: str) -> Refund:
    """Note where the customer wants it transferred to; the admins get the task with it. Raises as `transferred` does."""
    refund, booking = await locked(ctx.session, key)
    if refund.state is not RefundState.BY_HAND:
        raise AlreadySentBack
    refund.bank_account = account
    await refund_notices.task(ctx, booking, refund)
    return refund


async def ask_again(ctx: Context, key: str) -> Refund:
    """Ask the customer once more where to transfer it to. Raises as `transferred` does."""
    refund, booking = await locked(ctx.session, key)
    if refund.state is not RefundState.BY_HAND:
        raise AlreadySentBack
    await refund_notices.ask_account(ctx, booking, refund)
    return refund


async def covered(
    ctx: Context, booking: Booking, transaction_id: str, amount: Money, *, key: str | None, tell: bool
) -> bool:
    """Midtrans reports that `amount` of an attempt's money went back; whether under the key of a refund of ours.

    That refund is done then; what came short of it is owed under another key. Money that went any other way counts
    against what is owed of the attempt: first the refund of the same amount, then the oldest. `tell`: the customer is
    told of what is done.
    """
    ours = await ctx.session.get(Refund, key) if key else None
    if ours is not None and ours.booking_id == booking.id:
        amount -= await _arrived(ctx, booking, ours, amount)
        if not amount:
            return True
    owed = await _open_of(ctx.session, booking, transaction_id)
    for refund in sorted(owed, key=lambda each: each.amount != amount):
        if amount < refund.amount:
            refund.amount -= amount
            await _counted(ctx.session, booking)
            break
        amount -= refund.amount
        await _close(ctx, booking, refund, by=MIDTRANS)
        if tell:
            await refund_notices.went_back(ctx, booking, refund)
        if not amount:
            break
    return False


async def asked_for(session: AsyncSession, booking: Booking, transaction_id: str, amount: Money) -> Refund | None:
    """The open refund of so much of an attempt's money."""
    return next((each for each in await _open_of(session, booking, transaction_id) if each.amount == amount), None)


async def of_booking(session: AsyncSession, booking: Booking) -> Sequence[Refund]:
    """A booking's refunds, the oldest first."""
    found = await session.scalars(
        select(Refund).where(Refund.booking_id == booking.id).order_by(Refund.asked_at, Refund.key)
    )
    return found.all()


async def without_account(session: AsyncSession, customer_id: int) -> Refund | None:
    """The customer's newest refund that waits for the account it is to be transferred to."""
    return await session.scalar(
        select(Refund)
        .join(Booking, Booking.id == Refund.booking_id)
        .where(Booking.customer_id == customer_id, Refund.state == RefundState.BY_HAND, Refund.bank_account.is_(None))
        .order_by(Refund.asked_at.desc(), Refund.key.desc())
        .limit(1)
    )


async def open_ones(session: AsyncSession, *, limit: int, offset: int = 0) -> list[tuple[Refund, Booking]]:
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


async def load(session: AsyncSession, key: str) -> tuple[Refund, Booking]:
    """A refund with its booking; raises `NotFound`."""
    refund = await session.get(Refund, key)
    if refund is None:
        raise NotFound
    return refund, await session.get_one(Booking, refund.booking_id)


async def locked(session: AsyncSession, key: str) -> tuple[Refund, Booking]:
    """A refund and its booking as they stand now, both to be written."""
    refund, booking = await load(session, key)
    booking = await payment_requests.locked(session, booking.id)
    await session.refresh(refund)
    return refund, booking


async def _fresh_keys(ctx: Context, booking: Booking) -> Iterator[str]:
    """Keys under which nothing was owed or sent back yet, by our books and, whatever they have forgotten, by the clock."""
    owed = await ctx.session.scalars(select(Refund.key).where(Refund.booking_id == booking.id))
    went = await ctx.session.scalars(select(LedgerEntry.reference).where(LedgerEntry.booking_id == booking.id))
    used = {*owed, *went}
    begin = f"REFUND-{ctx.shop.order_prefix}-{booking.code.replace('-', '')}-{int(ctx.now.timestamp()):X}"
    return (key for number in itertools.count(1) if (key := f"{begin}-{number}") not in used)


async def _unowed(session: AsyncSession, booking: Booking) -> list[Pot]:
    """What is left of each payment and not owed back yet, the newest first."""
    owed: dict[tuple[str | None, str | None], Money] = {}
    for refund in await of_booking(session, booking):
        if refund.state is not RefundState.DONE:
            by = refund.order_id, refund.transaction_id
            owed[by] = owed.get(by, 0) + refund.amount
    return [
        Pot(pot.order_id, pot.transaction_id, pot.method, pot.left - owed.get((pot.order_id, pot.transaction_id), 0))
        for pot in await ledger.pots(session, booking)
    ]


def _refund(key: str, booking: Booking, pot: Pot, amount: Money, reason: str, now: datetime) -> Refund:
    by_midtrans = pot.transaction_id is not None and can_refund(pot.method)
    return Refund(
        key=key,
        booking_id=booking.id,
        order_id=pot.order_id,
        transaction_id=pot.transaction_id,
        amount=amount,
        reason=reason,
        state=RefundState.WANTED if by_midtrans else RefundState.BY_HAND,
        asked_at=now,
        due_at=now if by_midtrans else None,
    )


async def _begin(ctx: Context, booking: Booking, refund: Refund) -> None:
    if refund.state is RefundState.WANTED:
        ctx.effects.work.add(Work.PAYMENTS)
        return
    if refund.bank_account is None:
        await refund_notices.ask_account(ctx, booking, refund)
    await refund_notices.task(ctx, booking, refund)


async def _arrived(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> Money:
    """Midtrans sent so much back under its key; how much of that was the refund's.

    Staff must know where it was theirs to transfer, or was transferred already.
    """
    if refund.state is RefundState.DONE:
        await refund_notices.twice(ctx, booking, refund, amount)
        return amount
    rest = await _cut(ctx, booking, refund, amount) if amount < refund.amount else None
    if refund.state is RefundState.BY_HAND:
        await refund_notices.no_transfer(ctx, booking, refund)
    await _close(ctx, booking, refund, by=MIDTRANS)
    await refund_notices.went_back(ctx, booking, refund)
    if rest is not None:
        await _begin(ctx, booking, rest)
    return refund.amount


async def _cut(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> Refund:
    """Leave a refund so much of its amount; the rest, which is owed under another key, as its key is spent."""
    rest = Refund(
        key=next(await _fresh_keys(ctx, booking)),
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


async def _close(ctx: Context, booking: Booking, refund: Refund, *, by: str) -> None:
    refund.state, refund.due_at, refund.error = RefundState.DONE, None, None
    refund.done_at, refund.done_by = ctx.now, by
    await _counted(ctx.session, booking)


async def _counted(session: AsyncSession, booking: Booking) -> None:
    """What is owed back has changed: so has what remains to be paid."""
    await session.flush()
    await payment_requests.refresh(session, booking)


async def _open_of(session: AsyncSession, booking: Booking, transaction_id: str) -> list[Refund]:
    """What is owed of an attempt's money, the oldest first."""
    return [
        each
        for each in await of_booking(session, booking)
        if each.transaction_id == transaction_id and each.state is not RefundState.DONE
    ]


def _note(ctx: Context, booking: Booking, amount: Money, *, actor: str) -> None:
    ctx.session.add(
        BookingEvent(booking_id=booking.id, at=ctx.now, kind="refunded", actor=actor, detail={"amount": amount})
    )
