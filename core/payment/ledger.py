"""The ledger: money that moved, each movement entered once; the database refuses to change or delete one.

    in    received, cash: each with its receipt (`receipts`)
    out   refunded, reversed, charged_back: taken off the attempt by which the money had come in

What a booking has paid is the sum of its entries, whatever anybody believes (`payments.refresh`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Booking, LedgerEntry
from core.money import Money
from core.papers import receipts
from core.payment import payment_requests
from core.states import LedgerKind

_IN = (LedgerKind.RECEIVED, LedgerKind.CASH)


@dataclass(frozen=True, slots=True)
class Pot:
    """The money that came in by one attempt to pay, or in cash (then both ids are None), and what is left of it."""

    order_id: str | None
    transaction_id: str | None
    method: str
    left: Money


async def enter(
    ctx: Context,
    booking: Booking,
    kind: LedgerKind,
    amount: Money,
    *,
    reference: str,
    order_id: str | None,
    transaction_id: str | None,
    method: str,
    evidence: Mapping[str, object],
) -> bool:
    """Enter money that moved, once per order, kind and reference, and let the booking follow; whether it was new.

    What comes in gets its receipt. The booking is locked (`payments.locked`); money that leaves is negative.
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
        await payment_requests.refresh(ctx.session, booking)
        if kind in _IN:
            await receipts.issue(ctx, booking, await _newest(ctx.session, booking))
    return new


async def pots(session: AsyncSession, booking: Booking) -> list[Pot]:
    """What is left of each payment of a booking, the newest first."""
    entries = await session.scalars(
        select(LedgerEntry).where(LedgerEntry.booking_id == booking.id).order_by(LedgerEntry.id)
    )
    methods: dict[tuple[str | None, str | None], str] = {}
    left: dict[tuple[str | None, str | None], Money] = {}
    for entry in entries:
        by = entry.order_id, entry.transaction_id
        left[by] = left.get(by, 0) + entry.amount
        if entry.kind in _IN:
            methods.pop(by, None)
            methods[by] = entry.method  # in the order of the newest money in
    return [Pot(*by, method, left[by]) for by, method in reversed(methods.items())]


async def _newest(session: AsyncSession, booking: Booking) -> LedgerEntry:
    newest = select(LedgerEntry).where(LedgerEntry.booking_id == booking.id).order_by(LedgerEntry.id.desc()).limit(1)
    return (await session.scalars(newest)).one()
