"""A kill while a burst is gathered, and while its turn is taken: nothing is lost, and nothing is answered twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from rounds import Plan, town
from servers import BENGKEL, Server
from sqlalchemy import select, text
from waiting import HANG

from bot import app
from bot.sandbox.phones import Person
from bot.sandbox.server import StandIns
from core.db.database import Database
from core.db.tables import Inbound, Outbox

THOUGHT = ("kak", "alamatnya", "di mana ya")
"""Only together they ask for the address."""
LONG_ENOUGH = 6.0
"""Real seconds in which a server that forgot nothing answers a burst of two seconds, also on a busy machine."""


@dataclass
class Chat:
    there: StandIns
    database: Database
    server: Server
    customer: Person

    @property
    def said(self) -> list[str]:
        return [bubble.text for bubble in self.customer.bubbles if bubble.author == "shop"]

    async def writes(self) -> None:
        """The customer is known, and writes a thought in three messages, each acknowledged."""
        await self.customer.type("/menu")
        await self.customer.next_reply()
        for words in THOUGHT:
            assert await self.customer.type(words) == 200

    async def held(self) -> int:
        async with self.database.read() as session:
            return len((await session.scalars(select(Inbound).where(Inbound.due_at.is_not(None)))).all())

    async def answers(self) -> list[str]:
        """The keys of the replies."""
        mine = select(Outbox.key).where(Outbox.address == self.customer.address, Outbox.key.startswith("reply:"))
        async with self.database.read() as session:
            return list(await session.scalars(mine))


@asynccontextmanager
async def _chat(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, channel: str, program: str = BENGKEL
) -> AsyncIterator[Chat]:
    plan = Plan(request.getfixturevalue(f"stocked_{engine}_url"), seed=0, kills=0, program=program, gather_seconds=2)
    async with town(plan, tmp_path) as (there, settings, (server,)):
        database = app.database(settings)
        yield Chat(there, database, server, there.world.new_customer(channel))
        await database.close()


@pytest.mark.parametrize(("engine", "channel"), [("sqlite", "telegram"), ("postgres", "whatsapp")])
async def test_a_kill_while_gathering_loses_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, channel: str
) -> None:
    async with _chat(request, tmp_path, engine, channel) as chat:
        await chat.writes()
        assert await chat.held() == 3
        await chat.server.kill()
        await chat.server.start()
        assert "Fatmawati" in (await chat.customer.next_reply(HANG)).text
        assert len(chat.said) == len(await chat.answers()) == 2
        assert await chat.held() == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_a_kill_during_the_turn_loses_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    """The turn waits for a lock, so that it is killed before its commit."""
    async with _chat(request, tmp_path, engine, "whatsapp") as chat:
        await chat.writes()
        async with chat.database.write() as session:
            await session.execute(select(1) if chat.database.is_sqlite else text("LOCK TABLE outbox"))
            await _due(chat)
            await chat.server.kill()
        assert await chat.held() == 3
        await chat.server.start()
        assert "Fatmawati" in (await chat.customer.next_reply(HANG)).text
        assert len(chat.said) == len(await chat.answers()) == 2


async def _due(chat: Chat) -> None:
    """Wait until the turn is due and has had time to begin."""
    async with chat.database.read() as session:
        due_at = max(row.due_at for row in await session.scalars(select(Inbound)) if row.due_at)
    await asyncio.sleep((due_at + timedelta(seconds=0.5) - app.now()).total_seconds())


async def test_control_gathering_in_memory_loses_the_thought(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It works until it is killed; what the vendor has been answered for, it doesn't send again."""
    async with _chat(request, tmp_path, "sqlite", "telegram", program="forgetful") as chat:
        await chat.writes()
        assert "Fatmawati" in (await chat.customer.next_reply(HANG)).text
        await chat.writes()
        await chat.server.kill()
        answered = await chat.answers()
        await chat.server.start()
        with pytest.raises(TimeoutError):
            await chat.customer.next_reply(LONG_ENOUGH)
        assert await chat.answers() == answered
