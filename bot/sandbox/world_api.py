"""/world: the HTTP API by which the demo page shows and controls the phones; local requests only."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from bot.sandbox.hub import Event, Handler
from bot.sandbox.mailbox import Mailbox, mail_json
from bot.sandbox.phones import ActionImpossible, Person
from bot.sandbox.world import CUSTOMER_PHONES, World

Body = dict[str, Any]
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
SHOWN_INLINE = ("application/pdf", "image/jpeg", "image/png", "image/webp")
KEEPALIVE_SECONDS = 15


def routes(world: World, mailbox: Mailbox) -> list[web.RouteDef]:
    page = _Page(world, mailbox)
    return [
        web.get("/world/state", _local(page.state)),
        web.get("/world/events", _local(page.events)),
        web.get(r"/world/media/{media:\w+}", _local(page.media)),
        web.post(r"/world/{phone:\w+}/photo", _local(page.photo)),
        web.post(r"/world/{phone:\w+}/{action}", _local(page.action)),
    ]


def _local(handler: Handler) -> Handler:
    """Refuse requests from pages of other hosts (DNS rebinding, cross-site forms)."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not LOCAL.fullmatch(request.host) or origin not in (None, f"http://{request.host}"):
            return _refused(403, "only for this machine")
        return await handler(request)

    return guarded


class _Page:
    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self._world = world
        self._mailbox = mailbox

    async def state(self, request: web.Request) -> web.Response:
        del request
        mails = [mail_json(mail) for mail in self._mailbox.messages]
        return web.json_response(self._world.to_json() | {"mail": mails})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """All events from now on, as Server-Sent Events, until the page disconnects or the server stops."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        async with self._world.hub.subscribe() as queue:
            await response.prepare(request)
            with suppress(ConnectionResetError):  # the page disconnected
                await _send_events(response, queue)
        return response

    async def media(self, request: web.Request) -> web.Response:
        media = self._world.hub.media.get(request.match_info["media"])
        if media is None:
            return _refused(404, "no such file")
        shown = media.content_type in SHOWN_INLINE
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "inline" if shown else "attachment"}
        return web.Response(body=media.content, content_type=media.content_type, headers=headers)

    async def photo(self, request: web.Request) -> web.Response:
        content = await request.read()
        return await self._perform(request, lambda person: person.send_photo(content, request.content_type))

    async def action(self, request: web.Request) -> web.Response:
        action, phone = request.match_info["action"], request.match_info["phone"]
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            return _refused(400, "the body isn't JSON")
        if action == "new-person" and phone in CUSTOMER_PHONES:
            self._world.new_customer(phone)
            return web.Response(status=204)
        if action not in ACTIONS or not isinstance(body, dict):
            return _refused(404, "unknown action")
        return await self._perform(request, lambda person: ACTIONS[action](person, body))

    async def _perform(self, request: web.Request, action: Callable[[Person], Awaitable[object]]) -> web.Response:
        person = self._world.phones.get(request.match_info["phone"])
        if person is None:
            return _refused(404, "no such phone")
        try:
            await action(person)
        except (KeyError, TypeError, ValueError, ActionImpossible) as problem:
            return _refused(400, str(problem))
        return web.Response(status=204)


async def _send_events(response: web.StreamResponse, queue: "asyncio.Queue[Event]") -> None:
    await response.write(b": hello\n\n")
    while True:
        try:
            event = await asyncio.wait_for(queue.get(), KEEPALIVE_SECONDS)
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


ACTIONS: dict[str, Callable[[Person, Body], Awaitable[object]]] = {
    "type": lambda person, body: person.type(str(body["text"])),
    "tap": lambda person, body: person.tap(str(body["button"]), str(body["bubble"])),
    "contact": lambda person, body: person.share_contact(),
    "location": lambda person, body: person.share_location(
        float(body["latitude"]), float(body["longitude"]), body.get("address")
    ),
    "language": _language,
    "block": _block,
}
"""Actions of a person by name; `block` unblocks a blocked shop."""
