"""A reply is claimed when it is written, and sent once, in its chat's order, without a poll."""

import asyncio
from datetime import datetime, timedelta

import pytest
from shops import make_shop
from sqlalchemy import select

from bot.channels.sending import File, Outgoing
from bot.outbox.dispatch import Dispatcher
from bot.transactions import Transactions
from core.context import Context
from core.db.database import Database
from core.db.tables import Outbox
from core.messaging import outbox
from core.messaging.messages import Document, message, say
from core.shop import Shop

HELLO = message(say("notice.see_you"))


class Channel:
    """A vendor that records messages, and answers when its gate is open."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.arrived = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, outgoing: Outgoing) -> str | None:
        self.taken.append(outgoing)
        self.arrived.release()
        await self.gate.wait()
        return "m1"


class Post:
    """A dispatcher for one channel."""

    def __init__(self, database: Database, shop: Shop, now: datetime, channel: str = "whatsapp") -> None:
        self.database, self.now, self.name, self.channel = database, now, channel, Channel()
        self.dispatcher = Dispatcher(
            Transactions(database, shop, lambda: self.now), {channel: self.channel}, files=_file, chance=lambda: 0.0
        )

    async def reply(self, key: str, address: str = "1") -> tuple[Outbox, ...]:
        """Commit a reply as a turn does; returns what was claimed."""
        async with self.database.write() as session:
            ctx = Context(session, make_shop(), self.now)
            await outbox.reply(ctx, key=key, channel=self.name, address=address, language="id", message=HELLO)
        effects = ctx.effects
        assert bool(effects.replies) != bool(effects.work), "either it is claimed or a worker is woken"
        return tuple(effects.replies)

    async def states(self) -> dict[str, str]:
        async with self.database.read() as session:
            return dict((await session.execute(select(Outbox.key, Outbox.state))).all())


async def _file(document: Document) -> File:
    raise LookupError(document.id)


@pytest.fixture
def post(database: Database, shop: Shop, now: datetime) -> Post:
    return Post(database, shop, now)


async def test_a_claimed_reply_is_sent_without_a_poll(post: Post) -> None:
    running = asyncio.create_task(post.dispatcher.run())
    post.dispatcher.send(await post.reply("reply"))
    await post.channel.arrived.acquire()
    post.dispatcher.stop()
    await running
    (outgoing,) = post.channel.taken
    assert (outgoing.key, outgoing.in_session, outgoing.attempts) == ("reply", True, 0)
    assert await post.states() == {"reply": "sent"}


async def test_a_reply_waits_behind_an_earlier_message(post: Post) -> None:
    async with post.database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), post.now),
            key="earlier",
            channel=post.name,
            address="1",
            language="id",
            message=HELLO,
        )
    assert await post.reply("reply") == ()
    while await post.dispatcher.run_once():
        pass
    assert [outgoing.key for outgoing in post.channel.taken] == ["earlier", "reply"]


async def test_a_later_reminder_holds_up_no_reply(post: Post) -> None:
    async with post.database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), post.now),
            key="reminder",
            channel=post.name,
            address="1",
            language="id",
            message=HELLO,
            due_at=post.now + timedelta(days=1),
        )
    assert [row.key for row in await post.reply("reply")] == ["reply"]


async def test_another_chats_message_holds_up_no_reply(post: Post) -> None:
    await post.reply("reply", address="2")
    assert [row.key for row in await post.reply("another", address="1")] == ["another"]


async def test_a_reply_is_sent_after_a_crash(post: Post) -> None:
    await post.reply("reply")
    assert await post.dispatcher.run_once() == 0
    post.now += outbox.LEASE
    assert await post.dispatcher.run_once() == 1
    assert await post.states() == {"reply": "sent"}


async def test_a_reply_is_sent_while_the_dispatcher_stops(post: Post) -> None:
    first, last = await post.reply("first"), await post.reply("last", address="2")
    post.channel.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    post.dispatcher.send(first)
    await post.channel.arrived.acquire()
    post.dispatcher.stop()
    post.dispatcher.send(last)
    post.channel.gate.set()
    await running
    assert await post.states() == {"first": "sent", "last": "sent"}


async def test_replies_for_a_channel_that_is_off_are_ignored(post: Post, shop: Shop) -> None:
    elsewhere = Post(post.database, shop, post.now, channel="telegram")
    post.dispatcher.send(await elsewhere.reply("reply"))
    post.dispatcher.stop()
    await post.dispatcher.run()
    assert post.channel.taken == []
