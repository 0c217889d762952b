"""What every route shares: limits, errors as short answers, health."""

import asyncio
import gzip
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler
from sqlalchemy import text
from waiting import HANG
from yarl import URL

from core.db.database import Database
from webhooks.app import LARGEST_BODY, make_app, make_runner

DEADLINE = timedelta(seconds=0.1)
"""For a body that doesn't arrive."""


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


async def think(request: web.Request) -> web.Response:
    """Read the body and work on it for longer than it had to arrive."""
    body, thought = await request.json(), asyncio.Event()
    asyncio.get_running_loop().call_later(2 * DEADLINE.total_seconds(), thought.set)
    await thought.wait()
    return web.json_response(body)


async def fall(_: web.Request) -> web.Response:
    raise KeyError("a bug, and Budi's number 081234567890")


async def ask_nobody(_: web.Request) -> web.Response:
    """A database that doesn't listen."""
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    try:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    finally:
        await database.close()
    return web.Response()


async def said(_: web.Request) -> web.Response:
    raise web.HTTPConflict(text='{"code": "slot_full"}', content_type="application/json")


@pytest.fixture
def missing() -> dict[str, str]:
    return {}


@pytest.fixture
async def client(missing: dict[str, str]) -> AsyncIterator[TestClient[Any, Any]]:
    async def ready() -> dict[str, str]:
        return missing

    routes = [
        web.post("/api/echo", echo),
        web.post("/api/think", think),
        web.get("/api/bug", fall),
        web.get("/api/nobody", ask_nobody),
        web.get("/api/said", said),
    ]
    app = make_app(routes, ready=ready, body_deadline=DEADLINE)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _ready() -> dict[str, str]:
    return {}


@asynccontextmanager
async def served(app: web.Application, **patience: timedelta) -> AsyncIterator[str]:
    """The address of the application as it is served in earnest."""
    runner = make_runner(app, **patience)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def failure(response: Any) -> tuple[int, str]:
    body = await response.json()
    assert body.keys() == {"success", "message", "code"}
    assert body["success"] is False
    return response.status, body["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "bad_request")),  # half of it
        (b"\xff", (400, "bad_request")),  # no text
        (b"[" * 200_000, (400, "bad_request")),  # nested until the parser gives up
        (b" " * 2 * 1024 * 1024, (413, "too_large")),  # 2 MiB
    ],
)
async def test_a_bad_body_is_refused_in_the_apis_shape(
    client: TestClient[Any, Any], body: bytes, expected: tuple[int, str]
) -> None:
    assert await failure(await client.post("/api/echo", data=io.BytesIO(body))) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Encoding": "gzip"}, (415, "unsupported_media_type")),  # it isn't
        ({"Content-Type": "application/json; charset=nonsense"}, (415, "unsupported_media_type")),  # no such letters
        ({"Content-Type": "application/json; charset=hex"}, (415, "unsupported_media_type")),  # no letters at all
    ],
)
async def test_headers_that_lie_about_the_body_are_refused(
    client: TestClient[Any, Any], headers: dict[str, str], expected: tuple[int, str]
) -> None:
    response = await client.post("/api/echo", data=b'{"a": 1}', headers=headers)
    assert await failure(response) == expected


@pytest.mark.parametrize(
    ("method", "path", "coding"),
    [
        ("POST", "/api/echo", "gzip"),
        ("POST", "/api/echo", "br"),
        ("POST", "/api/echo", "identity, Deflate"),  # more than one
        ("GET", "/healthz", "gzip"),  # where no body is read
        ("POST", "/webhooks/nowhere", "gzip"),  # where nothing is
    ],
)
async def test_a_packed_body_is_refused_on_every_path(method: str, path: str, coding: str) -> None:
    app = make_app([web.post("/api/echo", echo)], ready=_ready)
    async with served(app) as url, ClientSession(url) as session:
        response = await session.request(method, path, data=gzip.compress(b"{}"), headers={"Content-Encoding": coding})
        assert await failure(response) == (415, "unsupported_media_type")


async def test_a_body_that_says_that_it_is_not_packed_is_read(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/echo", data=b'{"a": 1}', headers={"Content-Encoding": "Identity"})
    assert await response.json() == {"a": 1}


async def test_a_packed_body_is_not_unpacked() -> None:
    packed, came = gzip.compress(bytes(LARGEST_BODY)), []

    @web.middleware
    async def weigh(request: web.Request, handler: Handler) -> web.StreamResponse:
        came.append(len(await request.content.read()))
        return await handler(request)

    async with served(make_app([], ready=_ready, around=[weigh])) as url, ClientSession(url) as session:
        await session.post("/healthz", data=packed, headers={"Content-Encoding": "gzip"})
    assert came == [len(packed)]


@pytest.mark.parametrize("rest", [b"zz\r\nno chunk\r\n", b"5\r\nab"])
async def test_a_broken_body_is_no_bug_of_ours(
    client: TestClient[Any, Any], caplog: pytest.LogCaptureFixture, rest: bytes
) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    writer.write_eof()
    assert b" 500 " not in await asyncio.wait_for(reader.read(), HANG)
    writer.close()
    assert [record for record in caplog.records if record.name == "webhooks.app"] == []


async def test_two_mebibytes_in_chunks_are_refused_too(client: TestClient[Any, Any]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield b" " * 64 * 1024

    assert await failure(await client.post("/api/echo", data=chunks())) == (413, "too_large")


async def test_a_body_that_stops_half_way_is_given_up(client: TestClient[Any, Any]) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), HANG)
    assert b" 408 " in head
    writer.close()


async def test_a_body_that_comes_slowly_but_comes_is_waited_for() -> None:
    app = make_app([web.post("/api/echo", echo)], ready=_ready, body_deadline=timedelta(0), slowest_body=1)
    async with TestClient(TestServer(app)) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" + b"[" + b" " * 30)
        assert (await client.get("/healthz")).status == 200  # meanwhile the first look has been
        writer.write(b" " * 8 + b"]")
        assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), HANG)
        writer.close()


async def test_half_heads_hold_nobody_up_and_are_given_up() -> None:
    async with served(make_app([], ready=_ready), idle=timedelta(seconds=0.5)) as url:
        port = URL(url).port
        halves = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in halves:
            writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        async with ClientSession(url) as session, session.get("/healthz") as response:
            assert response.status == 200
        assert {await asyncio.wait_for(reader.read(), HANG) for reader, _ in halves} == {b""}
        for _, writer in halves:
            writer.close()


async def test_a_whole_body_may_take_longer_to_work_on(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/think", json={"ok": True})
    assert await response.json() == {"ok": True}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "not_found")),
        ("GET", "/api/echo", (405, "method_not_allowed")),
        ("GET", "/api/nobody", (503, "unavailable")),
        ("GET", "/api/bug", (500, "internal_error")),
    ],
)
async def test_every_failure_has_one_shape(
    client: TestClient[Any, Any], method: str, path: str, expected: tuple[int, str]
) -> None:
    assert await failure(await client.request(method, path)) == expected


async def test_a_failure_speaks_the_callers_language(client: TestClient[Any, Any]) -> None:
    indonesian = await (await client.get("/nowhere")).json()
    english = await (await client.get("/nowhere", headers={"Accept-Language": "en-GB"})).json()
    assert (indonesian["message"], english["message"]) == ("Yang dicari tidak ditemukan.", "There is nothing here.")


async def test_a_bug_shows_no_trace_to_the_caller_and_is_logged_once(
    client: TestClient[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        shown = await (await client.get("/api/bug")).text()
    assert "Traceback" not in shown
    assert "0812" not in shown
    assert [record.message for record in caplog.records] == ["GET /api/bug failed"]


async def test_a_routes_own_answer_goes_through(client: TestClient[Any, Any]) -> None:
    response = await client.get("/api/said")
    assert (response.status, await response.json()) == (409, {"code": "slot_full"})


async def test_every_answer_carries_the_security_headers(client: TestClient[Any, Any]) -> None:
    for path in ("/healthz", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Python" not in headers["Server"]


async def test_readiness_names_what_is_missing(client: TestClient[Any, Any], missing: dict[str, str]) -> None:
    assert (await client.get("/readyz")).status == 200
    missing["database"] = "away"
    response = await client.get("/readyz")
    assert (response.status, await response.json()) == (
        503,
        {"ready": False, "missing": {"database": "away"}, "away": {}},
    )
    assert (await client.get("/healthz")).status == 200
