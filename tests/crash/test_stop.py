"""SIGTERM: the server accepts no more work, finishes what is in progress and exits in time."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from patrons import Patron
from rounds import Plan, town
from servers import Server
from sqlalchemy import select, text

from bot import app
from bot.config import Settings
from bot.sandbox.midtrans import Fault
from bot.sandbox.phones import Person

WITHIN = 10
PATIENCE = timedelta(seconds=20)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_sigterm_leaves_nothing_half_done(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> None:
    """At the signal a turn waits for a lock, and calls to Midtrans and Twilio hang. The turn is answered before the exit;
    the calls, and a message that arrives after the signal, are processed after the next start.
    """
    url = request.getfixturevalue(f"stocked_{engine}_url")
    async with town(Plan(url, seed=0, kills=0), tmp_path) as (there, settings, (server,)):
        there.world.telegram.retry_delays = (0.2,)
        patron = Patron(there.world.new_customer("telegram"), 2, 10, PATIENCE)
        there.midtrans.fail(Fault.SLOW)
        booking = asyncio.create_task(patron.book(there))
        while patron.waiting_for != "Silakan bayar":  # noqa: ASYNC110 the server has no event for it
            await asyncio.sleep(0.02)
        in_time, too_late = there.world.new_customer("telegram"), there.world.new_customer("telegram")
        on_whatsapp = there.world.new_customer("whatsapp")
        for _ in range(2):  # creates the menu's template at Twilio
            await _greets(on_whatsapp)
        there.world.twilio_api.faults.hold_responses()
        await _greets(on_whatsapp)
        async with _a_lock(settings):
            asking = asyncio.create_task(in_time.type("halo"))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            stopping = asyncio.create_task(server.kill(signal.SIGTERM))
            await _refuses(server, within=1)
            assert await too_late.type("halo") is None, "a message after the signal was accepted"
        assert await asking == 200, "the turn in progress wasn't finished"
        assert await stopping == 0
        assert time.monotonic() - began < WITHIN
        assert "Selamat datang" in in_time.last().text
        assert too_late.last().author == "me"
        there.midtrans.recover()
        there.world.twilio_api.faults.clear()
        await server.start()
        assert "Selamat datang" in (await too_late.next_reply(10)).text
        await asyncio.wait_for(booking, 40)
        await _greets(on_whatsapp)
    assert patron.waiting_for is None
    assert sum("Silakan bayar" in bubble.text for bubble in patron.person.bubbles) == 1
    assert [bubble.author for bubble in on_whatsapp.bubbles] == ["me", "shop"] * 4
    assert "Traceback" not in server.log


async def _greets(person: Person) -> None:
    await person.type("halo")
    await person.next_reply(10)


@asynccontextmanager
async def _a_lock(settings: Settings) -> AsyncIterator[None]:
    """Hold a write lock, so that no turn can begin."""
    database = app.database(settings)
    async with database.write() as session:
        await session.execute(select(1) if database.is_sqlite else text("LOCK TABLE inbound"))
        yield
    await database.close()


async def _refuses(server: Server, *, within: float) -> None:
    """Wait until the server refuses connections."""
    async with asyncio.timeout(within):
        with suppress(OSError):
            while True:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.close()
                await asyncio.sleep(0.02)
