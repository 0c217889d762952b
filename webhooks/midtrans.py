"""POST /api/payment/webhook: Midtrans reports a change of an order.

    body ── well-formed? ── signed? ──> an order        stored once, worker woken   200
                        │            ├─> a subscription  kept                        200
                        │            └─> a test          nothing                     200
                        └──> a linked account            kept                        200

Nothing is decided here: the signature doesn't cover the status, so a worker asks Midtrans (settlement).
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import sha512
from typing import Any, NoReturn

from aiohttp import web

from core import payment, trace
from core.db.database import Database
from webhooks.app import is_same

_TEST_BUTTON, _SUBSCRIPTION = "payment_notif_test_", "SUBS-"
_ORDER_ID = re.compile(rf"[A-Za-z0-9\-_~.]{{1,50}}|({_TEST_BUTTON}|{_SUBSCRIPTION})[A-Za-z0-9\-_~.]{{1,100}}")
"""The test button's order_id has 66 characters."""
_LARGEST_ACCOUNT = 4_096
"""Bytes of a notification about a linked account, which is kept unverified."""
_Store = Callable[..., Awaitable[bool]]
_STRINGS = ("order_id", "status_code", "gross_amount", "signature_key")


def routes(
    database: Database, *, server_key: str, clock: Callable[[], datetime], wake: Callable[[], None]
) -> list[web.RouteDef]:
    """The webhook; `wake` is called when a notification was stored."""

    async def notified(request: web.Request) -> web.Response:
        raw = await request.read()
        body = _parsed(raw)
        if "order_id" not in body and isinstance(body.get("account_id"), str) and len(raw) <= _LARGEST_ACCOUNT:
            return await kept(payment.keep_account_notification, body)
        _check_order(body)
        order_id = body["order_id"]
        expected = signature(order_id, body["status_code"], body["gross_amount"], server_key)
        if not is_same(body["signature_key"].lower(), expected):
            raise web.HTTPForbidden
        trace.follow(order_id)
        if order_id.startswith(_TEST_BUTTON):
            return web.json_response({"success": True})
        if order_id.startswith(_SUBSCRIPTION):
            return await kept(payment.keep_notification, body)
        answer = await kept(payment.store_notification, body)
        wake()
        return answer

    async def kept(store: _Store, body: Mapping[str, Any]) -> web.Response:
        async with database.write() as session:
            await store(session, body, now=clock())
        return web.json_response({"success": True})

    return [web.post("/api/payment/webhook", notified)]


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """Midtrans' signature_key over these strings as the body has them.

    Source: https://docs.midtrans.com/docs/https-notification-webhooks
    """
    return sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode("utf-8", "replace")).hexdigest()


def _parsed(raw: bytes) -> Mapping[str, Any]:
    """The body, an object; raises 400."""
    try:
        body = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def _check_order(body: Mapping[str, Any]) -> None:
    """Raise 400 unless the signed fields are strings and the order_id is one of Midtrans'."""
    if not all(isinstance(body.get(name), str) for name in _STRINGS) or not _ORDER_ID.fullmatch(body["order_id"]):
        raise web.HTTPBadRequest


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
