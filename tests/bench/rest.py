"""REST requests compared with floors: alternating rounds on the same engine, under the same load.

GET  slots, own bookings    floor: a bare aiohttp handler with a constant response
POST a booking              floor: a handler that commits the minimum of a booking: a key, a seat, a booking, a message
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from itertools import count, cycle, islice
from pathlib import Path
from time import process_time_ns
from typing import Any

from aiohttp import web
from history import DAY, booking_row
from served import SHOP, clock, listening, no_photo, ready
from sqlalchemy import update
from turns import Cost, Round, cost_of

from bot.app import fresh_id
from bot.sandbox.clerk import Clerk as Issuer
from core.db.database import Database, insert_once
from core.db.tables import Booking, IdempotencyKey, Outbox, Part
from core.schedule.occupancy import held_jobs, peak
from core.schedule.slots import starts, why_closed
from webhooks.api import Api, routes
from webhooks.api.auth import Clerk, KeySet
from webhooks.app import make_app

ROUNDS = 3
CONNECTIONS = (1, 16)
READS, BOOKINGS = 100, 40
"""Requests per round."""
OWN = 3
"""Number of the customer's own bookings, each with a part and a service."""
PART, SERVICE, PLENTY = "jbl-stage3-627f", "pasang-speaker", 1_000_000
DAYS = tuple(DAY + timedelta(days=number) for number in range(1, 50))
LATER = timedelta(days=100)
"""The floor books a hundred days later, so that it doesn't compete for slots."""

Send = Callable[[int, Sequence[str], int], Awaitable[Round]]
"""Sends requests to a port over this many connections."""
Make = Callable[[int], list[str]]
"""Creates this many requests."""


async def compare(database: Database) -> Mapping[tuple[str, int], tuple[Cost, Cost]]:
    """Cost of the floor and of each kind of request, by name and number of connections."""
    issuer = Issuer(clock)
    issuer.url = "http://bench"
    await _prepare(database)
    async with AsyncExitStack() as stack:
        send = await stack.enter_async_context(load())
        floor = await stack.enter_async_context(listening(_floor(database)))
        api = await stack.enter_async_context(listening(make_app(_routes(database, issuer), ready=ready)))
        wishes = _wishes(issuer)
        await send(api, _by("user_own", issuer, [_wish(start) for start in _starts()[:OWN]]), 1)
        measured: dict[str, tuple[Make, Make]] = {
            "timeslots": (_asking("/echo"), _asking(f"/api/workshop/timeslots?date={DAY}")),
            "my-bookings": (_asking("/echo"), _asking("/api/bookings/my-bookings", issuer.token("user_own"))),
            "book": (_floors_wishes(), lambda many: list(islice(wishes, many))),
        }
        return {
            (name, connections): await _compare(send, (floor, api), makes, name, connections)
            for name, makes in measured.items()
            for connections in CONNECTIONS
        }


async def _compare(
    send: Send, ports: tuple[int, int], makes: tuple[Make, Make], name: str, connections: int
) -> tuple[Cost, Cost]:
    many = BOOKINGS if name == "book" else READS
    rounds: tuple[list[Round], list[Round]] = ([], [])
    for number in range(ROUNDS + 1):
        for port, make, done in zip(ports, makes, rounds, strict=True):
            spent = await send(port, make(many if number else connections), connections)
            if number:  # the first round warms up
                done.append(spent)
    return cost_of(rounds[0]), cost_of(rounds[1])


@asynccontextmanager
async def load() -> AsyncIterator[Send]:
    """The process that sends."""
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("rest_load.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    commands, results = load.stdin, load.stdout
    assert commands
    assert results

    async def send(port: int, requests: Sequence[str], connections: int) -> Round:
        begin = process_time_ns()
        commands.write(json.dumps({"port": port, "connections": connections, "requests": requests}).encode() + b"\n")
        result = json.loads(await results.readline())
        worked = process_time_ns() - begin
        return Round(result["latencies"], len(requests) / result["seconds"], worked / len(requests) / 1e6)

    yield send
    commands.close()
    await load.wait()


# --- server -------------------------------------------------------------------------------------


def _routes(database: Database, issuer: Issuer) -> Sequence[web.AbstractRouteDef]:
    """The API as `bot.app` builds it, without Midtrans."""

    async def keys() -> Mapping[str, object]:
        return issuer.jwks()

    api = Api(
        database=database,
        shop=SHOP,
        clock=clock,
        fresh=fresh_id,
        wake=lambda: None,
        clerk=Clerk(issuer=issuer.issuer, parties=[], keys=KeySet(keys), shop=SHOP),
        pay_link=None,
        file_link=lambda kind, name: f"/files/{kind}/{name}",
        keep_photo=no_photo,
    )
    return routes(api, public_url="http://bench")


def _floor(database: Database) -> web.Application:
    numbers = count(10_000_000)

    async def echo(_: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": []})

    async def book(request: web.Request) -> web.Response:
        start, number, now = _starts()[(await request.json())["slot"]] + LATER, next(numbers), clock()
        async with database.write() as session:
            await insert_once(
                session, IdempotencyKey, owner="floor", key=str(number), digest="", answer={}, created_at=now
            )
            end = start + timedelta(minutes=SHOP.slot_minutes)
            if peak(await held_jobs(session, start, end), start, end) >= PLENTY:
                raise web.HTTPConflict
            booking = Booking(**booking_row(number, start, None) | {"id": None})
            session.add(booking)
            await session.flush()
            session.add(Outbox(**_outbox_row(booking.id, now)))
        return web.json_response({"success": True}, status=201)

    app = web.Application()
    app.add_routes([web.get("/echo", echo), web.post("/book", book)])
    return app


async def _prepare(database: Database) -> None:
    """Add unlimited stock."""
    async with database.write() as session:
        await session.execute(update(Part).where(Part.id == PART).values(on_hand=PLENTY))


# --- requests -----------------------------------------------------------------------------------


def _asking(path: str, token: str | None = None) -> Make:
    request = _request("GET", path, token)
    return lambda many: [request] * many


def _floors_wishes() -> Make:
    wishes = (_request("POST", "/book", None, {"slot": number}) for number in cycle(range(len(_starts()))))
    return lambda many: list(islice(wishes, many))


def _wishes(issuer: Issuer) -> Iterator[str]:
    """Booking requests for a part and its installation, each by a new user."""
    for number, start in enumerate(cycle(_starts())):
        yield from _by(f"user_{number}", issuer, [_wish(start)])


def _by(user: str, issuer: Issuer, wishes: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_request("POST", "/api/bookings", issuer.token(user), wish, key=fresh_id()) for wish in wishes]


def _wish(start: datetime) -> Mapping[str, Any]:
    return {
        "customerName": "Sari Dewi",
        "customerPhone": "081234567890",
        "vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": 2018},
        "spareparts": [{"sparepartId": PART}],
        "services": [{"serviceId": SERVICE}],
        "scheduledDate": f"{start:%Y-%m-%d}",
        "scheduledTime": f"{start:%H:%M}",
        "paymentMethod": "transfer",
    }


def _request(method: str, path: str, token: str | None, body: object = None, *, key: str | None = None) -> str:
    content = "" if body is None else json.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Idempotency-Key: {key}"] if key else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []
    return "\r\n".join([*lines, "", content])


@cache
def _starts() -> Sequence[datetime]:
    """Start times in the coming weeks; each is booked about once."""
    return [start for day in DAYS if why_closed(day, SHOP, {}) is None for start in starts(day, SHOP)]


def _outbox_row(booking_id: int, now: datetime) -> Mapping[str, Any]:
    return {
        "key": f"floor:{booking_id}",
        "channel": "floor",
        "address": "1",
        "language": "id",
        "body": {},
        "booking_id": booking_id,
        "due_at": now,
        "not_before": now,
        "created_at": now,
    }
