"""Fetching the issuer's keys: bounded in time and size, either keys or `KeysAway`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from webhooks.api.auth import KeysAway, fetch_keys

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def keys(_: web.Request) -> web.Response:
    return web.json_response({"keys": []})


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>maintenance</html>", content_type="text/html")


async def listed(_: web.Request) -> web.Response:
    return web.json_response([])


async def nested(_: web.Request) -> web.Response:
    return web.Response(body=b"[" * 100_000)


async def trouble(_: web.Request) -> web.Response:
    return web.Response(status=500)


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/keys")


async def flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def silence(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


ANSWERS: tuple[Answer, ...] = (keys, page, listed, nested, trouble, elsewhere, flood, silence)


@pytest.fixture
async def issuer() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes([web.get(f"/{answer.__name__}", answer) for answer in ANSWERS])
    async with TestServer(app) as server:
        yield server


async def test_keys_are_read(issuer: TestServer) -> None:
    async with ClientSession() as client:
        assert await fetch_keys(client, str(issuer.make_url("/keys"))) == {"keys": []}


@pytest.mark.parametrize("path", [answer.__name__ for answer in ANSWERS if answer is not keys])
async def test_other_answers_hold_no_keys(issuer: TestServer, path: str) -> None:
    async with ClientSession(timeout=ClientTimeout(total=0.3)) as client:
        with pytest.raises(KeysAway):
            await fetch_keys(client, str(issuer.make_url(f"/{path}")))


async def test_unreachable_issuer_has_no_keys() -> None:
    async with ClientSession() as client:
        with pytest.raises(KeysAway):
            await fetch_keys(client, "http://127.0.0.1:9/jwks.json")
