"""GET /metrics, for callers on this machine or with the token; everybody else gets 401 or 404."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address

from aiohttp import web

from webhooks.app import is_same

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers that proxies add: then the proxy, not the caller, is on this machine."""


def routes(exposition: Callable[[], Awaitable[bytes]], *, token: str | None, behind_proxy: bool) -> list[web.RouteDef]:
    """401 for a wrong token; 404 for other callers when no token is set."""

    async def metrics(request: web.Request) -> web.Response:
        has_token = token is not None and is_same(request.headers.get("Authorization", ""), f"Bearer {token}")
        if not (has_token or (not behind_proxy and _is_local(request))):
            raise web.HTTPUnauthorized if token else web.HTTPNotFound
        return web.Response(body=await exposition(), headers={"Content-Type": TEXT_FORMAT})

    return [web.get("/metrics", metrics)]


def _is_local(request: web.Request) -> bool:
    if not request.remote or any(name in request.headers for name in _FORWARDED):
        return False
    address = ip_address(request.remote)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
