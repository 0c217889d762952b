"""The measured servers: the shop as `bot.app` wires it, and the floor. Each reports every processed update."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from time import perf_counter

from aiohttp import web
from dialogue import BEFORE_THE_FIRST, DIALOGUE, MONDAY_8_AM
from load import SECRET
from sqlalchemy import func, select

from bot.app import chance, fresh_id
from bot.channels.sending import File, Outgoing
from bot.intake import Intake
from bot.outbox.dispatch import Dispatcher
from bot.sandbox.demo import CATALOGUE, WORKSHOP
from bot.transactions import Transactions
from conversations.engine import Engine
from core.catalogue import csv_files
from core.db.database import Database
from core.db.tables import Conversation, Inbound
from core.messaging.messages import Document
from core.shop import Shop
from webhooks import telegram
from webhooks.app import make_app

SHOP = Shop.model_validate(WORKSHOP)
_STARTED = perf_counter()

FILES = {file.name: file.read_text("utf-8") for file in CATALOGUE.glob("*.csv")}

Done = Callable[[str], None]
"""Called with the id of an update once it is committed and its reply, if any, is handed to the channel."""
Serve = Callable[[Database, Done], AbstractAsyncContextManager[int]]


def clock() -> datetime:
    """A running clock that starts on a Monday, so that "besok" is always an open day."""
    return MONDAY_8_AM + timedelta(seconds=perf_counter() - _STARTED)


async def prepare(database: Database) -> None:
    """Load the demo catalogue."""
    async with database.write() as session:
        await csv_files.apply(session, csv_files.read(FILES), now=clock())


@asynccontextmanager
async def shop(database: Database, done: Done) -> AsyncIterator[int]:
    """Run the server without vendors; yields the port."""
    transactions = Transactions(database, SHOP, clock)
    dispatcher = Dispatcher(transactions, {"telegram": _Handed(done)}, files=_no_file, chance=chance)
    intake = Intake(
        transactions,
        Engine(),
        fresh=fresh_id,
        keep_photo=no_photo,
        send=dispatcher.send,
        wake=dispatcher.wake,
    )
    sending = asyncio.create_task(dispatcher.run())
    routes = telegram.routes(secret=SECRET, take=intake.take, answer=lambda _: None)
    async with listening(make_app(routes, ready=ready)) as port:
        yield port
    dispatcher.stop()
    await sending


@asynccontextmanager
async def floor(database: Database, done: Done) -> AsyncIterator[int]:
    """Run a bare handler that commits one row; yields the port."""

    async def receive(request: web.Request) -> web.Response:
        update = str((await request.json())["update_id"])
        async with database.write() as session:
            session.add(Inbound(channel="floor", event_id=update, address="1", received_at=clock()))
        done(update)
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/webhooks/telegram", receive)])
    async with listening(app) as port:
        yield port


async def check(database: Database) -> None:
    """Raise RuntimeError unless every dialogue reached its summary and no turn failed."""
    async with database.read() as session:
        failed = await session.scalar(select(func.count()).where(Inbound.error.is_not(None)))
        states = await session.scalars(select(Conversation.state))
        ended = [state for state in states if state["prompt"] == BEFORE_THE_FIRST + len(DIALOGUE)]
    if failed or not ended or any(state["asked"] != "confirmed" for state in ended):
        raise RuntimeError(f"{failed} turns failed; dialogues end at { ({state['asked'] for state in ended}) }")


class _Handed:
    """A channel that accepts every message at once."""

    def __init__(self, done: Done) -> None:
        self._done = done

    async def send(self, parcel: Outgoing) -> str | None:
        self._done(parcel.key.rpartition(":")[2])
        return parcel.key


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[int]:
    """Serve an application while the block runs; yields the port."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _no_file(document: Document) -> File:
    raise LookupError(document.id)


async def no_photo(channel: str, handle: str) -> str | None:
    return None


async def ready() -> dict[str, str]:
    return {}
