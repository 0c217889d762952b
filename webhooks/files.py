"""Files behind signed links with an expiry, such as an invoice that WhatsApp or a browser fetches.

A link may be used repeatedly (Twilio sends HEAD and GET several times) until it expires.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.helpers import content_disposition_header

from webhooks.app import is_same


@dataclass(frozen=True, slots=True)
class Download:
    name: str
    content_type: str
    content: bytes


Load = Callable[[str, str], Awaitable[Download | None]]
"""Loads a file by kind ("invoice") and id (the booking's code); None if there is none."""


def sign(secret: bytes, kind: str, name: str, expires: datetime) -> str:
    """The path of a link to that file, valid until `expires`."""
    until = int(expires.timestamp())
    query = urlencode({"exp": until, "sig": _signature(secret, kind, name, str(until))})
    return f"/files/{quote(kind, safe='')}/{quote(name, safe='')}?{query}"


def routes(*, secret: bytes, load: Load, now: Callable[[], datetime]) -> list[web.RouteDef]:
    """GET and HEAD of signed links: 403 for a wrong signature, 410 once expired, 404 for a missing file."""

    async def serve(request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        until, given = request.query.get("exp", ""), request.query.get("sig", "")
        if not is_same(given, _signature(secret, kind, name, until)):
            raise web.HTTPForbidden
        if datetime.fromtimestamp(int(until), UTC) <= now():
            raise web.HTTPGone
        file = await load(kind, name)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(
            body=file.content,
            content_type=file.content_type,
            headers={
                "Content-Disposition": content_disposition_header("inline", filename=file.name),
                "Cache-Control": "private, no-store",
            },
        )

    return [web.get("/files/{kind}/{name}", serve)]


def _signature(secret: bytes, kind: str, name: str, until: str) -> str:
    return hmac.new(secret, f"{kind}\n{name}\n{until}".encode("utf-8", "replace"), sha256).hexdigest()
