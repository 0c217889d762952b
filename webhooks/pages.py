"""The page that Midtrans redirects the browser to after a payment."""

from html import escape

from aiohttp import web

from conversations.texts import LANGUAGES, render
from core.messaging.messages import say
from core.shop import Shop

FINISHED = "/payment/finish"

_PAGE = """<!doctype html>
<html lang="id"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{shop}</title>
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1.5rem;text-align:center;color:#1f2937}}
h1{{font-size:1.4rem}}p+p{{color:#6b7280;font-size:1rem}}</style>
<h1>{shop}</h1>{lines}</html>"""


def routes(shop: Shop) -> list[web.RouteDef]:
    """The page only points back to the chat: the chat reports a payment once it is confirmed."""
    lines = "".join(f"<p>{escape(render(say('page.finished'), language))}</p>" for language in LANGUAGES)
    page = _PAGE.format(shop=escape(shop.name), lines=lines)

    async def finished(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    return [web.get(FINISHED, finished)]
