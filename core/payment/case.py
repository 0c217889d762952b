"""One status answer of Midtrans' with all it is about: what `settlement` and `returns` act on."""

from dataclasses import dataclass

from sqlalchemy import select

from core.context import Context
from core.db.tables import Booking, BookingEvent, LedgerEntry, PaymentAttempt, PaymentNotification, PaymentRequest
from core.messaging.messages import Say
from core.money import Money
from core.notices.cards import alert
from core.notices.tell import tell
from core.payment import ledger
from core.payment.midtrans_status import Attempt
from core.states import Actor, EventKind, LedgerKind


@dataclass(frozen=True, slots=True)
class Case:
    """A confirmed status of an attempt, with its request and its booking, which is locked."""

    ctx: Context
    request: PaymentRequest
    booking: Booking
    attempt: Attempt

    async def entries(self) -> list[LedgerEntry]:
        """What the ledger holds of this request."""
        order_id = self.request.order_id
        found = await self.ctx.session.scalars(
            select(LedgerEntry).where(LedgerEntry.order_id == order_id).order_by(LedgerEntry.id)
        )
        return list(found)

    async def attempts(self) -> list[PaymentAttempt]:
        """The attempts of this request that Midtrans confirmed."""
        found = await self.ctx.session.scalars(
            select(PaymentAttempt).where(PaymentAttempt.order_id == self.request.order_id)
        )
        return list(found)

    async def enter(self, kind: LedgerKind, reference: str, amount: Money) -> bool:
        """Enter money of this attempt in the ledger, once, with the answer and the notifications that told it; whether it was new."""
        new = await ledger.enter(
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
            self.log(EventKind(kind), amount=amount, order_id=self.request.order_id)
        return new

    async def _notifications(self) -> list[int]:
        """The ids of the raw notifications of this request."""
        order_id = self.request.order_id
        kept = await self.ctx.session.scalars(
            select(PaymentNotification.id)
            .where(PaymentNotification.order_id == order_id)
            .order_by(PaymentNotification.id)
        )
        return list(kept)

    def log(self, kind: EventKind, **detail: object) -> None:
        """Put it on the booking's time line."""
        event = BookingEvent(
            booking_id=self.booking.id, at=self.ctx.now, kind=kind, actor=Actor.MIDTRANS, detail=detail
        )
        self.ctx.session.add(event)

    async def alert(self, cause: str, what: Say) -> None:
        """Tell the admins, once per request and cause."""
        key = f"{cause}:{self.request.order_id}"
        await tell(self.ctx, self.booking, key, admins=alert(self.booking, what))
