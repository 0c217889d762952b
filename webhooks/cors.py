"""CORS: which origins' scripts may call the API, without cookies.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Accept-Language",
    "Access-Control-Max-Age": "600",
}


def allow(app: web.Application, origins: Collection[str]) -> None:
    """Let these origins call everything below /api/."""
    allowed = frozenset(origins)

    @web.middleware
    async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS" and is_allowed(request) and "Access-Control-Request-Method" in request.headers:
            return web.Response(status=204, headers=_ALLOWED)
        return await handler(request)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        if not request.path.startswith("/api/"):
            return
        response.headers.add("Vary", "Origin")
        if is_allowed(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"

    def is_allowed(request: web.Request) -> bool:
        return request.path.startswith("/api/") and request.headers.get("Origin") in allowed

    app.middlewares.append(answer_preflights)
    app.on_response_prepare.append(add_headers)
