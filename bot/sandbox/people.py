"""/world: what the page sees of the phones, and does with them; for this machine only."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from bot.sandbox.mailbox import Mailbox, listed
from bot.sandbox.phones import NotThere, Person
from bot.sandbox.stage import Event, Handler
from bot.sandbox.world import CUSTOMERS, World

Body = dict[str, Any]
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
SHOWN_INLINE = ("application/pdf", "image/jpeg", "image/png", "image/webp")
QUIET_SECONDS = 15
"""How often a silent event stream shows that it lives."""


def routes(world: World, letters: Mailbox) -> list[web.RouteDef]:
    """The page's HTTP API."""
    page = _Page(world, letters)
    return [
        web.get("/world/state", _local(page.state)),
        web.get("/world/events", _local(page.events)),
        web.get(r"/world/media/{media:\w+}", _local(page.media)),
        web.post(r"/world/{phone:\w+}/photo", _local(page.photo)),
        web.post(r"/world/{phone:\w+}/{deed}", _local(page.deed)),
    ]


def _local(handler: Handler) -> Handler:
    """Refuse what doesn't come from a page of this machine: DNS rebinding, other sites' forms."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not LOCAL.fullmatch(request.host) or origin not in (None, f"http://{request.host}"):
            return _refused(403, "only for this machine")
        return await handler(request)

    return guarded


class _Page:
    def __init__(self, world: World, letters: Mailbox) -> None:
        self._world = world
        self._letters = letters

    async def state(self, request: web.Request) -> web.Response:
        del request
        mail = [listed(letter) for letter in self._letters.messages]
        return web.json_response(self._world.to_json() | {"mail": mail})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Everything from now on, as Server-Sent Events, until the page goes or the server stops."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        async with self._world.stage.listening() as queue:
            await response.prepare(request)
            with suppress(ConnectionResetError):  # the page has gone
                await _tell(response, queue)
        return response

    async def media(self, request: web.Request) -> web.Response:
        media = self._world.stage.media.get(request.match_info["media"])
        if media is None:
            return _refused(404, "no such file")
        shown = media.content_type in SHOWN_INLINE
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "inline" if shown else "attachment"}
        return web.Response(body=media.content, content_type=media.content_type, headers=headers)

    async def photo(self, request: web.Request) -> web.Response:
        content = await request.read()
        return await self._done(request, lambda person: person.send_photo(content, request.content_type))

    async def deed(self, request: web.Request) -> web.Response:
        deed, phone = request.match_info["deed"], request.match_info["phone"]
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            return _refused(400, "the body is no JSON")
        if deed == "new-person" and phone in CUSTOMERS:
            self._world.new_customer(phone)
            return web.Response(status=204)
        if deed not in DEEDS or not isinstance(body, dict):
            return _refused(404, "a phone can't do that")
        return await self._done(request, lambda person: DEEDS[deed](person, body))

    async def _done(self, request: web.Request, act: Callable[[Person], Awaitable[object]]) -> web.Response:
        person = self._world.phones.get(request.match_info["phone"])
        if person is None:
            return _refused(404, "there is no such phone")
        try:
            await act(person)
        except (KeyError, TypeError, ValueError, NotThere) as problem:
            return _refused(400, str(problem))
        return web.Response(status=204)


async def _tell(response: web.StreamResponse, queue: "asyncio.Queue[Event]") -> None:
    await response.write(b": hello\n\n")
    while True:
        try:
            event = await asyncio.wait_for(queue.get(), QUIET_SECONDS)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        if event["type"] == "end":
            return
        await response.write(f"data: {json.dumps(event)}\n\n".encode())


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


async def _language(person: Person, body: Body) -> None:
    person.language = str(body["language"])


async def _block(person: Person, body: Body) -> None:
    del body
    await (person.unblock() if person.blocked else person.block())


DEEDS: dict[str, Callable[[Person, Body], Awaitable[object]]] = {
    "type": lambda person, body: person.type(str(body["text"])),
    "tap": lambda person, body: person.tap(str(body["button"]), str(body["bubble"])),
    "contact": lambda person, body: person.share_contact(),
    "location": lambda person, body: person.share_location(
        float(body["latitude"]), float(body["longitude"]), body.get("address")
    ),
    "language": _language,
    "block": _block,
}
"""What the page can have a person do; `block` lets the shop in again when it is blocked."""
