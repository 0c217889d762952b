"""The payment page of the Midtrans stand-in: the page, its state as JSON, and its actions."""

import io
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import segno
from aiohttp import web

from bot.sandbox.midtrans_account import ApiError, MidtransAccount
from bot.sandbox.midtrans_records import Page, Transaction, payment_details
from bot.sandbox.midtrans_rules import Channel

BASE = "/snap/v4/redirection"
_HERE = files(__package__)
_ASSETS: Mapping[str, str] = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def routes(account: MidtransAccount) -> list[web.RouteDef]:
    """The page at `/snap/v4/redirection/{token}` and its API."""

    def page_of(request: web.Request) -> Page:
        try:
            return account.page(request.match_info["token"])
        except ApiError as error:
            raise web.HTTPNotFound from error

    async def show(request: web.Request) -> web.Response:
        page_of(request)
        return web.Response(text=_read("page.html"), content_type="text/html", headers=_HEADERS)

    async def state(request: web.Request) -> web.Response:
        await account.tick()
        return web.json_response(_view(account, page_of(request)), headers=_HEADERS)

    async def act(request: web.Request) -> web.Response:
        page = page_of(request)
        try:
            await _act(account, page, request.match_info["verb"], await request.json())
        except ApiError as error:
            return web.json_response(_view(account, page) | {"refused": error.messages}, status=409, headers=_HEADERS)
        return web.json_response(_view(account, page), headers=_HEADERS)

    async def code(request: web.Request) -> web.Response:
        attempt = account.attempt_on(page_of(request))
        if attempt is None:
            raise web.HTTPNotFound
        return web.Response(text=_qr(attempt), content_type="image/svg+xml", headers=_HEADERS)

    async def asset(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(text=_read(name), content_type=_ASSETS[name], headers=_HEADERS)

    return [
        web.get(BASE + "/assets/{name:page[.](?:css|js)}", asset),
        web.get(BASE + "/{token}", show),
        web.get(BASE + "/{token}/state", state),
        web.get(BASE + "/{token}/qr.svg", code),
        web.post(BASE + "/{token}/{verb:choose|pay|fail|expire|abandon}", act),
    ]


async def _act(account: MidtransAccount, page: Page, verb: str, body: Mapping[str, str]) -> None:
    match verb:
        case "choose":
            await account.choose(page.token, body.get("channel", ""))
        case "pay":
            card = {"card": body["card"]} if "card" in body else {}
            await account.pay(page.token, body.get("channel"), **card)
        case "fail":
            await account.deny(page.order_id)
        case "expire" if (attempt := account.attempt_on(page)) and attempt.status == "pending":
            await account.expire(attempt.id)
        case "expire":
            account.end(page)
        case "abandon":
            await account.abandon(page.token)


def _view(account: MidtransAccount, page: Page) -> dict[str, Any]:
    attempt = account.attempt_on(page)
    ends_at = attempt.expires_at if attempt and attempt.status == "pending" else page.ends_at
    return {
        "merchant": account.merchant,
        "order_id": page.order_id,
        "amount": page.amount,
        "items": [
            {"name": str(item["name"]), "price": item["price"], "quantity": item["quantity"]}
            for item in page.body.get("item_details") or []
        ],
        "seconds": int((ends_at - account.now()).total_seconds()),
        "seconds_in_all": int((ends_at - page.created_at).total_seconds()),
        "open": account.is_open(page),
        "closed": page.closed_at is not None,
        "channels": [_channel(channel) for channel in page.channels],
        "attempt": _attempt(attempt) if attempt else None,
        "finish": account.finish_url(page),
    }


def _channel(channel: Channel) -> dict[str, str]:
    return {"name": channel.name, "group": channel.group, "label": channel.label}


def _attempt(attempt: Transaction) -> dict[str, Any]:
    return {
        "channel": _channel(attempt.channel),
        "status": "challenge" if attempt.challenged else attempt.status,
        "payment_details": payment_details(attempt),
        "id": attempt.id,
    }


def _qr(attempt: Transaction) -> str:
    drawn = io.BytesIO()
    text = json.dumps({"simulasi": attempt.id, "order_id": attempt.order_id, "amount": attempt.amount})
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=6, border=0, dark="#10192e", xmldecl=False)
    return drawn.getvalue().decode()


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
