"""SIGTERM: the real process takes no more work, ends what is under way and is gone in time; what hangs goes on later."""

import asyncio
import signal
import time
from datetime import timedelta
from pathlib import Path

from patrons import Patron
from rounds import Plan, town
from sqlalchemy import select

from bot import app
from bot.sandbox.midtrans import Fault

WITHIN = 10
PATIENCE = timedelta(seconds=20)


async def test_a_server_that_is_told_to_stop_leaves_nothing_half_done(stocked_sqlite_url: str, tmp_path: Path) -> None:
    """A turn waits for a lock, and Midtrans hangs over a link: the one is answered, the other is done by the next start."""
    async with town(Plan(stocked_sqlite_url, seed=0, kills=0), tmp_path) as (there, settings, (server,)):
        patron = Patron(there.world.new_customer("telegram"), 2, 10, PATIENCE)
        there.midtrans.fail(Fault.SLOW)
        booking = asyncio.create_task(patron.book(there))
        while patron.waiting_for != "Silakan bayar":  # noqa: ASYNC110 another process gets there
            await asyncio.sleep(0.02)
        stranger = there.world.new_customer("telegram")
        database = app.database(settings)
        async with database.write() as session:
            await session.execute(select(1))
            asking = asyncio.create_task(stranger.type("halo"))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            stopping = asyncio.create_task(server.kill(signal.SIGTERM))
            await asyncio.sleep(0.3)
        await database.close()
        assert await asking == 200, "what was under way is finished"
        assert await stopping == 0
        assert time.monotonic() - began < WITHIN
        assert "Selamat datang" in stranger.last().text
        there.midtrans.recover()
        await server.start()
        await asyncio.wait_for(booking, 40)
    assert patron.waiting_for is None
    assert sum("Silakan bayar" in bubble.text for bubble in patron.person.bubbles) == 1
    assert "Traceback" not in server.log
