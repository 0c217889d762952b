"""The outside world on a free port, and a shop that listens to it."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from aiohttp import web
from listener import Clock, Shop

from bot.sandbox.server import Outside, outside


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def there(clock: Clock) -> AsyncIterator[Outside]:
    async with outside(clock) as there:
        yield there


@pytest.fixture
async def shop(there: Outside) -> AsyncIterator[Shop]:
    """A listening shop, known to the vendors."""
    shop = Shop()
    app = web.Application()
    app.add_routes([web.get("/files/{name}", shop.file), web.post("/{path:.*}", shop.webhook)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    there.shop_is_at(shop.url)
    yield shop
    await runner.cleanup()
