"""POST /api/payment/webhook: Midtrans reports a change of an order; and the page after a payment.

    body ── well-formed? ── signed? ── a real order? ──> stored once, worker woken ──> 200

Nothing is decided here: the signature doesn't cover the status, so a worker asks Midtrans (settlement).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha512
from html import escape
from typing import NoReturn

from aiohttp import web

from conversations.texts import LANGUAGES, render
from core import payment, trace
from core.db.database import Database
from core.messaging.messages import say
from core.shop import Shop
from webhooks.app import is_same

FINISHED = "/payment/finish"
_ORDER_ID = re.compile(r"[A-Za-z0-9\-_~.]{1,50}")
_TEST_BUTTON = "payment_notif_test_"
_STRINGS = ("order_id", "status_code", "gross_amount", "signature_key")


_PAGE = """<!doctype html>
<html lang="id"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{shop}</title>
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1.5rem;text-align:center;color:#1f2937}}
h1{{font-size:1.4rem}}p+p{{color:#6b7280;font-size:1rem}}</style>
<h1>{shop}</h1>{lines}</html>"""


def routes(
    database: Database, *, server_key: str, clock: Callable[[], datetime], wake: Callable[[], None]
) -> list[web.RouteDef]:
    """The webhook; `wake` is called when a notification was stored."""

    async def notified(request: web.Request) -> web.Response:
        body = _parsed(await request.read())
        expected = signature(body["order_id"], body["status_code"], body["gross_amount"], server_key)
        if not is_same(body["signature_key"].lower(), expected):
            raise web.HTTPForbidden
        trace.follow(body["order_id"])
        if not body["order_id"].startswith(_TEST_BUTTON):
            async with database.write() as session:
                await payment.store_notification(session, body, now=clock())
            wake()
        return web.json_response({"success": True})

    return [web.post("/api/payment/webhook", notified)]


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """Midtrans' signature_key over these strings as the body has them.

    Source: https://docs.midtrans.com/docs/https-notification-webhooks
    """
    return sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode("utf-8", "replace")).hexdigest()


def _parsed(raw: bytes) -> Mapping[str, str]:
    """The body, with its signed fields checked to be strings; raises 400."""
    try:
        body = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in _STRINGS):
        raise web.HTTPBadRequest
    if not _ORDER_ID.fullmatch(body["order_id"]):
        raise web.HTTPBadRequest
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def finish_page(shop: Shop) -> web.RouteDef:
    """The page that Midtrans redirects the browser to; it only points back to the chat, which reports the payment."""
    lines = "".join(f"<p>{escape(render(say('page.finished'), language))}</p>" for language in LANGUAGES)
    page = _PAGE.format(shop=escape(shop.name), lines=lines)

    async def finished(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    return web.get(FINISHED, finished)
