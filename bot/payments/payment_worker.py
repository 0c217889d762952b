"""The payment worker: makes links, asks what became of them, closes what ran out, sends money back.

    settlement.claim ────> notifications to confirm ────────────────────────────┐
    payments.claim ──────> link to make, link to close, open link to ask about ─┼─> Midtrans ──> one transaction each
    sending_back.claim ──> refunds to ask for (SendingBack) ────────────────────┘

Midtrans is never asked inside a transaction; what was claimed and not recorded is due again when its lease ends.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.background.loop import Loop
from bot.background.task_pool import Crew
from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble
from bot.payments.refund_sending import SendingBack
from bot.payments.snap_request import snap_body
from core import trace
from core.context import Context
from core.db.database import AWAY, Database
from core.db.tables import Booking, PaymentRequest
from core.payment import midtrans_status, payment_requests, refund_requests, settlement
from core.payment.midtrans_status import Meaning
from core.payment.payment_requests import Task
from core.shop import Shop
from core.states import Outcome, RequestState

LOG = logging.getLogger(__name__)
AT_ONCE = 16
"""How much is under way at a time: as many as Midtrans is asked at once."""
PATIENCE = timedelta(seconds=8)
"""How long somebody waits at a web page for a link."""


class _Asked(NamedTuple):
    """What Midtrans answered, and when it was asked."""

    at: datetime
    answer: Mapping[str, object] | None


class Collector(Loop):
    """Does with Midtrans what the rows ask for; `wake_dispatch` is called when it has written messages."""

    def __init__(
        self,
        database: Database,
        midtrans: Midtrans,
        *,
        shop: Shop,
        finish_url: str,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        wake_dispatch: Callable[[], None],
    ) -> None:
        super().__init__("payments", self._look_for_work)
        self._database = database
        self._midtrans = midtrans
        self._shop = shop
        self._finish_url = finish_url
        self._clock = clock
        self._chance = chance
        self._wake_dispatch = wake_dispatch
        self._give_back = SendingBack(database, midtrans, shop=shop, clock=clock, chance=chance)
        self._crew = Crew[None](AT_ONCE)
        self._is_short_of_room = False
        """Whether more may be due than could be begun."""
        self._news = asyncio.Event()
        """Set, and replaced, whenever a link was made or couldn't be."""

    @property
    def trouble(self) -> str | None:
        """Why nothing becomes of payments, None where all is well."""
        return super().trouble or self._crew.trouble

    async def run(self) -> None:
        """Work until stopped, and end what is under way."""
        try:
            await super().run()
            await self._crew.all_ended()
        finally:
            await self._crew.cancel()

    async def run_once(self) -> int:
        """Do all that is due now, side by side, and wait for it; how much there was."""
        found = await self._look_for_work()
        await self._crew.all_ended()
        return found

    async def _look_for_work(self) -> int:
        """Begin what is due, as far as there is room: what brings money first; how much there was."""
        now, room = self._clock(), self._crew.room
        if not room:
            return 0
        async with self._database.write() as session:
            orders = await settlement.claim(session, now=now, limit=room)
            tasks = await payment_requests.claim(session, now=now, limit=room - len(orders))
            owed = await refund_requests.claim(session, now=now, limit=room - len(orders) - len(tasks))
        for work in (
            *(self._confirm(order, now) for order in orders),
            *(self._attend(task) for task in tasks),
            *(self._give_back.send(refund) for refund in owed),
        ):
            self._crew.begin(work, self._ended)
        self._is_short_of_room = not self._crew.room
        return len(orders) + len(tasks) + len(owed)

    def _ended(self, error: BaseException | None) -> None:
        if isinstance(error, AWAY):
            LOG.warning("the database went away during payment work (%s)", type(error).__name__)
        elif error is not None:
            LOG.error("payment work failed: a bug", exc_info=error)
        self._wake_dispatch()
        if self._is_short_of_room:
            self.wake()

    async def link_for(self, wanted: PaymentRequest) -> PaymentRequest | None:
        """A request just made with its link, since somebody waits for it; None while Midtrans doesn't answer."""
        self.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE.total_seconds()):
                while True:
                    news = self._news
                    async with self._database.read() as session:
                        booking = await session.get_one(Booking, wanted.booking_id)
                        opened = await payment_requests.open_request(
                            Context(session, self._shop, self._clock()), booking
                        )
                        attempts = (await session.get_one(PaymentRequest, wanted.order_id)).attempts
                    if opened or attempts > wanted.attempts:
                        return opened
                    await news.wait()
        return None

    async def _attend(self, task: Task) -> None:
        request = task.request
        trace.follow(request.order_id)
        if request.state is RequestState.CANCELLED:
            await self._close_link(request)
        elif request.state is RequestState.WANTED and request.expires_at > self._clock():
            await self._make_link(task)
        else:
            await self._look(request)

    async def _make_link(self, task: Task) -> None:
        try:
            await self._try_link(task)
        finally:
            self._news.set()
            self._news = asyncio.Event()

    async def _try_link(self, task: Task) -> None:
        order_id = task.request.order_id
        body = snap_body(task.request, task.booking, now=self._clock(), finish_url=self._finish_url)
        try:
            link = await self._midtrans.create(body)
        except MidtransTrouble as trouble:
            await self._link_failed(order_id, trouble)
        except MidtransRefused as refused:
            if refused.already_used:
                async with self._database.write() as session:
                    await payment_requests.renumber(Context(session, self._shop, self._clock()), order_id)
            else:
                await self._link_failed(order_id, refused)
        else:
            async with self._database.write() as session:
                await payment_requests.link_made(
                    Context(session, self._shop, self._clock()), order_id, token=link.token, url=link.url
                )

    async def _link_failed(self, order_id: str, why: MidtransTrouble | MidtransRefused) -> None:
        LOG.warning("no link for %s yet: %s", order_id, why)
        async with self._database.write() as session:
            await payment_requests.link_failed(
                Context(session, self._shop, self._clock()),
                order_id,
                reason=str(why),
                refused=isinstance(why, MidtransRefused),
                jitter=self._chance(),
                after=_asked_wait(why),
            )

    async def _close_link(self, request: PaymentRequest) -> None:
        """Kill a withdrawn page; where a method was chosen on it already, what waits there is cancelled instead."""
        try:
            if request.token:
                await self._midtrans.cancel_link(request.token)
        except MidtransTrouble as trouble:
            await self._look_again(request.order_id, trouble)
            return
        except MidtransRefused:
            if not await self._nothing_waits(request.order_id):
                return
        async with self._database.write() as session:
            await payment_requests.link_closed(session, request.order_id)

    async def _nothing_waits(self, order_id: str) -> bool:
        """Cancel what waits to be paid under an order, and nothing that was paid; False where Midtrans must be asked again."""
        try:
            for asked in await self._ask(order_id):
                await self._settle(order_id, asked)
                if asked.answer is not None and midtrans_status.read(asked.answer).meaning is Meaning.WAITING:
                    await self._midtrans.cancel(midtrans_status.read(asked.answer).transaction_id)
        except MidtransTrouble as trouble:
            await self._look_again(order_id, trouble)
            return False
        except MidtransRefused as refused:
            LOG.info("nothing to cancel for %s: %s", order_id, refused)  # paid or over meanwhile: a notification tells
        return True

    async def _look(self, request: PaymentRequest) -> None:
        try:
            newest, *others = await self._ask(request.order_id)
        except (MidtransTrouble, MidtransRefused) as trouble:
            await self._look_again(request.order_id, trouble)
            return
        for asked in others:
            await self._settle(request.order_id, asked)
        async with self._database.write() as session:
            await settlement.look(
                Context(session, self._shop, self._clock()), request.order_id, newest.answer, asked_at=newest.at
            )

    async def _confirm(self, order_id: str, claimed_at: datetime) -> None:
        trace.follow(order_id)
        try:
            *earlier, last = await self._ask(order_id)
        except (MidtransTrouble, MidtransRefused) as trouble:
            LOG.warning("no status of %s yet: %s", order_id, trouble)
            async with self._database.write() as session:
                await self._ask_again(session, order_id, after=_asked_wait(trouble))
            return
        outcomes = [await self._settle(order_id, asked) for asked in earlier]
        async with self._database.write() as session:
            outcomes.append(await self._act(session, order_id, last))
            if await settlement.is_behind(session, order_id, outcomes, now=self._clock()):
                await self._ask_again(session, order_id)
            else:
                await settlement.answered(session, order_id, outcomes=outcomes, claimed_at=claimed_at)
        LOG.info("%s: %s", order_id, outcomes[-1])

    async def _ask_again(self, session: AsyncSession, order_id: str, *, after: timedelta | None = None) -> None:
        await settlement.unanswered(session, order_id, jitter=self._chance(), now=self._clock(), after=after)

    async def _ask(self, order_id: str) -> list[_Asked]:
        """The status of the newest attempt of an order, then of the others that may have changed."""
        newest = await self._status(order_id)
        async with self._database.read() as session:
            others = await settlement.other_attempts(session, order_id, newest.answer)
        return [newest, *[await self._status(transaction_id) for transaction_id in others]]

    async def _status(self, reference: str) -> _Asked:
        at = self._clock()
        return _Asked(at, await self._midtrans.status(reference))

    async def _settle(self, order_id: str, asked: _Asked) -> Outcome:
        async with self._database.write() as session:
            outcome = await self._act(session, order_id, asked)
        LOG.info("%s: %s", order_id, outcome)
        return outcome

    async def _act(self, session: AsyncSession, order_id: str, asked: _Asked) -> Outcome:
        return await settlement.settle(
            Context(session, self._shop, self._clock()), order_id, asked.answer, asked_at=asked.at
        )

    async def _look_again(self, order_id: str, trouble: MidtransTrouble | MidtransRefused) -> None:
        LOG.warning("%s must be looked at again: %s", order_id, trouble)
        async with self._database.write() as session:
            await payment_requests.look_again(
                session,
                order_id,
                reason=str(trouble),
                jitter=self._chance(),
                now=self._clock(),
                after=_asked_wait(trouble),
            )


def _asked_wait(why: MidtransTrouble | MidtransRefused) -> timedelta | None:
    """How long Midtrans asked us to wait, if it did."""
    return why.retry_after if isinstance(why, MidtransTrouble) else None
