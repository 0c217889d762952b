"""Compares our orders with Midtrans', page by page, and corrects differences by settling the order.

    a page of orders ── rate limit ──> answers ── compare ──> settle ──> compare again

Midtrans is never called inside a transaction. If Midtrans is away, the page ends before the order that failed, and the
rest is compared later. If it answers for another order, only this one fails: it is left for a person and holds up no other.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from bot.payments.midtrans_client import Midtrans, MidtransError, MidtransRefused, MidtransTrouble
from bot.transactions import Transactions
from core import payment, trace
from core.db.database import AWAY
from core.payment import Attempt, reconciliation, reconciliation_run
from core.payment.reconciliation import Findings, OrderRecord
from core.payment.reconciliation_run import Run

MAX_CALLS = 8
"""At a time."""
PAGE = 100
PER_SECOND = 50
"""Calls to Midtrans, so that customers can pay meanwhile."""
_KEY_REJECTED = (401, 403)
"""These say nothing about the order."""

_log = logging.getLogger(__name__)


class _Status(NamedTuple):
    asked_at: datetime
    answer: Mapping[str, object]
    attempt: Attempt


_Answer = list[_Status] | MidtransError


@dataclass(frozen=True, slots=True)
class Page:
    """The result of comparing one page; the next one begins after the order_id `after`."""

    after: str
    findings: Findings
    is_last: bool = False
    trouble: str | None = None
    """Why the next page can't be compared now."""


class Reconciler:
    def __init__(
        self,
        transactions: Transactions,
        midtrans: Midtrans,
        *,
        wake: Callable[[], None],
        per_second: float = PER_SECOND,
    ) -> None:
        self._transactions = transactions
        self._midtrans = midtrans
        self._wake = wake
        self._per_second = per_second

    async def nightly(self) -> None:
        """Compare all pages if that is due, until Midtrans doesn't answer; a row keeps what is due and the progress."""
        try:
            async with self._transactions.write() as ctx:
                run = await reconciliation_run.claim_run(ctx)
            if run is not None:
                await self._run(run)
                self._wake()
        except AWAY as error:  # it is continued when its lease has ended
            _log.warning("reconciliation: the database is away (%s)", type(error).__name__)

    async def page(self, since: datetime, after: str = "") -> Page:
        """Compare the next orders made since then, after this order_id; returns in keeping with the rate limit."""
        began = asyncio.get_running_loop().time()
        async with self._transactions.read() as ctx:
            orders = await reconciliation.page(ctx.session, since=since, after=after, limit=PAGE)
        page = await self._compare_page(orders, after)
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(max(0.0, page.findings.asked / self._per_second - took))
        return replace(page, is_last=len(orders) < PAGE)

    async def _run(self, run: Run) -> None:
        page = Page(run.after, Findings())
        while not page.is_last:
            page = await self.page(run.since, run.after)
            run = replace(run, after=page.after, findings=run.findings + page.findings)
            async with self._transactions.write() as ctx:
                is_away = page.trouble is not None
                await reconciliation_run.save_progress(ctx.session, run, now=ctx.now, is_away=is_away)
            if page.trouble:
                return
        async with self._transactions.write() as ctx:
            await reconciliation_run.finish(ctx, run)
        _log.info("reconciled %d orders: %d corrected", run.findings.asked, run.findings.mended)

    async def _compare_page(self, orders: Sequence[OrderRecord], after: str) -> Page:
        findings = Findings()
        answers = await self._ask_all(orders)
        answered = (
            ours for ours, answer in zip(orders, answers, strict=True) if not isinstance(answer, MidtransTrouble)
        )
        known_order = next((ours.order_id for ours in answered), after)
        for ours, answer in zip(orders, answers, strict=True):
            if isinstance(answer, MidtransTrouble) and not await self._is_there(known_order):
                _log.warning("reconciliation waits for Midtrans: %s", answer)
                return Page(after, findings, trouble=str(answer))
            retried = await self._try(ours) if isinstance(answer, MidtransTrouble) else answer
            findings += await self._compare_or_log(ours, retried)
            after = ours.order_id
        return Page(after, findings)

    async def _compare_or_log(self, ours: OrderRecord, answer: _Answer) -> Findings:
        """A bug with one order is only logged, since the others must still be compared."""
        trace.follow(ours.order_id)
        (found,) = await asyncio.gather(self._compare(ours, answer), return_exceptions=True)
        if isinstance(found, Findings):
            return found
        if isinstance(found, AWAY) or not isinstance(found, Exception):
            raise found
        _log.error("%s can't be reconciled: a bug", ours.order_id, exc_info=found)
        return Findings.of([])

    async def _compare(self, ours: OrderRecord, answer: _Answer) -> Findings:
        if isinstance(answer, MidtransError):
            return Findings.of([reconciliation.refused(ours, str(answer))])
        theirs = [each.attempt for each in answer]
        before = reconciliation.compare(ours, theirs)
        if not before and not reconciliation.has_news(ours, theirs):
            return Findings.of([])
        again = reconciliation.compare(await self._ours(ours), theirs)
        for each in reversed(answer):  # the newest last, when it is known which of the others are still pending
            # One transaction each: together, the second would lock money after slots, against the lock order (`holds`).
            async with self._transactions.write() as ctx:
                outcome = await payment.settle(ctx, ours.order_id, each.answer, asked_at=each.asked_at)
            _log.info("%s: %s", ours.order_id, outcome)
        after = reconciliation.compare(await self._ours(ours), theirs)
        return Findings.of(reconciliation.marked(before, again, after))

    async def _ours(self, ours: OrderRecord) -> OrderRecord:
        async with self._transactions.read() as ctx:
            (now,) = await reconciliation.load(ctx.session, [ours.order_id])
        return now

    async def _ask_all(self, orders: Sequence[OrderRecord]) -> list[_Answer]:
        """Midtrans' answer for each order; after `MAX_CALLS` failures in a row no more calls are made."""
        free, failures = asyncio.Semaphore(MAX_CALLS), list[MidtransTrouble]()

        async def ask(ours: OrderRecord) -> _Answer:
            async with free:
                if len(failures) == MAX_CALLS:
                    return failures[-1]
                answer = await self._try(ours)
                if isinstance(answer, MidtransTrouble):
                    failures.append(answer)
                else:
                    failures.clear()
                return answer

        return await asyncio.gather(*(ask(ours) for ours in orders))

    async def _try(self, ours: OrderRecord) -> _Answer:
        """The newest transaction, then the others that have money or may still bring some."""
        try:
            newest = await self._status(ours.order_id)
            known = newest.attempt.transaction_id if newest else None
            others = [await self._status(reference) for reference in ours.other_attempts(known)]
            return [each for each in (newest, *others) if each]
        except MidtransTrouble as trouble:
            return trouble
        except MidtransRefused as refused:
            return MidtransTrouble(str(refused)) if refused.status in _KEY_REJECTED else refused

    async def _is_there(self, known_order: str) -> bool:
        """Whether Midtrans answers for an order that it has answered for before ("": there is none yet)."""
        if not known_order:
            return False
        try:
            await self._status(known_order)
        except MidtransTrouble:
            return False
        except MidtransRefused as refused:
            return refused.status not in _KEY_REJECTED
        return True

    async def _status(self, reference: str) -> _Status | None:
        asked_at = self._transactions.clock()
        answer = await self._midtrans.status(reference)
        return _Status(asked_at, answer, payment.read_status(answer)) if answer is not None else None
