"""The outbox loop: takes what is due, sends chats side by side, records what became of it.

    claim (one transaction) ──> send, no transaction ──> record (one transaction)
                                 └─ renew, as long as it takes

A crash between sending and recording leaves the claim's lease to run out (a start where no other
process serves ends it); the message is then sent once more (facts: at least once, resent once at most).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import metrics
from bot.logs import personal_words
from bot.loop import Loop
from bot.pace import Pace
from bot.sending import File, NotSent, OutsideWindow, Parcel, Sender, Unclear, Undeliverable
from core import dead_letters, outbox, trace
from core.database import AWAY, Database, work_left
from core.messages import Document, message_from_json
from core.shop import Shop
from core.tables import Contact, Outbox

LOG = logging.getLogger(__name__)
BATCH = 32
RENEW_EVERY = outbox.LEASE / 4
WITH_WINDOW = "whatsapp"
WINDOW = timedelta(hours=24)
"""WhatsApp: how long after a person's last message anything may be said."""

Outcome = str | BaseException | None
"""The vendor's id of what was sent, or what went wrong."""


class Dispatcher:
    """Sends what the outbox holds; one lane per channel, so that a slow one holds up no other."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[str, Sender],
        *,
        files: Callable[[Document], Awaitable[File]],
        shop: Shop,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        per_second: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`per_second` is how many messages a channel takes; one that isn't named takes any number."""
        self._database = database
        self._senders = senders
        self._paces = {channel: Pace(most) for channel, most in per_second.items()}
        self._files = files
        self._shop = shop
        self._clock = clock
        self._chance = chance
        self._unrecorded: list[tuple[Outbox, Outcome]] = []
        self._claimed: dict[str, list[Outbox]] = {channel: [] for channel in senders}
        self._in_hand: dict[int, Outbox] = {}
        """All that is claimed and not recorded, by id."""
        self._looking = set(senders)
        self._lanes = {channel: Loop(f"outbox of {channel}", self._lane(channel)) for channel in senders}

    async def run(self) -> None:
        """Send until stopped, and then what was handed over meanwhile."""
        renewing = asyncio.create_task(self._renew_claims())
        try:
            await asyncio.gather(*(lane.run() for lane in self._lanes.values()))
            for channel in self._lanes:
                await self._send_claimed(channel)
        finally:
            renewing.cancel()

    def send(self, claimed: Iterable[Outbox]) -> None:
        """Take over messages that were claimed as they were written, to chats that have just spoken."""
        for row in claimed:
            if row.channel in self._lanes:
                self._in_hand[row.id] = row
                self._claimed[row.channel].append(row)
                self._lanes[row.channel].wake()

    def wake(self, *channels: str) -> None:
        """Something was written for these channels (any, when none is named)."""
        for channel in channels or self._lanes:
            if channel in self._lanes:
                self._looking.add(channel)
                self._lanes[channel].wake()

    def stop(self) -> None:
        """Finish what is being sent, then end."""
        for lane in self._lanes.values():
            lane.stop()

    @property
    def trouble(self) -> str | None:
        """Why messages of some channel don't go out, None where all is well."""
        stopped = (f"{channel}: {lane.trouble}" for channel, lane in self._lanes.items() if lane.trouble)
        return next(stopped, None)

    async def run_once(self, *channels: str) -> int:
        """Send the first due message of each chat of these channels (all, when none is named); how many there were."""
        await self._record()
        now = self._clock()
        async with self._database.write() as session:
            rows = await outbox.claim(session, now=now, limit=BATCH, channels=channels or tuple(self._senders))
            closed = await _closed_windows(session, rows, now)
        await self._deliver(rows, closed)
        return len(rows)

    def _lane(self, channel: str) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            if sent := await self._send_claimed(channel):
                return sent
            if channel not in self._looking:
                return 0
            self._looking.discard(channel)
            if found := await self.run_once(channel):
                self._looking.add(channel)
            return found

        return work

    async def _send_claimed(self, channel: str) -> int:
        rows, self._claimed[channel] = self._claimed[channel], []
        await self._deliver(rows, closed=frozenset())
        return len(rows)

    async def _deliver(self, rows: Sequence[Outbox], closed: Collection[str]) -> None:
        """Send claimed messages side by side, and record what became of them; `closed`: chats out of their window."""
        self._in_hand |= {row.id: row for row in rows}
        outcomes = await asyncio.gather(
            *(self._send(row, in_session=row.address not in closed) for row in rows), return_exceptions=True
        )
        self._unrecorded += zip(rows, outcomes, strict=True)
        await self._record()

    async def _send(self, row: Outbox, *, in_session: bool) -> str | None:
        trace.follow(row.trace, row.address, *personal_words(row.body))
        if row.unclear > outbox.MOST_UNCLEAR:
            raise Unclear("twice nobody knew whether it was sent")
        letter = message_from_json(row.body)
        parcel = Parcel(
            id=row.id,
            key=row.key,
            address=row.address,
            language=row.language,
            message=letter,
            kind=row.kind,
            file=await self._files(letter.document) if letter.document else None,
            in_session=in_session,
            written_at=row.created_at,
            attempts=row.attempts - 1,
        )
        if pace := self._paces.get(row.channel):
            await pace.turn()
        with metrics.vendor_call(row.channel):
            return await self._senders[row.channel].send(parcel)

    async def _record(self) -> None:
        """Write down what became of the messages sent; kept for the next time while the database is away."""
        if not self._unrecorded:
            return
        done, self._unrecorded = self._unrecorded, []
        now = self._clock()
        try:
            async with self._database.write() as session:
                for row, outcome in done:
                    with trace.following(row.trace, row.address, *personal_words(row.body)):
                        await self._record_one(session, row, outcome, now)
        except AWAY:
            self._unrecorded = done + self._unrecorded
            raise
        for row, _ in done:
            self._in_hand.pop(row.id, None)
        if work := work_left(session):
            self.wake(*work)

    async def _renew_claims(self) -> None:
        """A vendor may take longer than a lease, and more may wait behind it; another process must not take those."""
        while True:
            await asyncio.sleep(RENEW_EVERY.total_seconds())
            if self._in_hand:
                try:
                    async with self._database.write() as session:
                        await outbox.renew(session, self._in_hand.values(), now=self._clock())
                except AWAY as error:
                    LOG.warning("claims can't be renewed: the database is away (%s)", type(error).__name__)

    async def _record_one(self, session: AsyncSession, row: Outbox, outcome: Outcome, now: datetime) -> None:
        jitter = self._chance()
        match outcome:
            case None | str():
                await outbox.sent(session, row, vendor_id=outcome, now=now)
            case NotSent():
                after = outcome.retry_after
                if not await outbox.retry(session, row, reason=str(outcome), now=now, jitter=jitter, after=after):
                    await self._give_up(session, row, now)
            case Unclear():
                if not await outbox.unclear(session, row, reason=str(outcome), now=now, jitter=jitter):
                    await self._give_up(session, row, now)
            case Undeliverable() | OutsideWindow():
                await outbox.failed(session, row, reason=str(outcome) or type(outcome).__name__)
                await self._give_up(
                    session, row, now, closed=isinstance(outcome, Undeliverable) and outcome.unreachable
                )
            case error if isinstance(error, AWAY):  # the file couldn't be read
                await outbox.retry(session, row, reason=type(error).__name__, now=now, jitter=jitter)
            case error:
                LOG.error("message %s can't be sent: a bug", row.id, exc_info=error)
                await outbox.failed(session, row, reason=repr(error))
                await self._give_up(session, row, now)

    async def _give_up(self, session: AsyncSession, row: Outbox, now: datetime, *, closed: bool = False) -> None:
        """Have somebody told what a failed message says; `closed`: its chat takes no others either."""
        try:
            async with session.begin_nested():
                reason = "the chat is closed"
                address = {"channel": row.channel, "address": row.address}
                others = await outbox.chat_closed(session, **address, reason=reason, now=now) if closed else ()
                for given_up in (row, *others):
                    await dead_letters.tell_otherwise(
                        session, given_up, shop=self._shop, channels=self._senders, now=now, unreachable=closed
                    )
        except AWAY:
            raise
        except Exception:
            # What other messages came to must be recorded all the same, or they would be sent again.
            LOG.exception("nobody could be told that message %s failed: a bug", row.id)


async def _closed_windows(session: AsyncSession, rows: Sequence[Outbox], now: datetime) -> set[str]:
    addresses = {row.address for row in rows if row.channel == WITH_WINDOW}
    if not addresses:
        return set()
    seen = await session.scalars(
        select(Contact.address).where(
            Contact.channel == WITH_WINDOW, Contact.address.in_(addresses), Contact.last_seen_at > now - WINDOW
        )
    )
    return addresses - set(seen)
