"""The dispatcher: what each error does to a message, and that nothing is lost or sent twice."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Self

import pytest
from paying import ADMIN, CHAT, book, booking_of
from shops import make_shop
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError
from waiting import HANG, committing, until

from bot.channels.sending import File, NotSent, Outgoing, OutsideWindow, RateLimit, Unclear, Undeliverable
from bot.outbox.dispatch import MAX_SENDING, Dispatcher
from bot.transactions import Transactions
from core.context import Context, Work
from core.db.database import Database
from core.db.tables import Booking, Contact, Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import Document, message, say
from core.shop import Shop

MINUTE = timedelta(minutes=1)
HELLO = message(say("notice.see_you"))


class Channel:
    """A vendor that records messages; it raises `answers` in turn, and waits for `gate`."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.answers: list[BaseException] = []
        self.arrived = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.slow: set[str] = set()
        """The keys that wait for the gate; if it is empty, all."""

    async def send(self, outgoing: Outgoing) -> str | None:
        self.taken.append(outgoing)
        self.arrived.release()
        if not self.slow or outgoing.key in self.slow:
            await self.gate.wait()
        if self.answers:
            raise self.answers.pop(0)
        return f"m-{outgoing.key}"

    @property
    def keys(self) -> list[str]:
        return [outgoing.key for outgoing in self.taken]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Post:
    """A dispatcher with its channels, clock and database."""

    def __init__(
        self, database: Database, shop: Shop, now: datetime, per_second: Mapping[str, int] | None = None
    ) -> None:
        self.database, self.clock = database, Clock(now)
        self.telegram, self.whatsapp, self.email = Channel(), Channel(), Channel()
        self.senders = {"telegram": self.telegram, "whatsapp": self.whatsapp, "email": self.email}
        self.dispatcher = _dispatcher(self, shop, per_second=per_second or {})

    async def write(self, key: str, **changes: Any) -> None:
        values = {"channel": "telegram", "address": "1", "language": "id", "message": HELLO} | changes
        async with self.database.write() as session:
            await outbox.enqueue(Context(session, make_shop(), self.clock.now), key=key, **values)

    async def row(self, key: str) -> Outbox:
        async with self.database.read() as session:
            return (await session.scalars(select(Outbox).where(Outbox.key == key))).one()


def _dispatcher(post: Post, shop: Shop, **changes: Any) -> Dispatcher:
    """The dispatcher of another process with the same database and clock."""
    usual = {"files": _file, "chance": lambda: 0.0}
    return Dispatcher(Transactions(post.database, shop, post.clock), post.senders, **usual | changes)


async def _file(document: Document) -> File:
    return File(f"{document.id}.pdf", "application/pdf", b"%PDF", f"https://shop.example/{document.id}.pdf")


@pytest.fixture
def post(database: Database, shop: Shop, now: datetime) -> Post:
    return Post(database, shop, now)


async def test_a_message_is_sent_with_its_file_and_recorded(post: Post) -> None:
    await post.write("paid", message=message(say("notice.see_you"), document=Document("invoice", "BK-1")))
    assert await post.dispatcher.run_once() == 1
    (outgoing,) = post.telegram.taken
    assert outgoing.message.says == (say("notice.see_you"),)
    assert outgoing.file is not None
    assert outgoing.file.name == "BK-1.pdf"
    row = await post.row("paid")
    assert (row.state, row.vendor_id, row.sent_at) == ("sent", "m-paid", post.clock.now)
    assert await post.dispatcher.run_once() == 0


async def test_each_chats_messages_are_sent_in_order(post: Post) -> None:
    for key, address in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        await post.write(key, address=address)
    while await post.dispatcher.run_once():
        pass
    assert post.telegram.keys == ["a1", "b1", "a2"]


@pytest.mark.parametrize(
    ("wrong", "state", "waits"),
    [
        pytest.param(NotSent("connection refused"), "due", timedelta(seconds=2), id="refused: retried soon"),
        pytest.param(
            NotSent("429", timedelta(seconds=40)),
            "due",
            timedelta(seconds=40),
            id="429: retried after the time that it says",
        ),
        pytest.param(Unclear("read timeout"), "due", timedelta(seconds=2), id="unclear: sent again"),
        pytest.param(Undeliverable("bad request"), "failed", None, id="undeliverable: given up"),
        pytest.param(OutsideWindow(), "failed", None, id="outside the window, about no booking"),
        pytest.param(ConnectionError("no file"), "due", timedelta(seconds=2), id="the database is away for its file"),
        pytest.param(KeyError("a bug"), "failed", None, id="a bug: given up, so that the chat goes on"),
    ],
)
async def test_an_error_decides_about_the_retry(
    post: Post, wrong: BaseException, state: str, waits: timedelta | None
) -> None:
    await post.write("first")
    await post.write("second")
    post.telegram.answers = [wrong]
    await post.dispatcher.run_once()
    row = await post.row("first")
    assert row.state == state
    if waits:
        assert row.not_before == post.clock.now + waits
        assert await post.dispatcher.run_once() == 0  # the second waits behind it
        post.clock.now += waits
    while await post.dispatcher.run_once():
        pass
    assert (await post.row("second")).state == "sent"


async def test_an_unclear_message_is_sent_again_and_says_so(post: Post) -> None:
    await post.write("reply")
    post.telegram.answers = [Unclear("timeout"), Unclear("timeout")]
    for _ in range(4):
        await post.dispatcher.run_once()
        post.clock.now += MINUTE
    assert [outgoing.may_have_arrived for outgoing in post.telegram.taken] == [False, True, True]
    assert (await post.row("reply")).state == "sent"


async def test_a_vendor_that_never_answers_gets_a_message_five_times(post: Post) -> None:
    await post.write("reply")
    post.telegram.answers = [Unclear("timeout")] * 9
    for _ in range(9):
        await post.dispatcher.run_once()
        post.clock.now += MINUTE
    assert post.telegram.keys.count("reply") == 5
    assert (await post.row("reply")).state == "failed"


async def test_a_crash_before_recording_repeats_a_message(post: Post, shop: Shop) -> None:
    await post.write("reply")
    async with post.database.write() as session:  # claimed, sent, and then the power failed
        await outbox_claims.claim(session, now=post.clock.now, limit=1, channels=["telegram"])
    assert await post.dispatcher.run_once() == 0
    post.clock.now += outbox.LEASE
    assert await post.dispatcher.run_once() == 1
    assert [outgoing.attempts for outgoing in post.telegram.taken] == [1]
    assert (await post.row("reply")).state == "sent"


async def _crash_while_sending(post: Post, *, times: int) -> None:
    for _ in range(times):
        async with post.database.write() as session:  # shown, perhaps sent, and then the power failed
            rows = await outbox_claims.claim(session, now=post.clock.now, limit=1, channels=["telegram"])
            await outbox_claims.mark_shown(session, rows)
        post.clock.now += outbox.LEASE


@pytest.mark.parametrize("times", [1, 2, 3, 4])
async def test_a_reply_is_sent_after_any_few_crashes(post: Post, times: int) -> None:
    """A person who waits for an answer gets it twice rather than never."""
    await post.write("reply")
    await _crash_while_sending(post, times=times)
    while await post.dispatcher.run_once():
        pass
    assert (await post.row("reply")).state == "sent"
    assert [each.may_have_arrived for each in post.telegram.taken] == [True]


async def test_a_message_shown_in_five_crashes_is_given_up(post: Post) -> None:
    await post.write("reply")
    await _crash_while_sending(post, times=5)
    while await post.dispatcher.run_once():
        pass
    assert (await post.row("reply")).state == "failed"
    assert [(each.address, each.message.says[0].key) for each in post.telegram.taken] == [
        (ADMIN[1], "alarm.given_up.head")
    ]


async def test_crashes_before_sending_do_not_count_as_attempts(post: Post, shop: Shop) -> None:
    """Making an invoice takes a while, and so does the rate limit."""
    await post.write("paid", message=message(say("notice.see_you"), document=Document("invoice", "BK-1")))
    for _ in range(3):
        drawing, dies = asyncio.Event(), asyncio.Event()

        async def draw(_: Document, drawing: asyncio.Event = drawing, dies: asyncio.Event = dies) -> File:
            drawing.set()
            await dies.wait()
            raise AssertionError

        process = asyncio.create_task(_dispatcher(post, shop, files=draw).run_once())
        await drawing.wait()
        process.cancel()
        post.clock.now += outbox.LEASE
    assert await post.dispatcher.run_once() == 1
    assert (await post.row("paid")).state == "sent"


async def test_a_message_is_not_sent_after_its_claim_is_lost(post: Post, shop: Shop) -> None:
    await post.write("paid", message=message(say("notice.see_you"), document=Document("invoice", "BK-1")))

    async def draw_too_slowly(document: Document) -> File:
        post.clock.now += outbox.LEASE
        async with post.database.write() as session:
            assert await outbox_claims.claim(session, now=post.clock.now, limit=1, channels=["telegram"])
        return await _file(document)

    slow = _dispatcher(post, shop, files=draw_too_slowly)
    assert await slow.run_once() == 1
    assert await slow.run_once() == 0
    assert post.telegram.keys == []
    row = await post.row("paid")
    assert (row.state, row.attempts) == ("sending", 2)


async def test_all_messages_of_a_closed_chat_are_mailed(post: Post, shop: Shop, now: datetime) -> None:
    await book(post.database, shop, now)
    booking = await booking_of(post.database)
    for key in ("first", "second"):
        await post.write(key, address=CHAT[1], kind="notice", booking_id=booking.id)
    post.telegram.answers = [Undeliverable("bot was blocked", unreachable=True)]
    while await post.dispatcher.run_once():
        pass
    assert sorted(post.email.keys) == ["first:email", "second:email"]


async def test_results_are_recorded_when_the_database_is_back(post: Post) -> None:
    await post.write("reply")
    post.telegram.gate.clear()
    sending = asyncio.create_task(post.dispatcher.run_once())
    await post.telegram.arrived.acquire()
    with _away(post.database):
        post.telegram.gate.set()
        with pytest.raises(OperationalError):
            await sending
    await post.dispatcher.run_once()
    post.clock.now += outbox.LEASE
    assert await post.dispatcher.run_once() == 0
    assert post.telegram.keys == ["reply"]
    assert (await post.row("reply")).state == "sent"


class _away:  # noqa: N801 — reads as a word in a with statement
    """The database rejects every statement."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine.sync_engine
        self.refused = asyncio.Event()

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._refuse)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._refuse)

    def _refuse(self, *_: Any, **__: Any) -> None:
        self.refused.set()
        raise OperationalError("", {}, Exception("database is locked"))


async def test_a_blocked_chat_is_marked_and_news_is_mailed(post: Post, shop: Shop, now: datetime) -> None:
    await book(post.database, shop, now)
    booking = await booking_of(post.database)
    await post.write("news", address=CHAT[1], kind="notice", booking_id=booking.id)
    await post.write("more", address=CHAT[1])
    post.telegram.answers = [Undeliverable("bot was blocked", unreachable=True)]
    while await post.dispatcher.run_once():
        pass
    assert (await post.row("news")).state == (await post.row("more")).state == "failed"
    assert post.email.keys == ["news:email"]
    assert post.email.taken[0].message.says[0].key == "notice.mail.news"
    async with post.database.read() as session:
        assert (await session.scalars(select(Contact.unreachable_at))).one() == now


async def test_staff_tells_a_customer_without_email(post: Post, shop: Shop, now: datetime) -> None:
    await book(post.database, shop, now, email=None)
    booking = await booking_of(post.database)
    reminder = {"channel": "whatsapp", "address": "whatsapp:+62811", "kind": "reminder", "booking_id": booking.id}
    await post.write("reminder", **reminder)
    post.whatsapp.answers = [OutsideWindow()]
    while await post.dispatcher.run_once():
        pass
    (plea,) = post.telegram.taken
    assert (plea.address, plea.kind) == (ADMIN[1], "staff")
    assert [each.key for each in plea.message.says] == ["staff.alert", "notice.see_you"]


@pytest.mark.parametrize(("until", "mailed"), [(None, ["news:email"]), (MINUTE, [])], ids=["news", "a reminder"])
async def test_a_message_that_is_too_late_is_mailed_if_useful(
    post: Post, shop: Shop, now: datetime, until: timedelta | None, mailed: list[str]
) -> None:
    await book(post.database, shop, now)
    booking = await booking_of(post.database)
    await post.write("news", address=CHAT[1], booking_id=booking.id, kind="notice", until=until and now + until)
    post.telegram.answers = [NotSent("429", timedelta(days=3))]
    while await post.dispatcher.run_once():
        pass
    assert (await post.row("news")).state == "failed"
    assert post.email.keys == mailed


async def test_a_failed_email_is_not_mailed_again(post: Post, shop: Shop, now: datetime) -> None:
    await book(post.database, shop, now)
    booking = await booking_of(post.database)
    await post.write("paid:email", channel="email", address="sari@example.com", booking_id=booking.id, kind="notice")
    post.email.answers = [Undeliverable("no such mailbox")]
    while await post.dispatcher.run_once():
        pass
    assert post.email.keys == ["paid:email"]


@pytest.mark.parametrize(
    ("ago", "open_window"),
    [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24), False), (timedelta(days=9), False)],
)
async def test_the_session_window_is_24_hours(
    post: Post, shop: Shop, now: datetime, ago: timedelta, open_window: bool
) -> None:
    await book(post.database, shop, now)
    async with post.database.write() as session:
        session.add(
            Contact(
                channel="whatsapp", address="whatsapp:+62811", customer_id=1, last_seen_at=now - ago, created_at=now
            )
        )
    await post.write("reminder", channel="whatsapp", address="whatsapp:+62811")
    await post.dispatcher.run_once("whatsapp")
    assert [outgoing.in_session for outgoing in post.whatsapp.taken] == [open_window]


async def test_a_slow_channel_holds_up_no_other(post: Post) -> None:
    await post.write("slow", channel="email", address="sari@example.com")
    await post.write("reply")
    post.email.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    await post.email.arrived.acquire()
    await post.write("next")
    post.dispatcher.wake(Work.TELEGRAM)
    await post.telegram.arrived.acquire()
    post.dispatcher.stop()
    post.email.gate.set()
    await running
    assert (await post.row("slow")).state == "sent"


async def test_a_slow_chat_holds_up_no_other(post: Post) -> None:
    await post.write("slow", address="1")
    post.telegram.slow = {"slow"}
    post.telegram.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    for key in ("quick", "quick too"):
        await post.write(key, address="2")
        post.dispatcher.wake(Work.TELEGRAM)
        await post.telegram.arrived.acquire()
    await _until(post, "quick too", "sent")
    assert (await post.row("slow")).state == "sending"
    post.telegram.gate.set()
    post.dispatcher.stop()
    await running


async def test_the_next_message_follows_without_a_tick(post: Post) -> None:
    await post.write("first")
    post.telegram.slow = {"first"}
    post.telegram.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    await post.write("second")
    await post.write("elsewhere", address="2")
    post.dispatcher.wake(Work.TELEGRAM)
    await _until(post, "elsewhere", "sent")  # the loop has looked, and passed the second over
    post.telegram.gate.set()
    await _until(post, "second", "sent")
    post.dispatcher.stop()
    await running


async def test_a_message_behind_another_process_is_sent_soon(postgres_url: str, shop: Shop, now: datetime) -> None:
    """There are no ticks here, and the other process doesn't wake this one."""
    database = Database(postgres_url)
    post = Post(database, shop, now)
    await post.write("theirs")
    async with database.write() as session:
        [theirs] = await outbox_claims.claim(session, now=now, limit=1, channels=["telegram"])
    running = asyncio.create_task(post.dispatcher.run())
    await post.write("ours")
    post.dispatcher.wake(Work.TELEGRAM)
    async with committing() as committed:
        for _ in range(2):  # the second one of its looks began after ours was written
            await committed.wait()
            committed.clear()
    async with database.write() as session:
        await outbox_claims.sent(session, [(theirs, None)], now=now)
    await _until(post, "ours", "sent")
    post.dispatcher.stop()
    await running
    await database.close()


async def _until(post: Post, key: str, state: str) -> None:
    async def is_so() -> bool:
        return (await post.row(key)).state == state

    await until(is_so)


async def test_a_clock_jump_sends_nothing_twice(post: Post) -> None:
    await post.write("slow")
    await post.write("behind it")
    post.telegram.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    post.clock.now += timedelta(hours=1)
    post.dispatcher.wake()
    await post.write("another", address="2")
    post.dispatcher.wake(Work.TELEGRAM)
    await post.telegram.arrived.acquire()
    assert post.telegram.keys == ["slow", "another"]
    post.telegram.gate.set()
    await post.telegram.arrived.acquire()
    post.dispatcher.stop()
    await running
    assert post.telegram.keys == ["slow", "another", "behind it"]
    assert {(await post.row(key)).state for key in post.telegram.keys} == {"sent"}


async def test_messages_that_are_too_old_hold_up_no_new_one(post: Post) -> None:
    for number in range(MAX_SENDING + 1):
        await post.write(f"old {number}", address=str(number), until=post.clock.now)
    post.clock.now += MINUTE
    await post.write("new", address="new")
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    post.dispatcher.stop()
    await running
    assert post.telegram.keys == ["new"]


async def test_a_stopping_server_gives_unseen_claims_back(database: Database, shop: Shop, now: datetime) -> None:
    post = Post(database, shop, now, per_second={"telegram": 1})
    for number in range(3):
        await post.write(str(number), address=str(number))
    post.telegram.gate.clear()
    running = asyncio.create_task(post.dispatcher.run())
    await post.telegram.arrived.acquire()
    running.cancel()
    await asyncio.wait([running])
    rows = [await post.row(str(number)) for number in range(3)]
    assert [(row.state, row.attempts) for row in rows] == [("sending", 1), ("due", 0), ("due", 0)]
    assert await Post(database, shop, now).dispatcher.run_once() == 2


async def test_a_bug_in_recording_affects_one_message(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    await post.write("poison")
    await post.write("another chat", address="2")
    with _recording_fails(post.database, "poison"):
        await post.dispatcher.run_once()
        assert (await post.row("another chat")).state == "sent"
        assert "can't be recorded: a bug" in caplog.text
        for _ in range(outbox_claims.MOST_UNCLEAR):
            post.clock.now += outbox.LEASE
            assert await post.dispatcher.run_once() == 1
        post.clock.now += outbox.LEASE
    while await post.dispatcher.run_once():
        pass
    times = outbox_claims.MOST_UNCLEAR + 1
    assert [key for key in post.telegram.keys if key == "poison"] == times * ["poison"], "again, but not for ever"
    assert (await post.row("poison")).state == "failed"


@contextmanager
def _recording_fails(database: Database, key: str) -> Iterator[None]:
    """The database rejects the result of one message."""

    def refuse(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("UPDATE outbox") and f"m-{key}" in str(parameters):
            raise ValueError("too much")

    event.listen(database.engine.sync_engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", refuse)


async def test_a_retry_gets_the_parts_left(post: Post) -> None:
    await post.write("long")
    stopped = NotSent("429")
    stopped.parts_left = 2
    post.telegram.answers = [stopped]
    await post.dispatcher.run_once()
    post.clock.now += MINUTE
    await post.dispatcher.run_once()
    assert [outgoing.parts_left for outgoing in post.telegram.taken] == [None, 2]


async def test_a_retry_gets_the_chats_other_vendor_ids(post: Post) -> None:
    await post.write("earlier")
    await post.write("another chat", address="2")
    await post.dispatcher.run_once()
    await post.write("reply")
    post.telegram.answers = [NotSent("429")]
    await post.dispatcher.run_once()
    post.clock.now += MINUTE
    await post.dispatcher.run_once()
    assert [list(outgoing.others) for outgoing in post.telegram.taken if outgoing.key == "reply"] == [[], ["m-earlier"]]


async def test_the_rate_limit_spaces_a_burst() -> None:
    moments, pace, clock = [], RateLimit(100), asyncio.get_running_loop().time

    async def send() -> None:
        await pace.wait()
        moments.append(clock())

    begun = clock()
    await asyncio.gather(*(send() for _ in range(5)))
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert moments[-1] - begun >= 0.04, gaps
    async with asyncio.timeout(HANG):
        await RateLimit(1 / 86_400).wait()  # one a day, and this is the first


async def test_a_bug_in_handling_a_failure_affects_one_message(
    database: Database, shop: Shop, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        await session.execute(update(Booking).values(email="sari@example.com", language="klingon"))
        await session.execute(update(Outbox).values(state="dropped"))
    post = Post(database, shop.model_copy(update={"name": object()}), now)
    booking = await booking_of(database)
    await post.write("news", address=CHAT[1], kind="notice", booking_id=booking.id)
    await post.write("another chat", address="2")
    post.telegram.answers = [Undeliverable("never")]
    while await post.dispatcher.run_once("telegram"):
        pass
    assert ((await post.row("news")).state, (await post.row("another chat")).state) == ("failed", "sent")
    assert post.telegram.keys == ["news", "another chat"]
    assert "nobody could be told" in caplog.text


async def test_the_dispatcher_survives_a_database_outage(post: Post) -> None:
    await post.write("reply")
    with _away(post.database) as away:
        running = asyncio.create_task(post.dispatcher.run())
        await away.refused.wait()
    post.dispatcher.wake()
    await post.telegram.arrived.acquire()
    post.dispatcher.stop()
    await running


async def test_a_late_message_that_nobody_waits_for_comes_in_the_morning(post: Post, shop: Shop) -> None:
    evening = post.clock.now.replace(hour=13, minute=50)  # 20:50 at the workshop
    post.clock.now = evening
    await post.write("reminder", kind="reminder", by_day=True, until=evening + timedelta(days=1))
    await post.write("mail", channel="email", kind="notice", by_day=True)
    await post.write("paid", kind="notice")
    post.clock.now = evening + timedelta(hours=2)  # the channels were down until then
    while await post.dispatcher.run_once():
        pass
    assert (post.telegram.keys, post.email.keys) == (["paid"], [])
    await post.write("reply")  # isn't held up by what waits for the morning
    assert await post.dispatcher.run_once() == 1
    row = await post.row("reminder")
    assert (row.state, row.attempts) == ("due", 0)
    assert shop.local(row.due_at).strftime("%H:%M") == "08:00"
    post.clock.now = row.due_at
    assert await post.dispatcher.run_once() == 2
    assert (post.telegram.keys, post.email.keys) == (["paid", "reply", "reminder"], ["mail"])


async def test_a_retry_at_night_waits_for_the_morning(post: Post) -> None:
    evening = post.clock.now.replace(hour=13, minute=59, second=59)
    post.clock.now = evening
    await post.write("rating", kind="reminder", by_day=True)
    post.telegram.answers = [NotSent("503")]
    assert await post.dispatcher.run_once() == 1
    for minutes in (1, 30, 300):
        post.clock.now = evening + minutes * MINUTE
        assert await post.dispatcher.run_once() == 0
    post.clock.now = evening.replace(hour=1) + timedelta(days=1)
    assert await post.dispatcher.run_once() == 1
