"""A status of an attempt to pay, confirmed by Midtrans, with what it concerns: `settlement` and `reversals` act on it."""

from dataclasses import dataclass

from sqlalchemy import select

from core.context import Context
from core.db.tables import Booking, LedgerEntry, PaymentAttempt, PaymentNotification, PaymentRequest
from core.messaging.messages import Say
from core.money import Money
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment import ledger
from core.payment.midtrans_status import Attempt
from core.schedule import bookings
from core.states import Actor, EventKind, LedgerKind


@dataclass(frozen=True, slots=True)
class ConfirmedStatus:
    """The attempt as Midtrans reports it, its request, and its booking, which is locked."""

    ctx: Context
    request: PaymentRequest
    booking: Booking
    attempt: Attempt

    async def attempt_entries(self) -> list[LedgerEntry]:
        """The ledger's entries of this attempt, oldest first."""
        of_attempt = (
            LedgerEntry.order_id == self.request.order_id,
            LedgerEntry.transaction_id == self.attempt.transaction_id,
        )
        found = await self.ctx.session.scalars(select(LedgerEntry).where(*of_attempt).order_by(LedgerEntry.id))
        return list(found)

    async def attempts(self) -> list[PaymentAttempt]:
        """All attempts of the request, this one included."""
        found = await self.ctx.session.scalars(
            select(PaymentAttempt).where(PaymentAttempt.order_id == self.request.order_id)
        )
        return list(found)

    async def enter(self, kind: LedgerKind, reference: str, amount: Money) -> None:
        """Enter money of this attempt in the ledger, once, with the answer and the notifications as evidence."""
        new = await ledger.enter_money(
            self.ctx,
            self.booking,
            kind,
            amount,
            reference=reference,
            order_id=self.request.order_id,
            transaction_id=self.attempt.transaction_id,
            method=self.attempt.method,
            evidence={**self.attempt.evidence, "notifications": await self._notifications()},
        )
        if new:
            detail = {"amount": amount, "order_id": self.request.order_id}
            bookings.record_event(self.ctx, self.booking, EventKind(kind), actor=Actor.MIDTRANS, **detail)

    async def alert(self, cause: str, what: Say) -> None:
        """Tell the admins, once per request and cause."""
        key = f"{cause}:{self.request.order_id}"
        await tell(self.ctx, self.booking, key, admins=alert(self.booking, what))

    async def _notifications(self) -> list[int]:
        order_id = self.request.order_id
        found = await self.ctx.session.scalars(
            select(PaymentNotification.id)
            .where(PaymentNotification.order_id == order_id)
            .order_by(PaymentNotification.id)
        )
        return list(found)
