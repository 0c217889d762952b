"""The page of `make demo`: static files that load nothing from other servers."""

from pathlib import Path

from aiohttp import web

_HERE = Path(__file__).parent
_FONTS = _HERE.parent / "papers" / "fonts"
_FILES = {
    **{file.name: file for file in (_HERE / "page").iterdir()},
    **{name: _FONTS / name for name in ("Inter-Regular.ttf", "Inter-SemiBold.ttf")},
}
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_HEADERS = {
    # A payment ends on a page of the shop, on another port of this machine, so frames from 127.0.0.1 are allowed.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def routes() -> list[web.RouteDef]:

    async def index(request: web.Request) -> web.FileResponse:
        del request
        return _file("index.html")

    async def file(request: web.Request) -> web.FileResponse:
        return _file(request.match_info["name"])

    return [web.get("/", index), web.get("/page/{name}", file)]


def _file(name: str) -> web.FileResponse:
    path = _FILES.get(name)
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=_HEADERS | {"Content-Type": _TYPES[path.suffix]})
