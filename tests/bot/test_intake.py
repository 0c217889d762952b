"""Intake: a turn commits before the vendor gets its answer, in the chat's order, and a failed message is kept."""

import asyncio
import gc
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from waiting import HANG

from bot.intake import READERS, Intake
from bot.transactions import Transactions
from conversations.engine import Engine
from conversations.incoming import Incoming
from core.context import Context
from core.db.database import AWAY, Database
from core.db.tables import Conversation, Inbound, Outbox
from core.people import contacts
from core.shop import Shop
from core.upkeep import failed_turns

OWNER = "7000000001"


class Buggy(Engine):
    """An engine whose turns fail on some words, after writing something."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = "boom"
        self.blind = False
        self.away = False

    async def take_turn(self, ctx: Context, incoming: Incoming, **rest: Any) -> bool:
        taken = await super().take_turn(ctx, incoming, **rest)
        if incoming.text == self.broken:
            raise KeyError(incoming.text)
        if self.away:
            raise ConnectionRefusedError
        return taken

    async def wants_photos(self, ctx: Context, incoming: Incoming) -> bool:
        if self.blind:
            raise LookupError
        return await super().wants_photos(ctx, incoming)


class Door:
    """An intake, and what it sent and woke."""

    def __init__(self, database: Database, shop: Shop, now: datetime, *, gap: timedelta = timedelta()) -> None:
        self.database, self.now = database, now
        self.engine = Buggy()
        self.sent: list[str] = []
        self.woken: list[str] = []
        self.photo_requested, self.photo_available = asyncio.Event(), asyncio.Event()
        self.photo_available.set()
        self.intake = Intake(
            Transactions(database, shop, lambda: self.now),
            self.engine,
            fresh=lambda: "Z" * 16,
            keep_photo=self._photo,
            send=self._send,
            wake=lambda *whose: self.woken.extend(whose),
            limit="20/minute",
            gap=gap,
        )

    async def take(self, text: str, event: str, *, address: str = "1", **more: Any) -> None:
        await self.intake.take(incoming(text, event, address=address, **more))

    async def inbound(self) -> dict[str, tuple[dict[str, Any] | None, str | None]]:
        async with self.database.read() as session:
            return {row.event_id: (row.raw, row.error) for row in await session.scalars(select(Inbound))}

    async def written(self) -> dict[str, Outbox]:
        async with self.database.read() as session:
            return {row.key: row for row in await session.scalars(select(Outbox).order_by(Outbox.id))}

    def _send(self, rows: Sequence[Outbox]) -> None:
        self.sent += [row.key for row in rows]

    async def _photo(self, channel: str, handle: str) -> str | None:
        self.photo_requested.set()
        await self.photo_available.wait()
        return None


def incoming(text: str, event: str, *, address: str = "1", **more: Any) -> Incoming:
    return Incoming("telegram", address, event, text=text, raw={"update_id": event, "text": text}, **more)


@pytest.fixture
def door(stocked: Database, shop: Shop, now: datetime) -> Door:
    return Door(stocked, shop, now)


async def test_bug_keeps_message_apologizes_and_alerts(door: Door) -> None:
    await door.take("halo", "1")
    await door.take("boom", "2")
    assert await door.inbound() == {"1": (None, None), "2": ({"update_id": "2", "text": "boom"}, "KeyError")}
    written = await door.written()
    assert list(written) == ["reply:telegram:1", "sorry:telegram:2", f"staff:bug:telegram:2:telegram:{OWNER}"]
    assert written["sorry:telegram:2"].address == "1"
    assert door.sent == ["reply:telegram:1"]
    assert set(door.woken) == {"telegram"}


async def test_apology_is_in_the_persons_language(door: Door) -> None:
    await door.take("good morning, I want to book", "1", language="en")
    await door.take("boom", "2")
    assert (await door.written())["sorry:telegram:2"].language == "en"


async def test_redelivered_failed_message_apologizes_once(door: Door) -> None:
    await door.take("boom", "1")
    await door.take("boom", "1")
    assert [key for key in await door.written() if key.startswith("sorry")] == ["sorry:telegram:1"]


async def test_bug_while_checking_photos_keeps_the_message(door: Door) -> None:
    door.engine.blind = True
    await door.take("lihat", "1", media=("photo-1",))
    assert (await door.inbound())["1"][1] == "LookupError"


@pytest.mark.parametrize(("address", "messages"), [("1", ["sorry:telegram:1"]), ("", [])], ids=["known", "unknown"])
async def test_unreadable_message_is_kept(door: Door, address: str, messages: list[str]) -> None:
    await door.take("", "1", address=address, unread=AttributeError("no such field"))
    assert (await door.inbound())["1"] == ({"update_id": "1", "text": ""}, "AttributeError")
    assert list(await door.written()) == [*messages, f"staff:unread:telegram:2026-11-23:telegram:{OWNER}"]


async def test_unreadable_messages_are_reported_once_a_day(door: Door) -> None:
    """A vendor that changes its fields does so in every message, and may send each again."""
    for event in ("1", "2", "2"):
        await door.take("", event, address="", unread=AttributeError("no such field"))
    assert len(await door.inbound()) == 2
    assert len(await door.written()) == 1
    door.now += timedelta(days=1)
    await door.take("", "3", address="", unread=AttributeError("no such field"))
    assert len(await door.written()) == 2


async def test_locked_database_makes_the_vendor_retry(stocked_sqlite_url: str, shop: Shop, now: datetime) -> None:
    """Nothing is stored, not even the arrival: the next delivery is a whole turn."""
    holder = Database(stocked_sqlite_url)
    door = Door(Database(stocked_sqlite_url, lock_timeout=timedelta(milliseconds=1)), shop, now)
    async with holder.write() as session:
        await session.execute(select(1))  # begins
        for _ in range(25):  # above the rate limit: a redelivery isn't counted again
            with pytest.raises(AWAY):
                await door.take("halo", "1")
    assert await door.inbound() == {}
    await door.take("halo", "1")
    assert list(await door.written()) == ["reply:telegram:1"]
    await holder.close()
    await door.database.close()


async def test_replayed_message_is_answered_once(door: Door) -> None:
    """Its reply is left to the server's loops: due and unclaimed."""
    await door.take("boom", "1")
    door.engine.broken, door.sent[:] = "", []
    assert await door.intake.replay(incoming("boom", "1"))
    assert not await door.intake.replay(incoming("boom", "1")), "the second time it was done before"
    assert await door.inbound() == {"1": (None, None)}
    reply = (await door.written())["reply:telegram:1"]
    assert (reply.state, reply.attempts, reply.not_before) == ("due", 0, door.now)
    assert door.sent == []


async def test_two_replays_at_once_answer_once(door: Door, shop: Shop) -> None:
    await door.take("boom", "1")
    door.engine.broken = ""
    other = Door(door.database, shop, door.now)
    other.engine.broken = ""
    again = incoming("boom", "1")
    assert sorted(await asyncio.gather(door.intake.replay(again), other.intake.replay(again))) == [False, True]


async def test_message_that_fails_again_is_still_kept(door: Door) -> None:
    await door.take("boom", "1")
    before = await door.inbound()
    with pytest.raises(KeyError):
        await door.intake.replay(incoming("boom", "1"))
    assert await door.inbound() == before


async def test_failed_messages_are_listed_oldest_first(door: Door) -> None:
    await door.take("boom", "9")
    door.now += timedelta(minutes=1)
    await door.take("halo", "8")
    await door.take("boom", "7", address="2")
    async with door.database.read() as session:
        assert [(row.event_id, row.address) for row in await failed_turns.failed(session)] == [("9", "1"), ("7", "2")]


@pytest.mark.parametrize(("address", "shown"), [("whatsapp:+6281234567890", "…890"), ("7000000001", "…001")])
def test_address_is_masked(address: str, shown: str) -> None:
    assert failed_turns.masked(address) == shown


async def test_photo_download_delays_only_its_own_chat(door: Door) -> None:
    """Only staff's photos are downloaded; text typed next belongs after the photo."""
    door.photo_available.clear()
    photo = asyncio.create_task(door.take("", "1", address=OWNER, media=("photo-1",)))
    await asyncio.sleep(0)
    words = asyncio.create_task(door.take("menu", "2", address=OWNER))
    await door.take("halo", "3")
    assert list(await door.inbound()) == ["3"]
    door.photo_available.set()
    await asyncio.gather(photo, words)
    assert list(await door.written()) == ["reply:telegram:3", "reply:telegram:1", "reply:telegram:2"]


async def test_chats_messages_are_answered_in_order(door: Door) -> None:
    """On PostgreSQL each turn has its own connection, so only the chat's queue orders them."""
    await asyncio.gather(*(door.take("halo", f"{number:02}") for number in range(8)))
    keys = [key for key in await door.written() if key.startswith("reply")]
    assert keys == [f"reply:telegram:{number:02}" for number in range(8)]
    assert door.sent == keys[: len(door.sent)]


async def test_quiet_chat_keeps_no_lock(door: Door) -> None:
    before = _locks()
    for number in range(20):
        await door.take("halo", str(number), address=str(number))
    assert _locks() - before < 20


def _locks() -> int:
    gc.collect()
    return sum(type(each) is asyncio.Lock for each in gc.get_objects())


async def test_second_process_waits_and_sees_the_first_turn(postgres_url: str, shop: Shop, now: datetime) -> None:
    """The queue is per process: the conversation's row makes the other process wait."""
    here, there = Database(postgres_url), Database(postgres_url)
    await Door(here, shop, now).take("halo", "1")
    async with here.write() as session:
        contact, state, _ = await contacts.find_or_create(session, "telegram", "1", phone=None, language="id", now=now)
        waiting = asyncio.create_task(_meet(there, now))
        await _lock_is_waited_for(here)
        contact.language = "en"
        await contacts.save_state(session, contact, state | {"misses": 7}, now)
    assert await waiting == ("en", 7)
    await here.close()
    await there.close()


async def test_photo_download_delays_other_process(postgres_url: str, shop: Shop, now: datetime) -> None:
    here, there = Door(Database(postgres_url), shop, now), Door(Database(postgres_url), shop, now)
    here.photo_available.clear()
    photo = asyncio.create_task(here.take("", "1", address=OWNER, media=("photo-1",)))
    await here.photo_requested.wait()
    words = asyncio.create_task(there.take("menu", "2", address=OWNER))
    await _lock_is_waited_for(here.database)
    await there.take("halo", "3")
    assert list(await here.inbound()) == ["3"]
    here.photo_available.set()
    await asyncio.gather(photo, words)
    assert list(await here.written()) == ["reply:telegram:3", "reply:telegram:1", "reply:telegram:2"]
    await here.database.close()
    await there.database.close()


async def _meet(database: Database, now: datetime) -> tuple[str, int]:
    async with database.write() as session:
        contact, state, _ = await contacts.find_or_create(session, "telegram", "1", phone=None, language="id", now=now)
        return contact.language, state["misses"]


async def _lock_is_waited_for(database: Database) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(HANG), database.engine.connect() as connection:
        while not (await connection.exec_driver_sql(query)).scalar():
            await connection.rollback()


async def test_two_processes_create_one_contact(postgres_url: str, shop: Shop, now: datetime) -> None:
    here, there = Database(postgres_url), Database(postgres_url)
    await asyncio.gather(Door(here, shop, now).take("halo", "1"), Door(there, shop, now).take("halo", "2"))
    async with here.read() as session:
        assert len((await session.scalars(select(Conversation))).all()) == 1
    await here.close()
    await there.close()


def test_kept_message_can_be_read_again() -> None:
    user, chat = {"id": 5, "is_bot": False, "first_name": "Budi"}, {"id": 5, "type": "private"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": user, "text": "halo"}
    said = READERS["telegram"]({"update_id": 900, "message": message})
    assert said is not None
    again = READERS["telegram"](json.loads(json.dumps(said.raw)))
    assert again == said
    form = {"MessageSid": "SM1", "From": "whatsapp:+6281234567890", "Body": "halo", "ButtonPayload": "4:1"}
    said = READERS["whatsapp"](form)
    assert said is not None
    assert READERS["whatsapp"](json.loads(json.dumps(dict(said.raw)))) == said


async def test_flooding_chat_is_warned_once_a_minute(door: Door) -> None:
    for number in range(23):
        await door.take("halo", str(number), address="1")
    await door.take("halo", "other", address="2")
    written = await door.written()
    messages = [key for key in written if key.startswith("unread:")]
    assert messages == ["unread:telegram:20"]
    assert "reply:telegram:19" in written
    assert not written.keys() & {"reply:telegram:20", "reply:telegram:21", "reply:telegram:22"}
    assert "reply:telegram:other" in written
    door.now += timedelta(seconds=3)  # the limit allows one more
    await door.take("halo", "later", address="1")
    assert "reply:telegram:later" in await door.written()


async def test_redelivered_unread_message_stays_unread(door: Door) -> None:
    for number in range(21):
        await door.take("halo", str(number))
    door.now += timedelta(minutes=10)
    await door.take("halo", "20")
    assert list(await door.written())[-1] == "unread:telegram:20"
    assert (await door.inbound())["20"] == (None, None)


async def test_catch_up_skips_answered_messages(door: Door) -> None:
    """Twilio's list overlaps by a minute each time."""
    messages = [incoming(f"halo {number}", f"m{number}") for number in range(19)]
    for message in messages[:-1]:
        await door.intake.take(message)
    for _ in range(3):
        await door.intake.take_missed("telegram", messages)
    assert list(await door.written()) == [f"reply:telegram:m{number}" for number in range(19)]
    await door.take("masih ada", "m19")
    assert list(await door.written())[-1] == "reply:telegram:m19", "the twentieth of this minute is read"


async def test_unseen_handles_many_ids(door: Door) -> None:
    ids = [f"m{number}" for number in range(1200)]
    async with door.database.write() as session:
        for event_id in ids[::100]:
            await contacts.record_inbound(session, "telegram", event_id, "1", door.now)
    async with door.database.read() as session:
        assert await failed_turns.not_received(session, "telegram", ids) == set(ids) - set(ids[::100])
        assert await failed_turns.not_received(session, "whatsapp", ids[:1]) == {ids[0]}, "each channel has its own"
        assert await failed_turns.not_received(session, "telegram", []) == set()


def _update(number: int, text: str) -> Incoming:
    user, chat = {"id": 5, "is_bot": False, "first_name": "Budi", "language_code": "id"}, {"id": 5, "type": "private"}
    message = {"message_id": number, "date": 1_795_000_000, "chat": chat, "from": user, "text": text}
    read = READERS["telegram"]({"update_id": number, "message": message})
    assert read
    return read


@pytest.fixture
def patient(stocked: Database, shop: Shop, now: datetime) -> Door:
    """An intake that waits for more of a thought."""
    return Door(stocked, shop, now, gap=timedelta(seconds=2))


async def test_a_burst_that_meets_a_bug_is_kept_whole(patient: Door) -> None:
    """With one apology; each part can be replayed."""
    patient.engine.broken = "halo\nkak"
    parts = [_update(1, "halo"), _update(2, "kak")]
    for part in parts:
        await patient.intake.take(part)
    assert await patient.written() == {}
    await patient.intake.answer_held(("telegram", "5"))
    kept = await patient.inbound()
    assert {event: error for event, (_, error) in kept.items()} == {"1": "KeyError", "2": "KeyError"}
    assert [raw and raw["update_id"] for raw, _ in kept.values()] == [1, 2]
    assert [key for key in await patient.written() if key.startswith("sorry")] == ["sorry:telegram:1"]
    await patient.intake.answer_held(("telegram", "5"))
    for part in parts:
        assert await patient.intake.replay(part)
    assert await patient.inbound() == {"1": (None, None), "2": (None, None)}


async def test_a_burst_waits_while_the_database_is_away(patient: Door) -> None:
    """Whether it is tried because it is due, or because a tap ends it; the tap is sent again."""
    for part in (_update(1, "halo"), _update(2, "kak")):
        await patient.intake.take(part)
    patient.engine.away = True
    with pytest.raises(AWAY):
        await patient.intake.answer_held(("telegram", "5"))
    with pytest.raises(AWAY):
        await patient.intake.take(_update(3, "/menu"))
    assert list(await patient.inbound()) == ["1", "2"]
    patient.engine.away = False
    await patient.intake.take(_update(3, "/menu"))
    assert [key for key in await patient.written() if key.startswith("reply")] == [
        "reply:telegram:1",
        "reply:telegram:3",
    ]
    assert await patient.inbound() == dict.fromkeys("123", (None, None))
