"""The payment worker: confirms notifications, makes, checks and closes payment links, and sends refunds.

    claim_notifications ──> notifications to confirm ─────────────────┐
    claim_requests ───────> links to make, to close, or to check ─────┼─> Midtrans ──> one transaction each
    claim_refunds ────────> refunds to send (RefundSender) ───────────┘

Midtrans is never called inside a transaction. Claimed work that isn't recorded is due again when its lease ends.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.background.loop import Loop
from bot.background.task_pool import TaskPool
from bot.payments.midtrans_client import Midtrans, MidtransError, MidtransRefused, MidtransTrouble
from bot.payments.refund_sending import RefundSender
from bot.payments.snap_request import snap_body
from bot.transactions import Transactions
from core import payment, trace
from core.context import Context
from core.db.database import AWAY
from core.db.tables import Booking, PaymentRequest
from core.payment import ClaimedRequest, Meaning
from core.states import Outcome, RequestState

MAX_TASKS = 16
"""As many as Midtrans' client makes calls at a time."""
LINK_TIMEOUT = timedelta(seconds=3.5)
"""How long a web page waits for a link; its own answer must come within five seconds."""
LINK_POLL = timedelta(seconds=0.2)
"""How often it is looked for, since another process may make it."""

_log = logging.getLogger(__name__)


class _Status(NamedTuple):
    asked_at: datetime
    answer: Mapping[str, object] | None


class PaymentWorker(Loop):
    """`wake_dispatch` is called when messages may have been written."""

    def __init__(
        self,
        transactions: Transactions,
        midtrans: Midtrans,
        *,
        finish_url: str,
        chance: Callable[[], float],
        wake_dispatch: Callable[[], None],
    ) -> None:
        super().__init__("payments", self._start_due)
        self._transactions = transactions
        self._midtrans = midtrans
        self._finish_url = finish_url
        self._chance = chance
        self._wake_dispatch = wake_dispatch
        self._refunds = RefundSender(transactions, midtrans, chance)
        self._tasks = TaskPool[None](MAX_TASKS)
        self._is_full = False
        """Whether more may be due than could be started."""
        self._link_news = asyncio.Event()
        """Set, and replaced, whenever a link was made or failed."""

    @property
    def trouble(self) -> str | None:
        return super().trouble or self._tasks.trouble

    async def run(self) -> None:
        """Work until stopped, then finish the tasks that run."""
        try:
            await super().run()
            await self._tasks.wait_for_all()
        finally:
            await self._tasks.cancel()

    async def run_once(self) -> int:
        """Do what is due now and wait for it; returns how much that was."""
        started = await self._start_due()
        await self._tasks.wait_for_all()
        return started

    async def link_for(self, wanted: PaymentRequest) -> PaymentRequest | None:
        """Wait until a new request has its link; None if Midtrans doesn't answer in time."""
        self.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINK_TIMEOUT.total_seconds()):
                while True:
                    news = self._link_news
                    async with self._transactions.read() as ctx:
                        booking = await ctx.session.get_one(Booking, wanted.booking_id)
                        opened = await payment.open_request(ctx, booking)
                        attempts = (await ctx.session.get_one(PaymentRequest, wanted.order_id)).attempts
                    if opened or attempts > wanted.attempts:
                        return opened
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), LINK_POLL.total_seconds())
        return None

    async def _start_due(self) -> int:
        """Start what is due, notifications first, as far as there are free tasks; returns how much was started."""
        now, free = self._transactions.clock(), self._tasks.free
        if not free:
            return 0
        async with self._transactions.write() as ctx:
            orders = await payment.claim_notifications(ctx.session, now=now, limit=free)
            requests = await payment.claim_requests(ctx.session, now=now, limit=free - len(orders))
            refunds = await payment.claim_refunds(ctx.session, now=now, limit=free - len(orders) - len(requests))
        for work in (
            *(self._confirm(order, now) for order in orders),
            *(self._handle(request) for request in requests),
            *(self._refunds.send(refund) for refund in refunds),
        ):
            self._tasks.start(work, self._ended)
        self._is_full = not self._tasks.free
        return len(orders) + len(requests) + len(refunds)

    def _ended(self, error: BaseException | None) -> None:
        if isinstance(error, AWAY):
            _log.warning("the database went away during payment work (%s)", type(error).__name__)
        elif error is not None:
            _log.error("payment work failed: a bug", exc_info=error)
        self._wake_dispatch()
        if self._is_full:
            self.wake()

    # --- links -------------------------------------------------------------------------------------

    async def _handle(self, task: ClaimedRequest) -> None:
        request = task.request
        trace.follow(request.order_id)
        if request.state is RequestState.CANCELLED:
            await self._close_link(request)
        elif request.state is RequestState.WANTED and request.expires_at > self._transactions.clock():
            try:
                await self._make_link(task)
            finally:
                self._link_news.set()
                self._link_news = asyncio.Event()
        else:
            await self._check(request)

    async def _make_link(self, task: ClaimedRequest) -> None:
        order_id = task.request.order_id
        body = snap_body(task.request, task.booking, now=self._transactions.clock(), finish_url=self._finish_url)
        try:
            link = await self._midtrans.create(body)
        except MidtransError as error:
            if isinstance(error, MidtransRefused) and error.already_used:
                async with self._transactions.write() as ctx:
                    await payment.use_next_order_id(ctx, order_id)
            else:
                await self._link_failed(order_id, error)
        else:
            async with self._transactions.write() as ctx:
                await payment.link_made(ctx, order_id, token=link.token, url=link.url)

    async def _link_failed(self, order_id: str, error: MidtransError) -> None:
        _log.warning("no link for %s yet: %s", order_id, error)
        async with self._transactions.write() as ctx:
            await payment.link_failed(
                ctx,
                order_id,
                reason=str(error),
                refused=isinstance(error, MidtransRefused),
                jitter=self._chance(),
                after=error.retry_after,
            )

    async def _close_link(self, request: PaymentRequest) -> None:
        """Close a withdrawn page; if a method was chosen on it already, cancel the pending transactions instead."""
        try:
            if request.token:
                await self._midtrans.cancel_link(request.token)
        except MidtransTrouble as trouble:
            await self._check_later(request.order_id, trouble)
            return
        except MidtransRefused:
            if not await self._cancel_pending(request.order_id):
                return
        async with self._transactions.write() as ctx:
            await payment.link_closed(ctx.session, request.order_id)

    async def _cancel_pending(self, order_id: str) -> bool:
        """Cancel an order's pending transactions, but none that is paid; False if Midtrans must be called again."""
        try:
            for status in await self._statuses(order_id):
                await self._settle(order_id, status)
                if status.answer is not None and payment.read_status(status.answer).meaning is Meaning.WAITING:
                    await self._midtrans.cancel(payment.read_status(status.answer).transaction_id)
        except MidtransTrouble as trouble:
            await self._check_later(order_id, trouble)
            return False
        except MidtransRefused as refused:
            # Paid or ended meanwhile, of which a notification tells.
            _log.info("nothing to cancel for %s: %s", order_id, refused)
        return True

    async def _check(self, request: PaymentRequest) -> None:
        try:
            newest, *others = await self._statuses(request.order_id)
        except MidtransError as error:
            await self._check_later(request.order_id, error)
            return
        for status in others:
            await self._settle(request.order_id, status)
        async with self._transactions.write() as ctx:
            await payment.settle_or_expire(ctx, request.order_id, newest.answer, asked_at=newest.asked_at)

    async def _check_later(self, order_id: str, error: MidtransError) -> None:
        _log.warning("%s must be checked again: %s", order_id, error)
        async with self._transactions.write() as ctx:
            await payment.retry_request(
                ctx.session,
                order_id,
                reason=str(error),
                jitter=self._chance(),
                now=ctx.now,
                after=error.retry_after,
            )

    # --- notifications -----------------------------------------------------------------------------

    async def _confirm(self, order_id: str, claimed_at: datetime) -> None:
        trace.follow(order_id)
        try:
            *earlier, last = await self._statuses(order_id)
        except MidtransError as error:
            _log.warning("no status of %s yet: %s", order_id, error)
            async with self._transactions.write() as ctx:
                await self._confirm_later(ctx, order_id, after=error.retry_after)
            return
        outcomes = [await self._settle(order_id, status) for status in earlier]
        async with self._transactions.write() as ctx:
            outcomes.append(await payment.settle(ctx, order_id, last.answer, asked_at=last.asked_at))
            if await payment.status_is_behind(ctx.session, order_id, outcomes, now=ctx.now):
                await self._confirm_later(ctx, order_id)
            else:
                await payment.notifications_settled(ctx.session, order_id, outcomes=outcomes, claimed_at=claimed_at)
        _log.info("%s: %s", order_id, outcomes[-1])

    async def _confirm_later(self, ctx: Context, order_id: str, *, after: timedelta | None = None) -> None:
        await payment.retry_notifications(ctx.session, order_id, jitter=self._chance(), now=ctx.now, after=after)

    # --- statuses ----------------------------------------------------------------------------------

    async def _statuses(self, order_id: str) -> list[_Status]:
        """The status of an order's newest transaction, then of the others that may have changed."""
        newest = await self._status(order_id)
        async with self._transactions.read() as ctx:
            others = await payment.other_attempts(ctx.session, order_id, newest.answer)
        return [newest, *[await self._status(transaction_id) for transaction_id in others]]

    async def _status(self, reference: str) -> _Status:
        asked_at = self._transactions.clock()
        return _Status(asked_at, await self._midtrans.status(reference))

    async def _settle(self, order_id: str, status: _Status) -> Outcome:
        async with self._transactions.write() as ctx:
            outcome = await payment.settle(ctx, order_id, status.answer, asked_at=status.asked_at)
        _log.info("%s: %s", order_id, outcome)
        return outcome
