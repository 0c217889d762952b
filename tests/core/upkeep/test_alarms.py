"""The admins hear once that something stands still and once that it is over, on a way that works."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import book, give_link
from shops import make_shop
from sqlalchemy import event, select, update

from conversations.texts import LANGUAGES, render
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, message_from_json, say
from core.refusals import NotFound
from core.shop import Shop, StaffMember
from core.states import Outcome
from core.upkeep import alarms, backlog, undelivered

CHANNELS = ("telegram", "whatsapp", "email")
RINA = StaffMember(name="Rina", role="admin", telegram=7_000_000_001, whatsapp="+6281100000001")
TONO = StaffMember(name="Tono", role="admin", telegram=7_000_000_002, email="tono@suarajaya.example")
SARI = StaffMember(name="Sari", role="admin", telegram=7_000_000_003)
DEDI = StaffMember(name="Dedi", role="technician", technician="dedi", telegram=7_000_000_004)
MINUTE = timedelta(minutes=1)


class Watch:
    """A shop that is looked after, minute by minute."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.now = database, now
        self.shop = shop.model_copy(update={"staff": (RINA, TONO, SARI, DEDI)})
        self.channels: Sequence[str] = CHANNELS

    async def write(self, key: str, channel: str = "telegram", error: str | None = None) -> None:
        async with self.database.write() as session:
            await outbox.enqueue(
                Context(session, make_shop(), self.now),
                key=key,
                channel=channel,
                address=key,
                language="id",
                message=message(say("notice.see_you")),
            )
            await session.execute(update(Outbox).where(Outbox.key == key).values(error=error))

    async def state(self, key: str, state: str) -> None:
        async with self.database.write() as session:
            await session.execute(update(Outbox).where(Outbox.key == key).values(state=state))

    async def look(self, **later: float) -> tuple[list[str], list[str]]:
        self.now += timedelta(**later)
        async with self.database.write() as session:
            news = await alarms.watch(Context(session, self.shop, self.now), channels=self.channels)
            await session.execute(update(Outbox).where(Outbox.key.startswith("alarm:")).values(state="sent"))
        return news

    async def told(self) -> list[Outbox]:
        async with self.database.read() as session:
            found = await session.scalars(select(Outbox).where(Outbox.key.startswith("alarm:")).order_by(Outbox.id))
            return list(found)


@pytest.fixture
def watch(database: Database, shop: Shop, now: datetime) -> Watch:
    return Watch(database, shop, now)


async def test_an_alarm_is_raised_once_and_ended_once(watch: Watch) -> None:
    await watch.write("late")
    assert await watch.look(minutes=9) == ([], [])
    assert await watch.look(minutes=1) == (["outbox:telegram"], [])
    for _ in range(5):
        assert await watch.look(minutes=1) == ([], [])
    await watch.state("late", "sent")
    assert await watch.look(minutes=1) == ([], ["outbox:telegram"])
    assert await watch.look(minutes=1) == ([], [])
    told = await watch.told()
    assert len(told) == 3 + 4  # three admins; that it is over, Rina reads in both of her chats


async def test_a_second_trouble_later_is_told_again(watch: Watch) -> None:
    for key in ("first", "second"):
        await watch.write(key)
        assert await watch.look(minutes=10) == (["outbox:telegram"], [])
        await watch.state(key, "sent")
        assert await watch.look() == ([], ["outbox:telegram"])


async def test_messages_that_trickle_out_late_are_one_trouble(watch: Watch) -> None:
    """Each of them waits for less than the alarm's time by then, but nothing is back to normal yet."""
    await watch.write("first")
    await watch.look(minutes=8)
    await watch.write("second")
    assert await watch.look(minutes=2) == (["outbox:telegram"], [])
    await watch.state("first", "sent")
    assert await watch.look(minutes=1) == ([], [])


async def test_processes_that_look_at_once_tell_once(watch: Watch) -> None:
    await watch.write("late")
    watch.now += 10 * MINUTE
    begun = await asyncio.gather(*(watch.look() for _ in range(4)))
    assert sorted(len(names) for names, _ in begun) == [0, 0, 0, 1]
    assert len(await watch.told()) == 3
    await watch.state("late", "sent")
    ended = await asyncio.gather(*(watch.look() for _ in range(4)))
    assert sorted(len(names) for _, names in ended) == [0, 0, 0, 1]


WAYS = [
    ("email", CHANNELS, {("telegram", "7000000001"), ("telegram", "7000000002"), ("telegram", "7000000003"),
                         ("whatsapp", "whatsapp:+6281100000001")}, "chats that work"),
    ("telegram", CHANNELS, {("whatsapp", "whatsapp:+6281100000001"), ("email", "tono@suarajaya.example"),
                            ("email", "halo@suarajaya.example")}, "the other chat, the own mailbox, the shop's"),
    ("telegram", ("telegram", "email"), {("email", "tono@suarajaya.example"), ("email", "halo@suarajaya.example")},
     "WhatsApp is off"),
    ("telegram", ("telegram",), {("telegram", "7000000001"), ("telegram", "7000000002"), ("telegram", "7000000003")},
     "nothing else is on: it comes when Telegram is back"),
]  # fmt: skip


@pytest.mark.parametrize(("late", "channels", "ways", "_why"), WAYS, ids=[why for *_, why in WAYS])
async def test_nobody_is_told_on_the_channel_that_is_down(
    watch: Watch, late: str, channels: tuple[str, ...], ways: set[tuple[str, str]], _why: str
) -> None:
    watch.channels = channels
    await watch.write("late", late, error="503")
    await watch.look(minutes=10)
    assert {(row.channel, row.address) for row in await watch.told()} == ways


async def test_an_alarm_that_a_chat_can_t_take_goes_by_mail(watch: Watch) -> None:
    await watch.write("late", "email")
    await watch.look(minutes=10)
    chat = next(row for row in await watch.told() if row.channel == "whatsapp")
    async with watch.database.write() as session:
        for _ in range(2):
            await alarms.send_by_mail(Context(session, watch.shop, watch.now), chat, channels=CHANNELS)
    (letter,) = [row for row in await watch.told() if row.channel == "email"]
    assert (letter.address, letter.body) == ("halo@suarajaya.example", chat.body)


async def test_messages_of_a_channel_that_is_off_or_of_tomorrow_alarm_nobody(watch: Watch) -> None:
    watch.channels = ("telegram",)
    await watch.write("off", "email")
    await watch.write("tomorrow")
    async with watch.database.write() as session:
        await session.execute(
            update(Outbox).where(Outbox.key == "tomorrow").values(due_at=watch.now + timedelta(days=1))
        )
    assert await watch.look(hours=2) == ([], [])


async def test_a_link_that_can_t_be_made_and_a_payment_that_can_t_be_confirmed(watch: Watch, shop: Shop) -> None:
    order_id = await book(watch.database, shop, watch.now)
    body = {"order_id": order_id, "transaction_status": "settlement"}
    async with watch.database.write() as session:
        await payment.store_notification(session, body, now=watch.now)
        await session.execute(update(Outbox).values(state="sent"))
    assert await watch.look(minutes=10) == (["links", "payments"], [])
    await give_link(watch.database, order_id, shop, watch.now)
    async with watch.database.write() as session:
        await payment.claim_notifications(session, now=watch.now, limit=1)
        await payment.notifications_settled(session, order_id, outcomes=[Outcome.RECEIVED], claimed_at=watch.now)
    assert await watch.look(minutes=1) == ([], ["links", "payments"])
    for row in await watch.told():
        for said in message_from_json(row.body).says:
            assert all(render(said, language) for language in LANGUAGES)


async def test_the_backlog_counts_what_waits_and_what_was_given_up(watch: Watch) -> None:
    await watch.write("one")
    await watch.write("two", error="503")
    await watch.write("lost", "whatsapp")
    await watch.state("lost", "failed")
    async with watch.database.read() as session:
        found = await backlog.load(session, channels=CHANNELS, now=watch.now + MINUTE)
    assert found.outbox["telegram"] == backlog.Waiting(2, watch.now, 1)
    assert found.outbox["telegram"].age(watch.now + MINUTE) == MINUTE
    assert (found.given_up, found.notifications.count) == ({"whatsapp": 1}, 0)


async def test_a_message_that_failed_is_listed_and_goes_out_again(watch: Watch) -> None:
    await watch.write("lost", error="403: blocked")
    await watch.state("lost", "failed")
    async with watch.database.write() as session:
        assert [letter.row.key for letter in await undelivered.listed(session, limit=10)] == ["lost"]
        await undelivered.resend(Context(session, make_shop(), watch.now + timedelta(days=9)), key="lost")
    async with watch.database.write() as session:
        assert await undelivered.listed(session, limit=10) == []
        (row,) = await outbox_claims.claim(session, now=watch.now + timedelta(days=9), limit=10, channels=CHANNELS)
    assert (row.key, row.attempts, row.error) == ("lost", 1, None)


@pytest.mark.parametrize("key", ["waiting", "nothing"])
async def test_only_a_message_that_failed_is_sent_again(watch: Watch, key: str) -> None:
    await watch.write("waiting")
    async with watch.database.write() as session:
        with pytest.raises(NotFound):
            await undelivered.resend(Context(session, make_shop(), watch.now), key=key)


async def test_what_is_read_at_every_scrape_doesn_t_read_through_history(sqlite_url: str, now: datetime) -> None:
    database, plans = Database(sqlite_url), []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def _explain(_c: Any, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(f"{step[3]}" for step in cursor.fetchall())

    async with database.write() as session:
        await backlog.load(session, channels=CHANNELS, now=now)
        await undelivered.listed(session, limit=8)
    await database.close()
    of_partial_indexes = ("ix_outbox_failed", "ix_payment_request_due_at", "ix_payment_notification_due_at")
    scans = [plan for plan in plans if plan.startswith("SCAN") and not plan.endswith(of_partial_indexes)]
    assert plans
    assert scans == []
