"""Compares our books with Midtrans', a page of orders at a time, and mends by the usual way of settling.

    a page of orders ── asked, so many at once and a second ──> answers ── compare ──> settle ──> compare again

Midtrans is never asked inside a transaction. A call that finds nobody there ends a page, unless Midtrans still speaks of
another order: the orders before it are done, the others are asked again later. An order of which it alone can't say
anything is left for a person, so that it holds up no other.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.background.ticker import Tick
from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble
from core import trace
from core.context import Context
from core.db.database import AWAY, Database
from core.payment import midtrans_status, reconciliation, reconciliation_run, settlement
from core.payment.midtrans_status import Attempt
from core.payment.reconciliation import Findings, Ours
from core.payment.reconciliation_run import Night
from core.shop import Shop

LOOK_EVERY = timedelta(minutes=1)
AT_ONCE = 8
PAGE = 100
PER_SECOND = 50
"""Calls a second: customers who pay at night come first."""
_DENIED = (401, 403)
"""A wrong key says nothing about an order."""

LOG = logging.getLogger(__name__)


class _Asked(NamedTuple):
    """What Midtrans answered of an attempt, and when it was asked."""

    at: datetime
    answer: Mapping[str, object]
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Page:
    """How far a comparison has come, and with what."""

    after: str
    findings: Findings
    is_last: bool = False
    trouble: str | None = None
    """Why it can't go on now."""


class Reconciler:
    """Compares with Midtrans every night, and whenever it is told to."""

    def __init__(
        self,
        database: Database,
        midtrans: Midtrans,
        *,
        shop: Shop,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        per_second: float = PER_SECOND,
    ) -> None:
        self._database = database
        self._midtrans = midtrans
        self._shop = shop
        self._clock = clock
        self._wake = wake
        self._per_second = per_second

    def tick(self) -> Tick:
        """What the scheduler is to do; what is due, and how far it is, stands in a row."""
        return Tick("reconciliation", LOOK_EVERY, self.nightly)

    async def nightly(self) -> None:
        """Do the night's comparison if it is due, as far as Midtrans answers."""
        try:
            async with self._database.write() as session:
                night = await reconciliation_run.claim(Context(session, self._shop, self._clock()))
            if night is not None:
                await self._work_off(night)
                self._wake()
        except AWAY as error:  # it is gone on with when the lease has ended
            LOG.warning("reconciliation: the database is away (%s)", type(error).__name__)

    async def page(self, since: datetime, after: str = "") -> Page:
        """Compare the next orders since then, after this order_id."""
        begin = asyncio.get_running_loop().time()
        async with self._database.read() as session:
            orders = await reconciliation.page(session, since=since, after=after, limit=PAGE)
        found = await self._compare(orders, after)
        spent = asyncio.get_running_loop().time() - begin
        await asyncio.sleep(max(0.0, found.findings.asked / self._per_second - spent))
        return replace(found, is_last=len(orders) < PAGE)

    async def _work_off(self, night: Night) -> None:
        page = Page(night.after, Findings())
        while not page.is_last:
            page = await self.page(night.since, night.after)
            night = replace(night, after=page.after, findings=night.findings + page.findings)
            async with self._database.write() as session:
                keep = reconciliation_run.postpone if page.trouble else reconciliation_run.progress
                await keep(session, night, now=self._clock())
            if page.trouble:
                return
        async with self._database.write() as session:
            await reconciliation_run.finish(Context(session, self._shop, self._clock()), night)
        LOG.info("reconciled %d orders: %d mended", night.findings.asked, night.findings.mended)

    async def _compare(self, orders: Sequence[Ours], after: str) -> Page:
        findings = Findings()
        answers = await self._ask_all(orders)
        spoken_of = next(
            (ours.order_id for ours, asked in zip(orders, answers, strict=True) if _is_answer(asked)), after
        )
        for ours, asked in zip(orders, answers, strict=True):
            if isinstance(asked, MidtransTrouble) and not await self._speaks_of(spoken_of):
                LOG.warning("reconciliation waits for Midtrans: %s", asked)
                return Page(after, findings, trouble=str(asked))
            findings += await self._judged(ours, asked if _is_answer(asked) else await self._try(ours))
            after = ours.order_id
        return Page(after, findings)

    async def _judged(self, ours: Ours, asked: "_Answers") -> Findings:
        """What one order comes to; a bug about it must not keep all others from being compared."""
        trace.follow(ours.order_id)
        (found,) = await asyncio.gather(self._judge(ours, asked), return_exceptions=True)
        if isinstance(found, Findings):
            return found
        if isinstance(found, AWAY) or not isinstance(found, Exception):
            raise found
        LOG.error("%s can't be reconciled: a bug", ours.order_id, exc_info=found)
        return Findings.of([])

    async def _judge(self, ours: Ours, asked: "_Answers") -> Findings:
        if isinstance(asked, MidtransRefused | MidtransTrouble):
            return Findings.of([reconciliation.unread(ours, str(asked))])
        theirs = [each.attempt for each in asked]
        before = reconciliation.compare(ours, theirs)
        if not before and not reconciliation.is_news(ours, theirs):
            return Findings.of([])
        again = reconciliation.compare(await self._ours(ours), theirs)
        for each in reversed(asked):  # the newest last, when it is known which of the others still live
            # One transaction each: places first and then money would be against everybody's order (`holds`).
            async with self._database.write() as session:
                outcome = await settlement.settle(
                    Context(session, self._shop, self._clock()), ours.order_id, each.answer, asked_at=each.at
                )
            LOG.info("%s: %s", ours.order_id, outcome)
        after = reconciliation.compare(await self._ours(ours), theirs)
        return Findings.of(reconciliation.judged(before, again, after))

    async def _ours(self, ours: Ours) -> Ours:
        async with self._database.read() as session:
            (now,) = await reconciliation.load(session, [ours.order_id])
        return now

    async def _ask_all(self, orders: Sequence[Ours]) -> "list[_Answers]":
        """What Midtrans says of each order; nobody asks any more once `AT_ONCE` in a row found nobody there."""
        free, troubles = asyncio.Semaphore(AT_ONCE), list[MidtransTrouble]()

        async def ask(ours: Ours) -> "_Answers":
            async with free:
                if len(troubles) == AT_ONCE:
                    return troubles[-1]
                asked = await self._try(ours)
                if isinstance(asked, MidtransTrouble):
                    troubles.append(asked)
                else:
                    troubles.clear()
                return asked

        return await asyncio.gather(*(ask(ours) for ours in orders))

    async def _try(self, ours: Ours) -> "_Answers":
        try:
            return await self._ask(ours)
        except MidtransTrouble as no_answer:
            return no_answer
        except MidtransRefused as refused:
            return MidtransTrouble(str(refused)) if refused.status in _DENIED else refused

    async def _speaks_of(self, order_id: str) -> bool:
        """Whether Midtrans is there, asked for an order that it has told us of ("": of none yet)."""
        if not order_id:
            return False
        try:
            await self._status(order_id)
        except MidtransTrouble:
            return False
        except MidtransRefused as refused:
            return refused.status not in _DENIED
        return True

    async def _ask(self, ours: Ours) -> list[_Asked]:
        """The newest attempt, then the others that have money or may still bring some."""
        newest = await self._status(ours.order_id)
        known = newest.attempt.transaction_id if newest else None
        others = [await self._status(reference) for reference in ours.references(known)]
        return [each for each in (newest, *others) if each]

    async def _status(self, reference: str) -> _Asked | None:
        at = self._clock()
        answer = await self._midtrans.status(reference)
        return _Asked(at, answer, midtrans_status.read(answer)) if answer is not None else None


def _is_answer(asked: "_Answers") -> bool:
    return not isinstance(asked, MidtransTrouble)


_Answers = list[_Asked] | MidtransRefused | MidtransTrouble
