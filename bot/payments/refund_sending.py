"""Sends refunds through Midtrans, each under one refund key at every attempt.

    status ── settle ──> next_refund_call ──> refund or cancel ──> went, refused or unclear

An earlier attempt shows in the status, so nothing is refunded twice.
"""

import logging
from collections.abc import Callable, Mapping

from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble
from bot.transactions import Transactions
from core import payment, trace
from core.db.tables import Refund
from core.payment import RefundCall

_log = logging.getLogger(__name__)


class RefundSender:
    def __init__(self, transactions: Transactions, midtrans: Midtrans, chance: Callable[[], float]) -> None:
        self._transactions = transactions
        self._midtrans = midtrans
        self._chance = chance

    async def send(self, claimed: Refund) -> None:
        """Send a claimed refund, and record the result."""
        key = claimed.key
        trace.follow(key)
        try:
            if found := await self._next_call(claimed):
                await self._do(*found)
        except MidtransTrouble as trouble:
            _log.warning("it is unclear whether %s was refunded: %s", key, trouble)
            async with self._transactions.write() as ctx:
                await payment.refund_unclear(
                    ctx.session, key, str(trouble), jitter=self._chance(), now=ctx.now, after=trouble.retry_after
                )
        except MidtransRefused as refused:
            _log.warning("%s isn't refunded: %s", key, refused)
            async with self._transactions.write() as ctx:
                await payment.refund_refused(ctx, key, str(refused), for_good=refused.refund_amount_wrong)

    async def _next_call(self, claimed: Refund) -> tuple[Refund, RefundCall] | None:
        assert claimed.order_id is not None  # only what was paid through Midtrans is claimed
        assert claimed.transaction_id is not None
        asked_at = self._transactions.clock()
        status = await self._midtrans.status(claimed.transaction_id)
        if status is None:
            raise MidtransTrouble("a transaction that was paid is unknown")
        async with self._transactions.write() as ctx:
            await payment.settle(ctx, claimed.order_id, status, asked_at=asked_at)
            return await payment.next_refund_call(ctx.session, claimed.key)

    async def _do(self, refund: Refund, call: RefundCall) -> None:
        match call:
            case RefundCall.WAIT:
                raise MidtransRefused(412, ["a card payment that hasn't settled can't be refunded in part"])
            case RefundCall.VOID:
                evidence: Mapping[str, object] = await self._midtrans.cancel(refund.transaction_id or "")
            case RefundCall.REFUND:
                evidence = await self._refund(refund)
        async with self._transactions.write() as ctx:
            await payment.refund_sent(ctx, refund.key, evidence, amount=refund.amount)

    async def _refund(self, refund: Refund) -> Mapping[str, object]:
        """Returns what proves the refund: the answer, or that Midtrans knows the key already."""
        try:
            return await self._midtrans.refund(
                refund.transaction_id or "", refund_key=refund.key, amount=refund.amount, reason=refund.reason
            )
        except MidtransRefused as refused:
            if not refused.duplicate_refund:
                raise
            return {"duplicate_refund_key": refund.key, "told": refused.messages}
