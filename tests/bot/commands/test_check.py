"""`bengkel check`, with the vendors' stand-ins and with an issuer without keys."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from shops import MONDAY_8_AM

from bot.check import Finding, check
from bot.config import Settings
from bot.sandbox.demo import settings_for
from bot.sandbox.server import stand_ins
from core.db.database import Database


async def findings(url: str, folder: Path, **clerk: str) -> Mapping[str, Finding]:
    """Every line, by its part; with Clerk's section as given, else the stand-in's."""
    async with stand_ins(lambda: MONDAY_8_AM) as there:
        settings = settings_for(there, folder=folder, database=url, port=0)
        if clerk:
            settings = Settings.model_validate(settings.model_dump() | {"clerk": clerk})
        database = Database(url)
        found = await check(settings, database)
        await database.close()
        return {finding.part: finding for finding in found}


async def test_demo_passes_every_check(sqlite_url: str, tmp_path: Path) -> None:
    found = await findings(sqlite_url, tmp_path)
    assert {part for part, finding in found.items() if finding.state != "ok"} == {"second reader"}
    assert found["second reader"].state == "off"
    assert set(found) == {
        "settings",
        "server",
        "database",
        "telegram",
        "whatsapp",
        "midtrans",
        "email",
        "second reader",
        "clerk",
        "staff",
    }
    assert found["clerk"].words.endswith("/clerk, signing keys: 1")


async def test_without_an_issuer_clerk_is_off(sqlite_url: str, tmp_path: Path) -> None:
    found = await findings(sqlite_url, tmp_path, issuer="")
    assert str(found["clerk"]) == "off clerk: no credentials"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "not here", "HTTP 404"),  # the address is mistyped
        (302, "", "HTTP 302"),  # elsewhere is not where the settings said
        (200, "<html>", "JSONDecodeError"),  # a page that says all is well
        (200, "[]", "no object"),
        (200, '{"jwks": []}', "no keys in the answer"),
        (200, '{"keys": []}', "no published key"),
        (200, json.dumps({"keys": [{"kty": "oct", "kid": "1", "k": "c2VjcmV0"}]}), "no published key"),
    ],
)
async def test_issuer_without_keys_is_bad(sqlite_url: str, tmp_path: Path, status: int, body: str, words: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.add_routes([web.get("/jwks", answer)])
    async with TestServer(app) as server:
        url = str(server.make_url("/jwks"))
        found = await findings(sqlite_url, tmp_path, issuer="https://clerk.example", jwks_url=url)
    assert found["clerk"].state == "bad"
    assert words in found["clerk"].words
    assert "clerk.jwks_url" in found["clerk"].words


async def test_unreachable_issuer_is_bad(sqlite_url: str, tmp_path: Path) -> None:
    found = await findings(sqlite_url, tmp_path, issuer="http://127.0.0.1:1")
    assert (found["clerk"].state, "ClientConnectorError" in found["clerk"].words) == ("bad", True)
