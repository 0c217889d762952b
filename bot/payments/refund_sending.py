"""Sends refunds through Midtrans: what is there first, then what is still to be done, always under the same key.

    status ── settle ──> next_deed ──> refund or cancel ──> went, refused or unclear

Whatever an earlier try has done stands in the status, so nothing is done twice.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble
from core import trace
from core.context import Context
from core.db.database import Database
from core.db.tables import Refund
from core.payment import refund_requests, settlement
from core.payment.refund_requests import Deed
from core.shop import Shop

LOG = logging.getLogger(__name__)


class SendingBack:
    """Asks Midtrans for one refund at a time."""

    def __init__(
        self,
        database: Database,
        midtrans: Midtrans,
        *,
        shop: Shop,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        self._database = database
        self._midtrans = midtrans
        self._shop = shop
        self._clock = clock
        self._chance = chance

    async def send(self, claimed: Refund) -> None:
        """Ask for a refund that was claimed."""
        trace.follow(claimed.key)
        try:
            found = await self._next_deed(claimed)
            if found is not None:
                await self._do(*found)
        except MidtransTrouble as trouble:
            LOG.warning("nobody knows whether %s went: %s", claimed.key, trouble)
            async with self._database.write() as session:
                await refund_requests.unclear(
                    session,
                    claimed.key,
                    str(trouble),
                    jitter=self._chance(),
                    now=self._clock(),
                    after=trouble.retry_after,
                )
        except MidtransRefused as refused:
            await self._refused(claimed.key, refused)

    async def _next_deed(self, claimed: Refund) -> tuple[Refund, Deed] | None:
        assert claimed.order_id is not None  # only what came through Midtrans is claimed
        assert claimed.transaction_id is not None
        asked_at = self._clock()
        answer = await self._midtrans.status(claimed.transaction_id)
        if answer is None:
            raise MidtransTrouble("a transaction that was paid is unknown")
        async with self._database.write() as session:
            await settlement.settle(
                Context(session, self._shop, self._clock()), claimed.order_id, answer, asked_at=asked_at
            )
            return await refund_requests.next_deed(session, claimed.key)

    async def _do(self, refund: Refund, deed: Deed) -> None:
        transaction_id = refund.transaction_id or ""
        match deed:
            case Deed.WAIT:
                raise MidtransRefused(412, ["a card payment that hasn't settled can't be refunded in part"])
            case Deed.VOID:
                await self._went(refund, await self._midtrans.cancel(transaction_id))
            case Deed.REFUND:
                await self._went(refund, await self._refunded(refund, transaction_id))

    async def _refunded(self, refund: Refund, transaction_id: str) -> Mapping[str, object]:
        """What tells that it went: the answer, or that its key is known already."""
        try:
            return await self._midtrans.refund(
                transaction_id, refund_key=refund.key, amount=refund.amount, reason=refund.reason
            )
        except MidtransRefused as refused:
            if not refused.duplicate_refund:
                raise
            return {"duplicate_refund_key": refund.key, "told": refused.messages}

    async def _went(self, asked: Refund, evidence: Mapping[str, object]) -> None:
        async with self._database.write() as session:
            await refund_requests.went(
                Context(session, self._shop, self._clock()), asked.key, evidence, amount=asked.amount
            )

    async def _refused(self, key: str, refused: MidtransRefused) -> None:
        LOG.warning("%s isn't refunded: %s", key, refused)
        async with self._database.write() as session:
            await refund_requests.refused(
                Context(session, self._shop, self._clock()), key, str(refused), for_good=refused.refund_amount_wrong
            )
