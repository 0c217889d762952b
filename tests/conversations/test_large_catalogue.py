"""A shop with 20,000 parts: the first list for a car comes at once, and nobody else waits for it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import inspect, select

from bot.intake import Intake
from bot.transactions import Transactions
from conversations.engine import Engine
from conversations.incoming import Incoming
from core.catalogue import snapshot
from core.db.database import Database
from core.db.tables import Outbox, Part
from core.messaging.messages import Message, message_from_json
from core.shop import Shop

PARTS = 20_000
MOUNTS = ("speaker-6.5", "speaker-6x9", "speaker-4", None)
AVANZA = [{"brand": "Toyota", "model": "Avanza", "year": "2015-2020"}]


@dataclass
class Chat:
    database: Database
    shop: Shop
    now: datetime
    events: int = 0
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(
            Transactions(self.database, self.shop, lambda: self.now),
            Engine(),
            fresh=lambda: f"{self.events:016}",
            keep_photo=_no_photo,
            send=lambda _: None,
            wake=lambda *_: None,
        )

    async def say(self, text: str) -> Message:
        """The answer to a message."""
        self.events += 1
        self.now += timedelta(seconds=10)
        await self.intake.take(Incoming("telegram", "1", str(self.events), text=text, language="id"))
        async with self.database.read() as session:
            newest = select(Outbox.body).where(Outbox.address == "1").order_by(Outbox.id.desc()).limit(1)
            return message_from_json((await session.scalars(newest)).one())


async def _no_photo(_channel: str, _handle: str) -> None:
    return None


@pytest.fixture
def chat(stocked: Database, shop: Shop, now: datetime) -> Chat:
    return Chat(stocked, shop, now)


async def _add(chat: Chat, *parts: dict[str, object]) -> None:
    async with chat.database.write() as session:
        await session.execute(inspect(Part).local_table.insert(), parts)
        await snapshot.bump(session)


def _part(number: int) -> dict[str, object]:
    return {
        "id": f"x-{number:05}",
        "name": f"Merdu Coaxial M{number} 6,5 inch",
        "category": "speaker",
        "brand": "Merdu",
        "price": 1_000 + number * 37 % 900_000,
        "on_hand": number % 3,
        "mount": MOUNTS[number % 4],
        "compatible_vehicles": AVANZA if number % 5 == 0 else [],
        "aliases": [f"merdu m{number}", "merdu coaxial"],
    }


async def test_a_large_catalogue_holds_nobody_up(chat: Chat) -> None:
    """No callback of the event loop takes a tenth of a second, and the first list for a car takes less than one."""
    await _add(chat, *map(_part, range(PARTS)))
    with _longest_callback() as longest:
        await chat.intake.refresh()
        began = time.process_time()
        answer = await chat.say("mau pasang speaker di avanza 2018")
        first_list = time.process_time() - began
        for text in ("berapa harga speaker?", "2", "merdu coaxial", "M19999 cocok buat avanza 2018?"):
            await chat.say(text)
    assert answer.options[0].id == "x-00004"  # the cheapest in stock that fits
    second = _second()
    assert first_list < second
    assert longest[0] < 0.1 * second


async def test_what_was_imported_is_listed_by_the_next_turn(chat: Chat) -> None:
    await chat.say("mau pasang speaker di avanza 2018")
    await _add(chat, _part(0) | {"id": "new", "mount": "universal", "price": 1, "on_hand": 1})
    answer = await chat.say("speaker apa saja?")
    assert answer.options[0].id == "new"


def _second() -> float:
    """The CPU time of work that takes a second of a quiet machine with two cores: the tests compare with it."""
    return 1000 * min(_millisecond() for _ in range(50))


def _millisecond() -> float:
    begin = time.thread_time()
    _ = {number: str(number) for number in range(8000)}
    return time.thread_time() - begin


@contextmanager
def _longest_callback() -> Iterator[list[float]]:
    """The most CPU time that one callback of the event loop took in its thread."""
    longest, run = [0.0], asyncio.Handle._run

    def measured(handle: asyncio.Handle) -> None:
        begin = time.thread_time()
        run(handle)
        longest[0] = max(longest[0], time.thread_time() - begin)

    asyncio.Handle._run = measured  # type: ignore[method-assign]
    try:
        yield longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
