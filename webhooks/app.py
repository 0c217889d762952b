"""The web application: limits, errors and headers that all routes share.

    request ── (around) ── errors ── body deadline ── route

Limits keep one client from holding memory or connections; errors become short answers, never a trace.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from conversations.texts import render
from core import trace
from core.db.database import AWAY
from core.messaging.messages import Say, say

LARGEST_BODY = 1024 * 1024
SLOWEST_BODY = 8 * 1024
"""Minimum speed of a body in bytes per second; any phone that can upload a photo is faster."""
IDLE = timedelta(seconds=75)
"""How long a connection may stay without a complete request head; longer than proxies keep idle connections."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    410: "gone",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}

_log = logging.getLogger(__name__)

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""The parts that aren't ready, and why; empty when all are."""


def make_app(
    routes: Iterable[web.AbstractRouteDef],
    *,
    ready: Ready,
    away: Callable[[], Mapping[str, str]] = dict,
    around: Sequence[Middleware] = (),
    body_deadline: timedelta = timedelta(seconds=10),
    slowest_body: int = SLOWEST_BODY,
) -> web.Application:
    """An application of these routes, with limits, error answers, /healthz and /readyz; `around` sees every answer.

    `away` names the vendors that don't answer: /readyz shows them and stays ready, because incoming messages are kept.
    A body has until `body_deadline`, plus one second for each `slowest_body` bytes received.
    """
    app = web.Application(
        client_max_size=LARGEST_BODY, middlewares=[*around, _errors, _deadline(body_deadline, slowest_body)]
    )
    app.on_response_prepare.append(_add_headers)

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readiness(_: web.Request) -> web.Response:
        missing = await ready()
        status = {"ready": not missing, "missing": dict(missing), "away": dict(away())}
        return web.json_response(status, status=503 if missing else 200)

    app.add_routes([*routes, web.get("/healthz", alive), web.get("/readyz", readiness)])
    return app


def make_runner(app: web.Application, *, idle: timedelta = IDLE) -> web.AppRunner:
    """Serves the application; closes connections that are idle or never complete a request head."""
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=4,
        keepalive_timeout=idle.total_seconds(),  # aiohttp's default is an hour
        auto_decompress=False,  # it would expand a megabyte to a gigabyte, even if nobody reads the body
    )


def traced(fresh: Callable[[], str]) -> Middleware:
    """Gives each request its own trace id, until its content names a better one."""

    @web.middleware
    async def follow(request: web.Request, handler: Handler) -> web.StreamResponse:
        trace.follow(f"http:{fresh()}")
        return await handler(request)

    return follow


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _check_encoding(request)
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400 or answer.content_type == "application/json":
            raise
        return _failure(request, answer.status, allow=answer.headers.get("Allow"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, web.RequestPayloadError):
        return _failure(request, 400)
    except AWAY as error:
        _log.warning("%s: the database is away (%s)", route_of(request), type(error).__name__)
        return _failure(request, 503)
    except Exception:  # noqa: BLE001 — aiohttp shows a trace in debug mode
        _log.exception("%s failed", route_of(request))
        return _failure(request, 500)


def _check_encoding(request: web.Request) -> None:
    """Refuse unknown charsets, which aiohttp fails on wherever it reads the body, and compressed bodies.

    No caller compresses, and a small body may expand to a huge one.
    """
    try:
        b" ".decode(request.charset or "utf-8")
    except (LookupError, UnicodeDecodeError) as error:
        raise web.HTTPUnsupportedMediaType from error
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise web.HTTPUnsupportedMediaType


def _deadline(grace: timedelta, slowest: int) -> Middleware:
    """Give up on a body that doesn't arrive in time; a handler may work on a complete body for longer."""

    @web.middleware
    async def deadline(request: web.Request, handler: Handler) -> web.StreamResponse:
        body, loop = request.content, asyncio.get_running_loop()
        first_check = loop.time() + grace.total_seconds()
        timer: asyncio.TimerHandle

        def check() -> None:
            nonlocal timer
            until = first_check + body.total_bytes / slowest
            if not body.is_eof() and until > loop.time():
                timer = loop.call_at(until, check)
            elif not body.is_eof():
                timeout.reschedule(loop.time())

        timer = loop.call_at(first_check, check)
        try:
            async with asyncio.timeout(None) as timeout:
                return await handler(request)
        except TimeoutError:
            if not timeout.expired():
                raise
            raise web.HTTPRequestTimeout from None
        finally:
            timer.cancel()

    return deadline


def _failure(request: web.Request, status: int, *, allow: str | None = None) -> web.Response:
    code = _CODES.get(status, "bad_request" if status < 500 else "internal_error")
    headers = {"Allow": allow} if allow else {"Retry-After": "5"} if status == 503 else {}
    return failure(status, code, say(f"http.{code}"), language_of(request), headers=headers)


def failure(
    status: int,
    code: str,
    text: Say,
    language: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A failure as api.md shapes it."""
    body = {"success": False, "message": render(text, language), "code": code}
    return web.json_response(body | ({"errors": errors} if errors else {}), status=status, headers=headers)


def is_same(given: str, secret: str) -> bool:
    """Compare what a caller sent with a secret or signature, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def language_of(request: web.Request) -> str:
    """English if the caller asks for it, else Indonesian."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "id"


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "bengkel"  # aiohttp's own names its version and Python's


def route_of(request: web.Request) -> str:
    """The route for logs and metrics: its pattern, since a path may name a person's booking."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else '(no route)'}"
