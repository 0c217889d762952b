"""Takes messages from every channel: one transaction per turn, a chat's messages in order.

take ── turn ──> answered        replies are claimed and sent at once
   │      └─ a bug ──> kept, apologized for, reported to staff ── replay, later ──> answered
   └─ over the chat's rate limit ──> noted unread; the chat is told once a minute
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from weakref import WeakValueDictionary

from bot.transactions import Transactions
from bot.watching import metrics
from conversations.engine import CatalogueChanged, Engine, IfOld
from conversations.incoming import Incoming
from core import media, trace
from core.context import Context, Effects
from core.db.database import AWAY, advisory_lock
from core.db.tables import Outbox
from core.limits import Limiter
from core.messaging import outbox, outbox_claims
from core.messaging.messages import Say, message, say
from core.notices.tell import STAFF_LANGUAGE, tell_admins
from core.people import contacts
from core.upkeep import failed_turns

WARNINGS = "1/minute"
"""How often a chat over its rate limit is told so."""

_log = logging.getLogger(__name__)


class Intake:
    """Takes messages.

    `keep_photo` stores a photo by channel and handle, `send` gets the claimed replies, `wake` the names of workers with
    new work. `limit` is the rate limit per chat and process (`core.limits`).
    """

    def __init__(
        self,
        transactions: Transactions,
        engine: Engine,
        *,
        fresh: Callable[[], str],
        keep_photo: Callable[[str, str], Awaitable[str | None]],
        send: Callable[[Sequence[Outbox]], None],
        wake: Callable[..., None],
        limit: str = "off",
    ) -> None:
        self._transactions = transactions
        self._engine = engine
        self._fresh = fresh
        self._keep_photo = keep_photo
        self._send = send
        self._wake = wake
        self._limit, self._warnings = Limiter(limit), Limiter(WARNINGS)
        self._chats = WeakValueDictionary[str, asyncio.Lock]()
        """A lock per chat with a turn in progress, which covers fetching photos."""

    async def take(self, incoming: Incoming) -> None:
        """Answer a message in one transaction, committed when this returns.

        Raises only the errors in `core.db.database.AWAY`: then nothing is stored, and the vendor must send it again.
        """
        _trace(incoming)
        if self._limit.wait(_chat(incoming), self._transactions.clock()):
            effects = await self._leave_unread(incoming)
        else:
            effects = await self._answer(incoming)
        if effects.replies:
            metrics.refused(effects.replies)
            self._send(effects.replies)
        if effects.work:
            self._wake(*effects.work)

    async def take_missed(self, channel: str, messages: Sequence[Incoming]) -> None:
        """Answer those messages of a channel that never came in; raises what `take` raises.

        Messages already taken are skipped: they would count against their chats' rate limits.
        """
        async with self._transactions.read() as ctx:
            unseen = await failed_turns.not_received(ctx.session, channel, [incoming.event_id for incoming in messages])
        for incoming in messages:
            if incoming.event_id in unseen:
                await self.take(incoming)

    async def replay(self, incoming: Incoming) -> bool:
        """Run a failed message's turn again; False if it was already answered. The server's loops send the replies.

        Raises what the turn raises: then the message is still kept.
        """
        _trace(incoming)

        async def again(ctx: Context, whole: Incoming, if_old: IfOld) -> bool:
            if not await failed_turns.reopen(ctx.session, incoming.channel, incoming.event_id):
                return False
            await self._engine.take_turn(ctx, whole, fresh=self._fresh(), if_old=if_old)
            await outbox_claims.hand_back(ctx.session, ctx.effects.replies)
            return True

        _, replayed = await self._in_order(incoming, again)
        return replayed

    async def _answer(self, incoming: Incoming) -> Effects:
        try:
            with metrics.turn(incoming.channel):
                return await self._turn(incoming)
        except AWAY:
            self._limit.give_back(_chat(incoming))  # the vendor sends it again
            raise
        except Exception as bug:  # noqa: BLE001
            # Whatever the bug is, the message must not be lost.
            _log.exception("turn failed")
            return await self._keep(incoming, type(bug).__name__)

    async def _turn(self, incoming: Incoming) -> Effects:
        if incoming.unread:
            raise incoming.unread

        async def turn(ctx: Context, whole: Incoming, if_old: IfOld) -> bool:
            return await self._engine.take_turn(ctx, whole, fresh=self._fresh(), if_old=if_old)

        effects, _ = await self._in_order(incoming, turn)
        return effects

    async def _in_order(
        self, incoming: Incoming, act: Callable[[Context, Incoming, IfOld], Awaitable[bool]]
    ) -> tuple[Effects, bool]:
        """Act on the message with its photos in a transaction; the chat's next message waits, in every process.

        Photos are only stored when the turn wants them, before the transaction opens. A catalogue that has changed is
        loaded outside of the transaction, once.
        """
        chat = _chat(incoming)
        async with AsyncExitStack() as stack:
            # asyncio.Lock is first come, first served.
            await stack.enter_async_context(self._chats.setdefault(chat, asyncio.Lock()))
            with_photos = bool(incoming.media) and await self._wants_photos(incoming)
            if with_photos:
                await stack.enter_async_context(self._transactions.database.lock(chat))
                kept = [await self._keep_photo(incoming.channel, handle) for handle in incoming.media]
                keys = [key for key in kept if key]
                incoming = replace(
                    incoming,
                    photos=tuple(key for key in keys if media.is_key(key)),
                    files=tuple(key for key in keys if media.is_file_key(key)),
                )

            async def once(if_old: IfOld) -> tuple[Effects, bool]:
                async with self._transactions.write() as ctx:
                    if not with_photos:
                        await advisory_lock(ctx.session, chat)
                    done = await act(ctx, incoming, if_old)
                return ctx.effects, done

            try:
                return await once(IfOld.RAISE)
            except CatalogueChanged:
                await self.refresh()
            return await once(IfOld.USE)

    async def refresh(self) -> None:
        """Load the catalogue if it has changed."""
        async with self._transactions.read() as ctx:
            await self._engine.refresh(ctx.session)

    async def _wants_photos(self, incoming: Incoming) -> bool:
        async with self._transactions.read() as ctx:
            return await self._engine.wants_photos(ctx, incoming)

    async def _keep(self, incoming: Incoming, error: str) -> Effects:
        channel, event_id = incoming.channel, incoming.event_id
        async with self._transactions.write() as ctx:
            is_new = await failed_turns.store(
                ctx.session,
                channel=channel,
                event_id=event_id,
                address=incoming.address,
                raw=incoming.raw,
                error=error,
                now=ctx.now,
            )
            if is_new:
                event = f"{channel}:{event_id}"
                if incoming.address:
                    sorry = say("bug.sorry") if ctx.shop.admin_addresses else say("bug.alone", contact=ctx.shop.contact)
                    await _reply(ctx, incoming, sorry, key=f"sorry:{event}")
                notice = message(say("bug.staff", event=event))
                # A vendor that changes its fields does so in every message: once a day will do.
                key = f"unread:{channel}:{ctx.now:%Y-%m-%d}" if incoming.unread else f"bug:{event}"
                await tell_admins(ctx, key, notice)
        return ctx.effects

    async def _leave_unread(self, incoming: Incoming) -> Effects:
        """Note that the message came, so that it isn't taken later, and tell the chat."""
        metrics.UNREAD.labels(incoming.channel).inc()
        async with self._transactions.write() as ctx:
            channel, event_id = incoming.channel, incoming.event_id
            is_new = await contacts.record_inbound(ctx.session, channel, event_id, incoming.address, ctx.now)
            if is_new and not self._warnings.wait(_chat(incoming), ctx.now):
                _log.warning("a chat is over its rate limit: its messages stay unread")
                await _reply(ctx, incoming, say("flood.unread"), key=f"unread:{channel}:{event_id}")
        return ctx.effects


async def _reply(ctx: Context, incoming: Incoming, text: Say, *, key: str) -> None:
    contact = await contacts.find(ctx.session, incoming.channel, incoming.address)
    await outbox.enqueue(
        ctx,
        key=key,
        channel=incoming.channel,
        address=incoming.address,
        language=contact.language if contact else STAFF_LANGUAGE,
        message=message(text),
    )


def _chat(incoming: Incoming) -> str:
    return f"{incoming.channel}:{incoming.address}"


def _trace(incoming: Incoming) -> None:
    """Log under the message's id from here on, with the sender's data masked."""
    personal = (incoming.name, incoming.text, incoming.address, incoming.phone)
    trace.follow(f"{incoming.channel}:{incoming.event_id}", *personal)
