"""The outside world on a free port, and a shop that listens to it."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from aiohttp import web
from listener import Clock, Listener

from bot.sandbox.server import Outside, outside


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def there(clock: Clock) -> AsyncIterator[Outside]:
    async with outside(clock) as there:
        yield there


@pytest.fixture
async def listener(there: Outside) -> AsyncIterator[Listener]:
    """A listening shop, known to the vendors."""
    listener = Listener()
    app = web.Application()
    app.add_routes([web.get("/files/{name}", listener.file), web.post("/{path:.*}", listener.webhook)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    there.shop_is_at(listener.url)
    yield listener
    await runner.cleanup()
