"""What all routes share: limits, short error answers, health."""

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


async def work_long(request: web.Request) -> web.Response:
    """Read the body, and take longer than the body deadline."""
    body, thought = await request.json(), asyncio.Event()
    asyncio.get_running_loop().call_later(2 * DEADLINE.total_seconds(), thought.set)
    await thought.wait()
    return web.json_response(body)


async def fail(_: web.Request) -> web.Response:
    raise KeyError("a bug, and Budi's number 081234567890")


async def lose_database(_: web.Request) -> web.Response:
    """Use an unreachable database."""
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    try:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    finally:
        await database.close()
    return web.Response()


async def refuse(_: web.Request) -> web.Response:
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
        web.post("/api/work_long", work_long),
        web.get("/api/bug", fail),
        web.get("/api/nobody", lose_database),
        web.get("/api/refuse", refuse),
    ]
    app = make_app(routes, ready=ready, body_deadline=DEADLINE)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _ready() -> dict[str, str]:
    return {}


@asynccontextmanager
async def served(app: web.Application, **patience: timedelta) -> AsyncIterator[str]:
    """The URL of the application behind its real runner."""
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
        (b"[" * 200_000, (400, "bad_request")),  # nested too deeply
        (b" " * 2 * 1024 * 1024, (413, "too_large")),  # 2 MiB
    ],
)
async def test_bad_body_is_refused_in_the_apis_shape(
    client: TestClient[Any, Any], body: bytes, expected: tuple[int, str]
) -> None:
    assert await failure(await client.post("/api/echo", data=io.BytesIO(body))) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Encoding": "gzip"}, (415, "unsupported_media_type")),  # it isn't
        ({"Content-Type": "application/json; charset=nonsense"}, (415, "unsupported_media_type")),  # unknown charset
        ({"Content-Type": "application/json; charset=hex"}, (415, "unsupported_media_type")),  # not a text encoding
    ],
)
async def test_unknown_encoding_or_charset_is_refused(
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
async def test_compressed_body_is_refused_on_every_path(method: str, path: str, coding: str) -> None:
    app = make_app([web.post("/api/echo", echo)], ready=_ready)
    async with served(app) as url, ClientSession(url) as session:
        response = await session.request(method, path, data=gzip.compress(b"{}"), headers={"Content-Encoding": coding})
        assert await failure(response) == (415, "unsupported_media_type")


async def test_identity_encoding_is_accepted(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/echo", data=b'{"a": 1}', headers={"Content-Encoding": "Identity"})
    assert await response.json() == {"a": 1}


async def test_compressed_body_is_never_expanded() -> None:
    packed, came = gzip.compress(bytes(LARGEST_BODY)), []

    @web.middleware
    async def weigh(request: web.Request, handler: Handler) -> web.StreamResponse:
        came.append(len(await request.content.read()))
        return await handler(request)

    async with served(make_app([], ready=_ready, around=[weigh])) as url, ClientSession(url) as session:
        await session.post("/healthz", data=packed, headers={"Content-Encoding": "gzip"})
    assert came == [len(packed)]


@pytest.mark.parametrize("rest", [b"zz\r\nno chunk\r\n", b"5\r\nab"])
async def test_broken_body_is_no_server_error(
    client: TestClient[Any, Any], caplog: pytest.LogCaptureFixture, rest: bytes
) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    writer.write_eof()
    assert b" 500 " not in await asyncio.wait_for(reader.read(), HANG)
    writer.close()
    assert [record for record in caplog.records if record.name == "webhooks.app"] == []


async def test_two_chunked_mebibytes_are_refused(client: TestClient[Any, Any]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield b" " * 64 * 1024

    assert await failure(await client.post("/api/echo", data=chunks())) == (413, "too_large")


async def test_stalled_body_times_out(client: TestClient[Any, Any]) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), HANG)
    assert b" 408 " in head
    writer.close()


async def test_slow_but_steady_body_is_accepted() -> None:
    app = make_app([web.post("/api/echo", echo)], ready=_ready, body_deadline=timedelta(0), slowest_body=1)
    async with TestClient(TestServer(app)) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" + b"[" + b" " * 30)
        assert (await client.get("/healthz")).status == 200  # after the first check
        writer.write(b" " * 8 + b"]")
        assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), HANG)
        writer.close()


async def test_incomplete_heads_time_out() -> None:
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


async def test_handler_may_outlast_the_body_deadline(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/work_long", json={"ok": True})
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


async def test_failure_is_in_the_callers_language(client: TestClient[Any, Any]) -> None:
    indonesian = await (await client.get("/nowhere")).json()
    english = await (await client.get("/nowhere", headers={"Accept-Language": "en-GB"})).json()
    assert (indonesian["message"], english["message"]) == ("Yang dicari tidak ditemukan.", "There is nothing here.")


async def test_bug_shows_no_trace_and_is_logged_once(
    client: TestClient[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        shown = await (await client.get("/api/bug")).text()
    assert "Traceback" not in shown
    assert "0812" not in shown
    assert [record.message for record in caplog.records] == ["GET /api/bug failed"]


async def test_route_may_answer_a_failure_itself(client: TestClient[Any, Any]) -> None:
    response = await client.get("/api/refuse")
    assert (response.status, await response.json()) == (409, {"code": "slot_full"})


async def test_every_answer_has_security_headers(client: TestClient[Any, Any]) -> None:
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
