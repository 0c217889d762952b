"""The ledger: money that moved, each movement entered once; the database refuses to change or delete an entry."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Booking, LedgerEntry
from core.money import Money
from core.papers import receipts
from core.payment.totals import update_totals
from core.schedule import bookings
from core.states import EventKind, LedgerKind

_MONEY_IN = (LedgerKind.RECEIVED, LedgerKind.CASH)


class PaymentBalance(NamedTuple):
    """What is left of the money that came in by one attempt, or in cash (then both ids are None)."""

    order_id: str | None
    transaction_id: str | None
    method: str
    left: Money


async def enter_money(
    ctx: Context,
    booking: Booking,
    kind: LedgerKind,
    amount: Money,
    *,
    actor: str,
    reference: str,
    order_id: str | None,
    transaction_id: str | None,
    method: str,
    evidence: Mapping[str, object],
) -> bool:
    """Enter money that moved (negative: out) once per order, kind and reference; whether the entry is new.

    The booking must be locked. A new entry updates its totals and its events, and issues a receipt for money in.
    """
    new = await insert_once(
        ctx.session,
        LedgerEntry,
        booking_id=booking.id,
        order_id=order_id,
        transaction_id=transaction_id,
        kind=kind,
        reference=reference,
        amount=amount,
        method=method,
        at=ctx.now,
        evidence=dict(evidence),
    )
    if new:
        await update_totals(ctx.session, booking)
        bookings.record_event(ctx, booking, EventKind(kind), actor=actor, amount=amount, order_id=order_id)
        if kind in _MONEY_IN:
            newest = select(LedgerEntry).where(LedgerEntry.booking_id == booking.id).order_by(LedgerEntry.id.desc())
            await receipts.issue(ctx, booking, (await ctx.session.scalars(newest.limit(1))).one())
    return new


async def balances(session: AsyncSession, booking: Booking) -> list[PaymentBalance]:
    """What is left of each payment of a booking, the newest first."""
    entries = await session.scalars(
        select(LedgerEntry).where(LedgerEntry.booking_id == booking.id).order_by(LedgerEntry.id)
    )
    methods: dict[tuple[str | None, str | None], str] = {}
    left: dict[tuple[str | None, str | None], Money] = {}
    for entry in entries:
        by = entry.order_id, entry.transaction_id
        left[by] = left.get(by, 0) + entry.amount
        if entry.kind in _MONEY_IN:
            methods.pop(by, None)
            methods[by] = entry.method  # in the order of the newest money in
    return [PaymentBalance(*by, method, left[by]) for by, method in reversed(methods.items())]
