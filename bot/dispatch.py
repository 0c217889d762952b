"""The outbox loop: takes what is due, sends chats side by side, records what became of it.

    claim (one transaction) ──> send, no transaction ──> record (one transaction)

A crash between sending and recording leaves the claim's lease to run out; the message is then sent
once more (facts: at least once, resent once at most).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.loop import Loop
from bot.sending import File, NotSent, OutsideWindow, Parcel, Sender, Unclear, Undeliverable
from core import notices, outbox
from core.database import AWAY, Database
from core.messages import Document, message_from_json
from core.shop import Shop
from core.tables import Contact, Outbox

LOG = logging.getLogger(__name__)
BATCH = 32
WITH_WINDOW = ("whatsapp",)
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
    ) -> None:
        self._database = database
        self._senders = senders
        self._files = files
        self._shop = shop
        self._clock = clock
        self._chance = chance
        self._unrecorded: list[tuple[Outbox, Outcome]] = []
        self._lanes = {channel: Loop(f"outbox of {channel}", self._lane(channel)) for channel in senders}

    async def run(self) -> None:
        """Send until stopped."""
        await asyncio.gather(*(lane.run() for lane in self._lanes.values()))

    def wake(self, *channels: str) -> None:
        """Something was written for these channels (any, when none is named)."""
        for channel in channels or self._lanes:
            if channel in self._lanes:
                self._lanes[channel].wake()

    def stop(self) -> None:
        """Finish what is being sent, then end."""
        for lane in self._lanes.values():
            lane.stop()

    async def run_once(self, *channels: str) -> int:
        """Send the first due message of each chat of these channels (all, when none is named); how many there were."""
        await self._record()
        now = self._clock()
        async with self._database.write() as session:
            rows = await outbox.claim(session, now=now, limit=BATCH, channels=channels or tuple(self._senders))
            in_session = await _in_session(session, rows, now)
        outcomes = await asyncio.gather(
            *(
                self._send(row, in_session=row.channel not in WITH_WINDOW or (row.channel, row.address) in in_session)
                for row in rows
            ),
            return_exceptions=True,
        )
        self._unrecorded += zip(rows, outcomes, strict=True)
        await self._record()
        return len(rows)

    def _lane(self, channel: str) -> Callable[[], Awaitable[int]]:
        return lambda: self.run_once(channel)

    async def _send(self, row: Outbox, *, in_session: bool) -> str | None:
        letter = message_from_json(row.body)
        return await self._senders[row.channel].send(
            Parcel(
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
        )

    async def _record(self) -> None:
        """Write down what became of the messages sent; kept for the next time while the database is away."""
        if not self._unrecorded:
            return
        done, self._unrecorded = self._unrecorded, []
        now = self._clock()
        try:
            async with self._database.write() as session:
                for row, outcome in done:
                    await self._record_one(session, row, outcome, now)
        except AWAY:
            self._unrecorded = done + self._unrecorded
            raise

    async def _record_one(self, session: AsyncSession, row: Outbox, outcome: Outcome, now: datetime) -> None:
        jitter = self._chance()
        match outcome:
            case None | str():
                await outbox.sent(session, row, vendor_id=outcome, now=now)
            case NotSent():
                await outbox.retry(session, row, reason=str(outcome), now=now, jitter=jitter, after=outcome.retry_after)
            case Unclear():
                await outbox.unclear(session, row, reason=str(outcome), now=now, jitter=jitter)
            case Undeliverable() | OutsideWindow():
                await self._give_up(session, row, outcome, now)
            case error if isinstance(error, AWAY):  # the file couldn't be read
                await outbox.retry(session, row, reason=type(error).__name__, now=now, jitter=jitter)
            case error:
                LOG.error("outbox %s can't be sent: a bug", row.key, exc_info=error)
                await outbox.failed(session, row, reason=repr(error))

    async def _give_up(
        self, session: AsyncSession, row: Outbox, why: Undeliverable | OutsideWindow, now: datetime
    ) -> None:
        await outbox.failed(session, row, reason=str(why) or type(why).__name__)
        if isinstance(why, Undeliverable) and why.unreachable:
            await outbox.chat_closed(session, channel=row.channel, address=row.address, reason=str(why), now=now)
        await notices.unreached(session, row, message_from_json(row.body), shop=self._shop, now=now)


async def _in_session(session: AsyncSession, rows: Sequence[Outbox], now: datetime) -> set[tuple[str, str]]:
    addresses = {row.address for row in rows if row.channel in WITH_WINDOW}
    if not addresses:
        return set()
    seen = await session.execute(
        select(Contact.channel, Contact.address).where(
            Contact.channel.in_({row.channel for row in rows}),
            Contact.address.in_({row.address for row in rows}),
            Contact.last_seen_at > now - WINDOW,
        )
    )
    return {(channel, address) for channel, address in seen}
