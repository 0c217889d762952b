"""Where a message comes in from any channel: one transaction a turn, and nothing lost when a turn fails."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from conversations.engine import Engine
from conversations.incoming import Incoming
from core import outbox, people
from core.database import AWAY, Database, work_left
from core.messages import message, say
from core.shop import Shop
from core.tables import Inbound, Outbox

_log = logging.getLogger(__name__)


class Intake:
    """Takes messages; `keep_photo` stores a photo by its channel and handle, `send` gets the replies, `wake` the names of those for whom a turn left other work."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        shop: Shop,
        *,
        clock: Callable[[], datetime],
        fresh: Callable[[], str],
        keep_photo: Callable[[str, str], Awaitable[str | None]],
        send: Callable[[Sequence[Outbox]], None],
        wake: Callable[..., None],
    ) -> None:
        self._database = database
        self._engine = engine
        self._shop = shop
        self._clock = clock
        self._fresh = fresh
        self._keep_photo = keep_photo
        self._send = send
        self._wake = wake

    async def take(self, incoming: Incoming) -> None:
        """Answer a message in one transaction, committed when this returns.

        Raises only what `core.database.AWAY` names: then nothing was kept, and the vendor must send it again.
        """
        incoming = await self._with_photos(incoming) if incoming.media else incoming
        try:
            async with self._database.write() as session:
                await self._engine.take_turn(session, incoming, now=self._clock(), fresh=self._fresh())
        except AWAY:
            raise
        except Exception:  # noqa: BLE001
            # A bug: whatever it is, the message must not be lost with it.
            _log.exception("turn failed: %s %s", incoming.channel, incoming.event_id)
            async with self._database.write() as session:
                await self._keep(session, incoming)
        if replies := outbox.claimed(session):
            self._send(replies)
        if work := work_left(session):
            self._wake(*work)

    async def _with_photos(self, incoming: Incoming) -> Incoming:
        """The message with its photos stored, where they are of use: outside any transaction, and from few people."""
        async with self._database.read() as session:
            wanted = await self._engine.wants_photos(session, incoming)
        if not wanted:
            return incoming
        kept = [await self._keep_photo(incoming.channel, handle) for handle in incoming.media]
        return replace(incoming, photos=tuple(photo for photo in kept if photo))

    async def _keep(self, session: AsyncSession, incoming: Incoming) -> None:
        """Keep the raw message, tell the person, and tell the admins."""
        now, event = self._clock(), f"{incoming.channel}:{incoming.event_id}"
        if not await people.note_arrival(session, incoming.channel, incoming.event_id, incoming.address, now):
            return
        kept = (Inbound.channel == incoming.channel) & (Inbound.event_id == incoming.event_id)
        await session.execute(update(Inbound).where(kept).values(raw=dict(incoming.raw), error="turn failed"))
        await outbox.enqueue(
            session,
            key=f"sorry:{event}",
            channel=incoming.channel,
            address=incoming.address,
            language="id",
            message=message(say("bug.sorry")),
            now=now,
        )
        for channel, address in self._shop.admin_addresses:
            await outbox.enqueue(
                session,
                key=f"bug:{event}:{channel}:{address}",
                channel=channel,
                address=address,
                language="id",
                message=message(say("bug.staff", event=event)),
                now=now,
                kind="staff",
            )
