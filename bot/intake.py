"""Takes messages from every channel: one transaction per turn, a chat's messages in order.

take ── turn ──> answered        replies are claimed and sent at once
   │      └─ a bug ──> kept, apologized for, reported to staff ── replay, later ──> answered
   ├─ more of the thought may follow ──> held, committed ── `bursts` ──> one turn for all of them
   └─ over the chat's rate limit ──> noted unread; the chat is told once a minute

Nothing is held in memory alone: Telegram sends a chat's next message only after it got the answer to the one before
(WebhookActor.cpp in https://github.com/tdlib/telegram-bot-api), so the webhook can't wait for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from bot.background.burst_worker import BurstWorker, Chat
from bot.transactions import Transactions
from bot.watching import metrics
from conversations import bursts
from conversations.engine import CatalogueChanged, Engine, IfOld, Unread
from conversations.incoming import Incoming, together
from core import media, trace
from core.context import Context, Effects
from core.db.database import AWAY, advisory_lock
from core.db.tables import Inbound, Outbox
from core.limits import Limiter
from core.messaging import outbox, outbox_claims
from core.messaging.messages import Say, message, say
from core.notices.tell import STAFF_LANGUAGE, tell_admins
from core.people import contacts
from core.upkeep import bursts as held_messages
from core.upkeep import failed_turns
from webhooks import telegram, twilio

READERS: Mapping[str, Callable[[Mapping[str, Any]], Incoming | None]] = {
    "telegram": telegram.read_kept,
    "whatsapp": twilio.read,
}
"""By channel, how a stored payload is read."""
WARNINGS = "1/minute"
"""How often a chat over its rate limit is told so."""

_log = logging.getLogger(__name__)


class Intake:
    """Takes messages.

    `keep_photo` stores a photo by channel and handle, `send` gets the claimed replies, `wake` the names of workers with
    new work. `limit` is the rate limit per chat and process (`core.limits`). `gap` is the longest pause between messages
    that are answered together; 0: each by itself. `bursts` must run to answer those. `second` finds acts in lines that
    our own reading leaves words of, as JSON and in time; None: nobody does.
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
        gap: timedelta = timedelta(),
        second: Callable[[Unread], Awaitable[tuple[Any, ...]]] | None = None,
    ) -> None:
        self._transactions = transactions
        self._engine = engine
        self._fresh = fresh
        self._keep_photo = keep_photo
        self._send = send
        self._wake = wake
        self._limit, self._warnings = Limiter(limit), Limiter(WARNINGS)
        self._gap = gap
        self._second = second
        self.bursts = BurstWorker(self._look_for_due, self.answer_held)
        self._chats = WeakValueDictionary[str, asyncio.Lock]()
        """A lock per chat with a turn in progress, which covers fetching photos."""

    async def take(self, incoming: Incoming) -> None:
        """Answer a message in one transaction, or hold it until its chat is silent; committed when this returns.

        Raises only the errors in `core.db.database.AWAY`: then nothing is stored, and the vendor must send it again.
        """
        _trace(incoming)
        if self._limit.wait(_chat(incoming), self._transactions.clock()):
            self._follow_up(await self._leave_unread(incoming))
            return
        try:
            await self._hold_or_answer(incoming)
        except AWAY:
            self._limit.give_back(_chat(incoming))  # the vendor sends it again
            raise

    async def _hold_or_answer(self, incoming: Incoming) -> None:
        chat = (incoming.channel, incoming.address)
        before = await self._held(chat) if self._gap else []
        if before and not bursts.belongs(incoming, [part for part, _ in before]):
            await self.answer_held(chat)
            _trace(incoming)
            before = []
        wait = bursts.wait_after(incoming, self._gap)
        if wait and len(before) + 1 < bursts.MOST_PARTS:
            await self._hold(incoming, wait, arrivals=[arrived for _, arrived in before])
        else:
            whole = together([*(part for part, _ in before), incoming]) if before else incoming
            self._follow_up(await self._answer(whole))

    async def _hold(self, incoming: Incoming, wait: timedelta, *, arrivals: Sequence[datetime]) -> None:
        async with self._transactions.write() as ctx:
            await held_messages.hold(
                ctx.session,
                channel=incoming.channel,
                event_id=incoming.event_id,
                address=incoming.address,
                raw=incoming.raw,
                now=ctx.now,
                due_at=bursts.due_at(ctx.now, wait, first=arrivals[0] if arrivals else ctx.now),
                after=arrivals[-1] if arrivals else None,
            )
        self.bursts.wake()

    async def answer_held(self, chat: Chat) -> None:
        """Answer the messages of a chat that wait, in one turn; raises what `take` raises."""
        held = await self._held(chat)
        if held:
            whole = together([part for part, _ in held])
            _trace(whole)
            self._follow_up(await self._answer(whole))

    async def _held(self, chat: Chat) -> list[tuple[Incoming, datetime]]:
        """The messages of a chat that wait, and when each arrived."""
        async with self._transactions.read() as ctx:
            rows = await held_messages.held(ctx.session, chat=chat)
        return [(_read(row), row.received_at) for row in rows]

    async def _look_for_due(self) -> tuple[list[Chat], timedelta | None]:
        """The chats whose turn is due, and how long until the next one's is."""
        async with self._transactions.read() as ctx:
            rows = await held_messages.held(ctx.session)
        due_at = {(row.channel, row.address): row.due_at or ctx.now for row in rows}  # the newest message decides
        waits = [moment - ctx.now for moment in due_at.values() if moment > ctx.now]
        return [chat for chat, moment in due_at.items() if moment <= ctx.now], min(waits, default=None)

    def _follow_up(self, effects: Effects) -> None:
        """Send the replies, and wake the workers, of a turn that is committed."""
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
            raise
        except Exception as bug:  # noqa: BLE001
            # Whatever the bug is, the message must not be lost.
            _log.exception("turn failed")
            return await self._keep(incoming, type(bug).__name__)

    async def _turn(self, incoming: Incoming) -> Effects:
        if incoming.unread:
            raise incoming.unread

        async def turn(ctx: Context, whole: Incoming, if_old: IfOld) -> bool:
            await self._release(ctx, whole)
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
            incoming = await self._read_again(incoming)
            with_photos = bool(incoming.media) and await self._wants_photos(incoming)
            if with_photos:
                await stack.enter_async_context(self._transactions.database.lock(chat))
                incoming = together([await self._with_photos(part) for part in incoming.each])

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

    async def _read_again(self, incoming: Incoming) -> Incoming:
        """With what the second reader finds in words that our own reading leaves; no transaction is open."""
        if self._second is None:
            return incoming
        async with self._transactions.read() as ctx:
            unread = await self._engine.unread(ctx, incoming)
        return incoming if unread is None else replace(incoming, second=await self._second(unread))

    async def refresh(self) -> None:
        """Load the catalogue if it has changed."""
        async with self._transactions.read() as ctx:
            await self._engine.refresh(ctx.session)

    async def _with_photos(self, part: Incoming) -> Incoming:
        kept = [await self._keep_photo(part.channel, handle) for handle in part.media]
        keys = [key for key in kept if key]
        return replace(
            part,
            photos=tuple(key for key in keys if media.is_key(key)),
            files=tuple(key for key in keys if media.is_file_key(key)),
        )

    async def _release(self, ctx: Context, whole: Incoming) -> None:
        """Make the turn of this transaction the one that answers what was held."""
        if whole.parts:
            await held_messages.release(ctx.session, whole.channel, whole.event_ids)

    async def _wants_photos(self, incoming: Incoming) -> bool:
        async with self._transactions.read() as ctx:
            return await self._engine.wants_photos(ctx, incoming)

    async def _keep(self, incoming: Incoming, error: str) -> Effects:
        channel, event_id = incoming.channel, incoming.event_id
        async with self._transactions.write() as ctx:
            await self._release(ctx, incoming)
            if any([await _store(ctx, part, error) for part in incoming.each]):
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


def _read(row: Inbound) -> Incoming:
    """A message that was held."""
    try:
        incoming = READERS[row.channel](row.raw or {})
    except Exception as bug:  # noqa: BLE001 — it was read before, by another version of this program
        incoming = Incoming(row.channel, row.address, row.event_id, raw=row.raw or {}, unread=bug)
    if incoming is None:
        raise LookupError(f"{row.channel}:{row.event_id} holds no message")
    return replace(incoming, written_at=incoming.written_at or row.received_at)


async def _store(ctx: Context, part: Incoming, error: str) -> bool:
    return await failed_turns.store(
        ctx.session,
        channel=part.channel,
        event_id=part.event_id,
        address=part.address,
        raw=part.raw,
        error=error,
        now=ctx.now,
    )


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
