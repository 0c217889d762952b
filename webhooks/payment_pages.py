"""The pages around a payment: after it, and for another try when it failed.

    GET  /payment/finish             says where the payment is confirmed: chat or e-mail
    GET  /payment/again/{code}?sig=  what is left to pay, and a button
    POST /payment/again/{code}?sig=  makes a payment link, and leads to it

A customer without a chat is mailed the signed link of the second; it only lets them pay.
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from html import escape
from urllib.parse import quote

from aiohttp import web

from conversations.texts import LANGUAGES, render
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Say, say
from core.refusals import NotFound, Refusal
from core.schedule import bookings
from core.shop import Shop
from webhooks.app import is_same

FINISHED = "/payment/finish"
_AGAIN = "/payment/again/"
_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}

_PAGE = """<!doctype html>
<html lang="id"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{shop}</title>
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1.5rem;text-align:center;color:#1f2937}}
h1{{font-size:1.4rem}}p+p{{color:#6b7280;font-size:1rem}}
button{{font:inherit;padding:.7em 1.6em;border:0;border-radius:8px;background:#10345c;color:#fff}}</style>
<h1>{shop}</h1>{lines}</html>"""

_FORM = '<form method="post"><button>{label}</button></form>'


def sign(secret: bytes, code: str) -> str:
    """The path of the page on which that booking can be paid."""
    return f"{_AGAIN}{quote(code, safe='')}?sig={_signature(secret, code)}"


def again(
    database: Database,
    shop: Shop,
    *,
    secret: bytes,
    clock: Callable[[], datetime],
    pay_link: Callable[[PaymentRequest], Awaitable[PaymentRequest | None]],
) -> list[web.RouteDef]:
    """The page for another try; 403 for a wrong signature, 404 for a missing booking."""

    async def shown(request: web.Request) -> web.Response:
        code = _verified(request, secret)
        async with database.read() as session:
            booking = await _load(Context(session, shop, clock()), code)
        if not booking.remaining:
            return _answer(shop, booking.language, say("page.again.nothing", code=code))
        invitation = say("page.again.ask", code=code, amount=booking.remaining)
        return _answer(shop, booking.language, invitation, button=say("page.again.button"))

    async def paid(request: web.Request) -> web.Response:
        code = _verified(request, secret)
        async with database.read() as session:
            language = (await _load(Context(session, shop, clock()), code)).language
        try:
            async with database.write() as session:
                ctx = Context(session, shop, clock())
                booking = await _load(ctx, code)
                percent = booking.down_payment_percent if not booking.paid_amount else None
                wanted = await payment.request(ctx, booking, percent=percent)
        except Refusal as refusal:
            return _answer(shop, language, say(f"refusal.{refusal.code}", **refusal.params), status=409)
        opened = wanted if wanted.token and wanted.url else await pay_link(wanted)
        if opened is None or not opened.url:
            return _answer(shop, language, say("page.again.later"), button=say("page.again.button"), status=503)
        raise web.HTTPSeeOther(opened.url)

    return [web.get(f"{_AGAIN}{{code}}", shown), web.post(f"{_AGAIN}{{code}}", paid)]


def finish_page(shop: Shop) -> web.RouteDef:
    """The page that Midtrans redirects the browser to; it only says where the payment is confirmed: chat or e-mail."""
    lines = "".join(f"<p>{escape(render(say('page.finished'), language))}</p>" for language in LANGUAGES)
    page = _PAGE.format(shop=escape(shop.name), lines=lines)

    async def finished(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", headers=_POLICY)

    return web.get(FINISHED, finished)


def _answer(shop: Shop, language: str, text: Say, *, button: Say | None = None, status: int = 200) -> web.Response:
    body = f"<p>{escape(render(text, language))}</p>"
    if button is not None:
        body += _FORM.format(label=escape(render(button, language)))
    page = _PAGE.format(shop=escape(shop.name), lines=body)
    return web.Response(text=page, status=status, content_type="text/html", headers=_POLICY)


async def _load(ctx: Context, code: str) -> Booking:
    try:
        return await bookings.load(ctx.session, code=code)
    except NotFound:
        raise web.HTTPNotFound from None


def _verified(request: web.Request, secret: bytes) -> str:
    """The booking's code in the path; raises 403 unless it is signed."""
    code = request.match_info["code"]
    if not is_same(request.query.get("sig", ""), _signature(secret, code)):
        raise web.HTTPForbidden
    return code


def _signature(secret: bytes, code: str) -> str:
    return hmac.new(secret, f"pay again\n{code}".encode("utf-8", "replace"), sha256).hexdigest()
