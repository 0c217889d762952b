"""What `settlement` and `reversals` act on: Midtrans' status of an attempt, with its request and booking."""

from dataclasses import dataclass

from sqlalchemy import select

from core.context import Context
from core.db.tables import Booking, LedgerEntry, PaymentNotification, PaymentRequest
from core.messaging.messages import Say
from core.money import Money
from core.notices.tell import alert_admins
from core.payment import ledger
from core.payment.midtrans_status import Attempt
from core.states import Actor, LedgerKind


@dataclass(frozen=True, slots=True)
class ConfirmedStatus:
    """The booking is locked."""

    ctx: Context
    request: PaymentRequest
    booking: Booking
    attempt: Attempt

    async def attempt_entries(self) -> list[LedgerEntry]:
        """Oldest first."""
        of_attempt = (
            LedgerEntry.order_id == self.request.order_id,
            LedgerEntry.transaction_id == self.attempt.transaction_id,
        )
        found = await self.ctx.session.scalars(select(LedgerEntry).where(*of_attempt).order_by(LedgerEntry.id))
        return list(found)

    async def enter(self, kind: LedgerKind, reference: str, amount: Money) -> None:
        """Enter money of this attempt in the ledger, once, with the answer and the notifications as evidence."""
        of_order = PaymentNotification.order_id == self.request.order_id
        notifications = await self.ctx.session.scalars(
            select(PaymentNotification.id).where(of_order).order_by(PaymentNotification.id)
        )
        await ledger.enter_money(
            self.ctx,
            self.booking,
            kind,
            amount,
            actor=Actor.MIDTRANS,
            reference=reference,
            order_id=self.request.order_id,
            transaction_id=self.attempt.transaction_id,
            method=self.attempt.method,
            evidence={**self.attempt.evidence, "notifications": list(notifications)},
        )

    async def alert(self, cause: str, what: Say) -> None:
        """Tell the admins, once per request and cause."""
        await alert_admins(self.ctx, self.booking, f"{cause}:{self.request.order_id}", what)
