"""Signed links to files."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from webhooks import files
from webhooks.app import make_app
from webhooks.files import Download, sign

SECRET = b"0" * 32
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=7)


@pytest.fixture
async def client() -> AsyncIterator[TestClient[Any, Any]]:
    async def load(kind: str, name: str) -> Download | None:
        known = {("invoice", "BK-7"), ("invoice", "BK 7/ä")}
        return Download("faktur ä.pdf", "application/pdf", b"%PDF-1.7") if (kind, name) in known else None

    async def ready() -> dict[str, str]:
        return {}

    app = make_app(files.routes(secret=SECRET, load=load, now=lambda: NOW), ready=ready)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("name", ["BK-7", "BK 7/ä"])
async def test_signed_link_works_repeatedly(client: TestClient[Any, Any], name: str) -> None:
    link = sign(SECRET, "invoice", name, LATER)
    for _ in range(2):
        response = await client.get(link)
        assert (response.status, await response.read()) == (200, b"%PDF-1.7")
        assert response.content_type == "application/pdf"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("inline; filename")


async def test_head_has_length_and_type_of_get(client: TestClient[Any, Any]) -> None:
    response = await client.head(sign(SECRET, "invoice", "BK-7", LATER))
    assert (response.status, response.content_type, response.headers["Content-Length"]) == (200, "application/pdf", "8")
    assert await response.read() == b""


LINK = sign(SECRET, "invoice", "BK-7", LATER)


@pytest.mark.parametrize(
    ("link", "status"),
    [
        (LINK.replace("BK-7", "BK-8"), 403),  # somebody else's
        (LINK.replace("invoice", "secret"), 403),  # another kind
        (LINK.replace("exp=1", "exp=2"), 403),  # a later end
        (LINK[:-1], 403),  # half a signature
        (LINK.partition("&")[0], 403),  # none
        (LINK.partition("?")[0], 403),  # nothing at all
        (LINK + "ä", 403),  # not ASCII
        (sign(b"1" * 32, "invoice", "BK-7", LATER), 403),  # signed by somebody else
        (sign(SECRET, "invoice", "BK-7", NOW), 410),  # expired this second
        (sign(SECRET, "invoice", "BK-9", LATER), 404),  # valid, but the file is gone
    ],
)
async def test_any_other_link_is_refused(client: TestClient[Any, Any], link: str, status: int) -> None:
    assert (await client.get(link)).status == status
    assert (await client.head(link)).status == status
