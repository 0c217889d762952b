"""The outbox loop: claims due messages, sends them side by side, and records each result as soon as it is known.

    claim ──> file, rate limit ──> show ──> send, outside any transaction ──> record
                                   └─ the lease is renewed while it is sent

Claim, show and record are one transaction each, for many messages at once. A reply is claimed and shown by its turn.

After a crash between send and record, the lease runs out (or ends at a start where no other process serves) and the
message is sent again: every message is sent at least once, and repeated at most once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.background.batching import Batcher
from bot.background.loop import Loop, Repeated
from bot.background.task_pool import TaskPool
from bot.channels.sending import File, Outgoing, RateLimit, Sender, Unclear
from bot.outbox import results
from bot.outbox.results import Result
from bot.transactions import Transactions
from bot.watching import metrics
from bot.watching.logs import personal_words
from core import trace
from core.context import Work
from core.db.database import AWAY
from core.db.tables import Contact, Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import Document, Message, message_from_json

MAX_SENDING = 32
"""Messages of one channel that are sent at the same time."""
FIRST_POLL, LAST_POLL = 0.02, 2.0
"""Seconds after which to poll again for a message that was written and not found; after the last, a tick finds it."""
RENEW_EVERY = outbox.LEASE / 4
SESSION_WINDOW = timedelta(hours=24)
"""WhatsApp: for this long after a person's last message anything may be sent."""
INTERRUPTED: tuple[type[BaseException], ...] = (*AWAY, asyncio.CancelledError)
"""After these it is unknown whether results were recorded."""
SHUTDOWN_TIMEOUT = timedelta(seconds=0.5)
"""How long a server that stops waits for the database to record results and to give claims back."""

LOG = logging.getLogger(__name__)


class _ClaimLost(Exception):
    """Another process has claimed the message, or it was dropped."""


@dataclass
class _Lane:
    """One channel."""

    loop: Loop
    queue: list[Outbox] = field(default_factory=list)
    """Replies that were claimed by their turns, not yet sent."""
    sending: TaskPool[str | None] = field(default_factory=lambda: TaskPool(MAX_SENDING))
    must_poll: bool = True
    """Whether the database may have due messages that nobody has claimed."""
    passed_over: bool = False
    """Whether the last poll passed over chats, since a message of theirs was being sent."""
    next_poll: float = 0
    """Seconds until the next poll for a message that was written and not found; 0 if there is none."""

    @property
    def trouble(self) -> str | None:
        return self.loop.trouble or self.sending.trouble

    def poll(self) -> None:
        self.must_poll = True
        self.loop.wake()


class Dispatcher:
    """Sends what the outbox holds; each channel has its own loop, so that a slow one holds up no other."""

    def __init__(
        self,
        transactions: Transactions,
        senders: Mapping[str, Sender],
        *,
        files: Callable[[Document], Awaitable[File]],
        chance: Callable[[], float],
        pay_page: Callable[[str], str] = str,
        per_second: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`pay_page`: the URL where a booking is paid; `per_second`: the rate limits of the channels that have one."""
        self._transactions = transactions
        self._senders = senders
        self._rate_limits = {channel: RateLimit(most) for channel, most in per_second.items()}
        self._files = files
        self._chance = chance
        self._pay_page = pay_page
        self._unrecorded: list[tuple[Outbox, Result]] = []
        self._claimed: dict[int, Outbox] = {}
        """All messages that are claimed and not recorded, by id."""
        self._shown: set[int] = set()
        """Those of them that a vendor may have seen."""
        self._showing = Batcher(self._show)
        self._lanes = {
            channel: _Lane(Loop(f"outbox of {channel}", partial(self._work, channel))) for channel in senders
        }
        self._renewing = Repeated("claims", self._renew, RENEW_EVERY)
        self._recording = Loop("outbox's records", self._record)
        """Beside the lanes: while a result isn't recorded, a crash repeats its message."""

    async def run(self) -> None:
        """Send until stopped, then send the replies that are queued; if cancelled, leave the rest to other processes."""
        renewing, recording = (asyncio.create_task(work.run()) for work in (self._renewing, self._recording))
        try:
            await asyncio.gather(*(lane.loop.run() for lane in self._lanes.values()))
            await self._finish()
            self._recording.stop()
            await recording
            await self._record()
        finally:
            for task in (renewing, recording):
                task.cancel()
            await asyncio.wait({renewing, recording}, timeout=SHUTDOWN_TIMEOUT.total_seconds())
            await self._give_back()

    def send(self, replies: Iterable[Outbox]) -> None:
        """Send replies that were claimed as they were written."""
        for row in replies:
            if lane := self._lanes.get(row.channel):
                self._claimed[row.id] = row
                lane.queue.append(row)
                lane.loop.wake()

    def wake(self, *work: Work) -> None:
        """Poll the channels that are named; without names poll all, where something may have been written."""
        self._recording.wake()
        for channel in work or self._lanes:
            if lane := self._lanes.get(channel):
                lane.next_poll = FIRST_POLL if work else 0
                lane.poll()

    def stop(self) -> None:
        """End after the messages that are being sent."""
        for lane in self._lanes.values():
            lane.loop.stop()

    @property
    def trouble(self) -> str | None:
        """Why some messages aren't sent; None while it is healthy."""
        stopped = (f"{channel}: {lane.trouble}" for channel, lane in self._lanes.items() if lane.trouble)
        return next(stopped, self._renewing.trouble or self._recording.trouble)

    async def run_once(self, *channels: str) -> int:
        """Send the first due message of each chat of these channels (by default all); returns how many were claimed."""
        await self._record()
        found = await self._claim(channels or tuple(self._lanes), MAX_SENDING)
        for lane in self._lanes.values():
            await lane.sending.wait_for_all()
        await self._record()
        return found

    # --- claiming ----------------------------------------------------------------------------------

    async def _work(self, channel: str) -> int:
        lane = self._lanes[channel]
        if begun := self._send_queued(lane):
            return begun
        if not (lane.must_poll and lane.sending.free):
            return 0
        lane.must_poll, lane.passed_over = False, bool(self._claimed)
        found = await self._claim([channel], lane.sending.free)
        if found:
            lane.must_poll, lane.next_poll = True, 0
        elif not lane.passed_over:
            self._poll_later(lane)
        return found

    def _poll_later(self, lane: _Lane) -> None:
        """A message may wait behind one that another process sends, which doesn't tell us when it has sent it."""
        if not self._transactions.database.is_sqlite and 0 < lane.next_poll <= LAST_POLL:
            asyncio.get_running_loop().call_later(lane.next_poll, lane.poll)
            lane.next_poll *= 2

    def _send_queued(self, lane: _Lane) -> int:
        rows = [lane.queue.pop(0) for _ in range(min(lane.sending.free, len(lane.queue)))]
        for row in rows:
            self._begin(row, in_session=True)
        return len(rows)

    async def _claim(self, channels: Sequence[str], most: int) -> int:
        """Claim due messages and begin to send them; returns how many were claimed."""
        async with self._transactions.write() as ctx:
            if (morning := ctx.shop.contact_time(ctx.now)) > ctx.now:
                await outbox_claims.postpone(
                    ctx.session, now=ctx.now, due_at=morning, channels=channels, in_hand=self._claimed
                )
            rows = await outbox_claims.claim(
                ctx.session, now=ctx.now, limit=most, channels=channels, in_hand=self._claimed
            )
            wanted = [row for row in rows if row.state == "sending"]
            closed = await _closed_windows(ctx.session, wanted, ctx.now)
            others = await outbox_claims.vendor_ids(ctx.session, [row for row in wanted if row.attempts > 1])
        for row in wanted:
            self._begin(row, in_session=row.address not in closed, others=others)
        return len(rows)

    # --- sending -----------------------------------------------------------------------------------

    def _begin(self, row: Outbox, *, in_session: bool, others: Collection[str] = ()) -> None:
        self._claimed[row.id] = row
        sending = self._send(row, in_session=in_session, others=others)
        self._lanes[row.channel].sending.start(sending, partial(self._ended, row))

    def _with_url(self, message: Message) -> Message:
        if message.link is None or message.link.booking is None:
            return message
        return replace(message, link=replace(message.link, url=self._pay_page(message.link.booking)))

    async def _send(self, row: Outbox, *, in_session: bool, others: Collection[str]) -> str | None:
        trace.follow(row.trace, row.address, *personal_words(row.body))
        if row.unclear > outbox_claims.MOST_UNCLEAR:
            raise Unclear("too often nobody knew whether it was sent")
        message = self._with_url(message_from_json(row.body))
        outgoing = Outgoing(
            id=row.id,
            key=row.key,
            address=row.address,
            language=row.language,
            message=message,
            kind=row.kind,
            file=await self._files(message.document) if message.document else None,
            in_session=in_session,
            written_at=row.created_at,
            attempts=row.attempts - 1,
            may_have_arrived=row.unclear > 0,
            parts_left=row.parts_left,
            others=others,
        )
        if rate_limit := self._rate_limits.get(row.channel):
            await rate_limit.wait()
        if not row.shown:
            await self._showing.do(row)
            if not row.shown:
                raise _ClaimLost
        self._shown.add(row.id)
        with metrics.vendor_call(row.channel):
            return await self._senders[row.channel].send(outgoing)

    async def _show(self, rows: Sequence[Outbox]) -> None:
        async with self._transactions.write() as ctx:
            still_ours = await outbox_claims.mark_shown(ctx.session, rows)
        for row in rows:
            row.shown = row.id in still_ours

    def _ended(self, row: Outbox, result: Result) -> None:
        if isinstance(result, _ClaimLost):
            self._forget(row)
        else:
            self._unrecorded.append((row, result))
            self._recording.wake()
        self._lanes[row.channel].loop.wake()

    # --- recording ---------------------------------------------------------------------------------

    async def _record(self) -> int:
        """Record all results, and return how many; while the database is away they are kept for the next call."""
        done, self._unrecorded = self._unrecorded, []
        if not done:
            return 0
        try:
            await self._record_together(done)
        except INTERRUPTED:
            self._unrecorded += done
            raise
        except Exception:
            LOG.exception("the results of %d messages can't be recorded together: a bug", len(done))
            await self._record_one_by_one(done)
        return len(done)

    async def _record_one_by_one(self, done: Sequence[tuple[Outbox, Result]]) -> None:
        """A result that can't be recorded holds up no other: its lease runs out, and the message is sent once more."""
        for number, (row, result) in enumerate(done):
            try:
                await self._record_together([(row, result)])
            except INTERRUPTED:
                self._unrecorded += done[number:]
                raise
            except Exception:
                LOG.exception("the result of message %s can't be recorded: a bug", row.id)
                self._forget(row)

    async def _record_together(self, done: Sequence[tuple[Outbox, Result]]) -> None:
        async with self._transactions.write() as ctx:
            await results.record(ctx, done, channels=self._senders, chance=self._chance)
        for row, _ in done:
            self._forget(row)
        if ctx.effects.work:
            self.wake(*ctx.effects.work)

    def _forget(self, row: Outbox) -> None:
        self._claimed.pop(row.id, None)
        self._shown.discard(row.id)
        if self._lanes[row.channel].passed_over:
            self.wake(Work(row.channel))

    # --- leases ------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        """A vendor may take longer than a lease; another process must not claim what is still queued or sent here."""
        if self._claimed:
            async with self._transactions.write() as ctx:
                await outbox_claims.renew(ctx.session, self._claimed.values(), now=ctx.now)

    async def _finish(self) -> None:
        """Send what is queued, and wait for what is being sent."""
        for lane in self._lanes.values():
            while lane.queue or lane.sending:
                self._send_queued(lane)
                await lane.sending.wait_for_one()

    async def _give_back(self) -> None:
        """Give back the claims that no vendor has seen; whether the others arrived is unclear."""
        for lane in self._lanes.values():
            await lane.sending.cancel()
        try:
            async with asyncio.timeout(SHUTDOWN_TIMEOUT.total_seconds()):
                await self._record()
                if unseen := [row for row in self._claimed.values() if row.id not in self._shown]:
                    async with self._transactions.write() as ctx:
                        await outbox_claims.hand_back(ctx.session, unseen)
        except AWAY as error:  # then their leases must run out
            LOG.warning("claims can't be given back: the database is away (%s)", type(error).__name__)


async def _closed_windows(session: AsyncSession, rows: Sequence[Outbox], now: datetime) -> set[str]:
    """The WhatsApp addresses among these whose 24 hours are over."""
    addresses = {row.address for row in rows if row.channel == "whatsapp"}
    if not addresses:
        return set()
    seen = await session.scalars(
        select(Contact.address).where(
            Contact.channel == "whatsapp", Contact.address.in_(addresses), Contact.last_seen_at > now - SESSION_WINDOW
        )
    )
    return addresses - set(seen)
