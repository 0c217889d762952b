"""The outbox loop: takes what is due, sends chats side by side, records what became of each as soon as it is known.

    claim ──> file, pace ──> show ──> send, no transaction ──> record
                                 └─ renew, as long as it takes

claim, show and record are a transaction each, for as many messages as there are; a reply is claimed and shown by its turn.

A crash between sending and recording leaves the claim's lease to run out (a start where no other
process serves ends it); the message is then sent once more (facts: at least once, resent once at most).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.background.batching import Together
from bot.background.loop import Loop, Repeated
from bot.background.task_pool import Crew
from bot.channels.rate_limit import Pace
from bot.channels.sending import File, Parcel, Sender, Unclear
from bot.outbox import results
from bot.outbox.results import Outcome
from bot.watching import metrics
from bot.watching.logs import personal_words
from core import trace
from core.db.database import AWAY, Database, work_left
from core.db.tables import Contact, Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import Document, message_from_json
from core.shop import Shop

LOG = logging.getLogger(__name__)
AT_ONCE = 32
"""How many messages of a channel are under way at a time."""
SOON, NOT_SO_SOON = 0.02, 2.0
"""Seconds: how soon to look again for what was written and not found, and when to leave it to the tick."""
RENEW_EVERY = outbox.LEASE / 4
WITH_WINDOW = "whatsapp"
WINDOW = timedelta(hours=24)
"""WhatsApp: how long after a person's last message anything may be said."""
BROKEN_OFF: tuple[type[BaseException], ...] = (*AWAY, asyncio.CancelledError)
"""What leaves open whether something was noted."""
LAST_WORDS = timedelta(seconds=0.5)
"""How long a server that stops waits for the database to note what it leaves to others, and for what is being noted."""


class _Lost(Exception):
    """A message is no longer ours to send: somebody else has claimed it, or nobody wants it any more."""


@dataclass
class _Lane:
    """One channel: what waits to be sent by us, and what is being sent."""

    loop: Loop
    claimed: list[Outbox] = field(default_factory=list)
    """Claimed as they were written, not begun yet."""
    under_way: Crew[str | None] = field(default_factory=lambda: Crew(AT_ONCE))
    looking: bool = True
    """Whether there may be due messages in the database that nobody has claimed."""
    looked_past: bool = False
    """Whether something was in hand when we looked: its chat's next message was passed over."""
    expected: float = 0
    """Something was written and not found: in how many seconds to look again; 0: nothing is expected."""

    @property
    def trouble(self) -> str | None:
        return self.loop.trouble or self.under_way.trouble


class Dispatcher:
    """Sends what the outbox holds; each channel for itself, so that a slow one holds up no other."""

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
        self._in_hand: dict[int, Outbox] = {}
        """All that is claimed and not recorded, by id."""
        self._shown: set[int] = set()
        """Of those, what a vendor may have seen."""
        self._showing = Together(self._show)
        self._lanes = {channel: _Lane(Loop(f"outbox of {channel}", self._work(channel))) for channel in senders}
        self._renewing = Repeated("claims", self._renew, RENEW_EVERY)
        self._recording = Loop("outbox's records", self._record)
        """Beside the lanes: what was just sent must not wait for them, or a crash leaves it unclear."""

    async def run(self) -> None:
        """Send until stopped, and then what was handed over meanwhile; cancelled, it leaves the rest to others."""
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
            await asyncio.wait({renewing, recording}, timeout=LAST_WORDS.total_seconds())
            await self._let_go()

    def send(self, claimed: Iterable[Outbox]) -> None:
        """Take over messages that were claimed as they were written, to chats that have just spoken."""
        for row in claimed:
            if lane := self._lanes.get(row.channel):
                self._in_hand[row.id] = row
                lane.claimed.append(row)
                lane.loop.wake()

    def wake(self, *channels: str) -> None:
        """Something was written for these channels, or (none is named) may have been for any."""
        self._recording.wake()
        for channel in channels or self._lanes:
            if lane := self._lanes.get(channel):
                lane.looking = True
                lane.expected = SOON if channels else 0
                lane.loop.wake()

    def stop(self) -> None:
        """Finish what is being sent, then end."""
        for lane in self._lanes.values():
            lane.loop.stop()

    @property
    def trouble(self) -> str | None:
        """Why messages of some channel don't go out, None where all is well."""
        stopped = (f"{channel}: {lane.trouble}" for channel, lane in self._lanes.items() if lane.trouble)
        return next(stopped, self._renewing.trouble or self._recording.trouble)

    async def run_once(self, *channels: str) -> int:
        """Send the first due message of each chat of these channels (all, when none is named), and wait; how many were claimed."""
        await self._record()
        found = await self._look(channels or tuple(self._lanes), AT_ONCE)
        for lane in self._lanes.values():
            await lane.under_way.all_ended()
        await self._record()
        return found

    # --- taking ------------------------------------------------------------------------------------

    def _work(self, channel: str) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            lane = self._lanes[channel]
            if begun := self._begin_claimed(lane):
                return begun
            if not (lane.looking and lane.under_way.room):
                return 0
            lane.looking, lane.looked_past = False, bool(self._in_hand)
            found = await self._look([channel], lane.under_way.room)
            if found:
                lane.looking, lane.expected = True, 0
            elif not lane.looked_past:
                self._look_again(lane)
            return found

        return work

    def _look_again(self, lane: _Lane) -> None:
        """What was written may wait behind what another process is sending, who doesn't tell us when that has gone."""
        if self._database.is_sqlite or not 0 < lane.expected <= NOT_SO_SOON:
            return

        def look() -> None:
            lane.looking = True
            lane.loop.wake()

        asyncio.get_running_loop().call_later(lane.expected, look)
        lane.expected *= 2

    def _begin_claimed(self, lane: _Lane) -> int:
        begun = [lane.claimed.pop(0) for _ in range(min(lane.under_way.room, len(lane.claimed)))]
        for row in begun:
            self._begin(row, in_session=True)
        return len(begun)

    async def _look(self, channels: Sequence[str], most: int) -> int:
        """Claim what is due and begin to send it; how many were claimed."""
        now = self._clock()
        async with self._database.write() as session:
            rows = await outbox_claims.claim(session, now=now, limit=most, channels=channels, in_hand=self._in_hand)
            wanted = [row for row in rows if row.state == "sending"]
            closed = await _closed_windows(session, wanted, now)
            others = await outbox_claims.vendor_ids(session, [row for row in wanted if row.attempts > 1])
        for row in wanted:
            self._begin(row, in_session=row.address not in closed, others=others)
        return len(rows)

    # --- sending -----------------------------------------------------------------------------------

    def _begin(self, row: Outbox, *, in_session: bool, others: Collection[str] = ()) -> None:
        self._in_hand[row.id] = row
        sending = self._send(row, in_session=in_session, others=others)
        self._lanes[row.channel].under_way.begin(sending, partial(self._ended, row))

    async def _send(self, row: Outbox, *, in_session: bool, others: Collection[str]) -> str | None:
        trace.follow(row.trace, row.address, *personal_words(row.body))
        if row.unclear > outbox_claims.MOST_UNCLEAR:
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
            parts_left=row.parts_left,
            others=others,
        )
        if pace := self._paces.get(row.channel):
            await pace.turn()
        if not row.shown:
            await self._showing.do(row)
            if not row.shown:
                raise _Lost
        self._shown.add(row.id)
        with metrics.vendor_call(row.channel):
            return await self._senders[row.channel].send(parcel)

    async def _show(self, rows: Sequence[Outbox]) -> None:
        async with self._database.write() as session:
            still_ours = await outbox_claims.show(session, rows)
        for row in rows:
            row.shown = row.id in still_ours

    def _ended(self, row: Outbox, outcome: Outcome) -> None:
        if isinstance(outcome, _Lost):
            self._forget(row)
        else:
            self._unrecorded.append((row, outcome))
            self._recording.wake()
        self._lanes[row.channel].loop.wake()

    # --- recording ---------------------------------------------------------------------------------

    async def _record(self) -> int:
        """Write down what became of the messages sent, and how many; kept for the next time while the database is away."""
        done, self._unrecorded = self._unrecorded, []
        if not done:
            return 0
        try:
            await self._write_down(done)
        except BROKEN_OFF:
            self._unrecorded += done
            raise
        except Exception:
            LOG.exception("what became of %d messages can't be recorded together: a bug", len(done))
            await self._record_one_by_one(done)
        return len(done)

    async def _record_one_by_one(self, done: Sequence[tuple[Outbox, Outcome]]) -> None:
        """What can't be recorded at all must not hold up the rest: its claim ends, and it is sent once more at most."""
        for number, (row, outcome) in enumerate(done):
            try:
                await self._write_down([(row, outcome)])
            except BROKEN_OFF:
                self._unrecorded += done[number:]
                raise
            except Exception:
                LOG.exception("what became of message %s can't be recorded: a bug", row.id)
                self._forget(row)

    async def _write_down(self, done: Sequence[tuple[Outbox, Outcome]]) -> None:
        now = self._clock()
        async with self._database.write() as session:
            await results.record(session, done, shop=self._shop, channels=self._senders, chance=self._chance, now=now)
        for row, _ in done:
            self._forget(row)
        if work := work_left(session):
            self.wake(*work)

    def _forget(self, row: Outbox) -> None:
        self._in_hand.pop(row.id, None)
        self._shown.discard(row.id)
        lane = self._lanes[row.channel]
        if lane.looked_past:
            self.wake(row.channel)

    # --- holding on, and letting go ----------------------------------------------------------------

    async def _renew(self) -> None:
        """A vendor may take longer than a lease, and more may wait behind it; another process must not take those."""
        if self._in_hand:
            async with self._database.write() as session:
                await outbox_claims.renew(session, self._in_hand.values(), now=self._clock())

    async def _finish(self) -> None:
        """Send what was handed over, and wait for what is under way."""
        for lane in self._lanes.values():
            while lane.claimed or lane.under_way:
                self._begin_claimed(lane)
                await lane.under_way.one_ended()

    async def _let_go(self) -> None:
        """Leave to others what no vendor has seen; of the rest nobody knows whether it arrived."""
        for lane in self._lanes.values():
            await lane.under_way.cancel()
        try:
            async with asyncio.timeout(LAST_WORDS.total_seconds()):
                await self._record()
                unseen = [row for row in self._in_hand.values() if row.id not in self._shown]
                if unseen:
                    async with self._database.write() as session:
                        await outbox_claims.hand_back(session, unseen)
        except AWAY as error:  # then the lease must run out
            LOG.warning("claims can't be given back: the database is away (%s)", type(error).__name__)


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
