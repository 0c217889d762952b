"""The stand-ins on a free port, and a server for their webhooks."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from aiohttp import web
from listener import Clock, Shop

from bot.sandbox.server import StandIns, stand_ins


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def vendors(clock: Clock) -> AsyncIterator[StandIns]:
    async with stand_ins(clock) as vendors:
        yield vendors


@pytest.fixture
async def shop(vendors: StandIns) -> AsyncIterator[Shop]:
    """A running server whose webhooks the stand-ins know."""
    shop = Shop()
    app = web.Application()
    app.add_routes([web.get("/files/{name}", shop.file), web.post("/{path:.*}", shop.webhook)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    vendors.connect_shop(shop.url)
    yield shop
    await runner.cleanup()
