"""What all stand-ins share: the clock, numbers, files, listeners, one HTTP client, and trouble on purpose."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

Clock = Callable[[], datetime]
Event = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Media:
    """A file that went over a phone."""

    id: str
    name: str
    content_type: str
    content: bytes

    @property
    def url(self) -> str:
        """Where the page finds it, relative to this server."""
        return f"/world/media/{self.id}"


class Stage:
    """The ground that the stand-ins stand on; everything is in memory and gone with the process."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = ""
        """Where this server is reached from outside; set when it listens."""
        self.media: dict[str, Media] = {}
        self._numbers = itertools.count(1)
        self._listeners: set[asyncio.Queue[Event]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    def number(self) -> int:
        """The next number, never given twice."""
        return next(self._numbers)

    def keep(self, name: str, content_type: str, content: bytes) -> Media:
        """Store a file that went over a phone."""
        media = Media(f"m{self.number()}", name, content_type, content)
        self.media[media.id] = media
        return media

    def publish(self, event: Event) -> None:
        """Tell everyone who listens."""
        for listener in self._listeners:
            listener.put_nowait(event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue of everything published from now on; `{"type": "end"}` when the server stops."""
        listener: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the requests, until it ends or the server stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until nothing started here is under way (callbacks, media fetches, repeats)."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client for calls to our webhooks and media links."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        return self._http

    async def close(self) -> None:
        """Stop what runs, and let listeners go."""
        self.publish({"type": "end"})
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()


@dataclass
class Trouble:
    """What goes wrong on purpose with the next calls to a vendor, one entry a call."""

    _next: deque[tuple[str, int]] = field(default_factory=deque)
    _held: asyncio.Event | None = None
    """Until when answers are held back."""

    def refuse(self, status: int, *, times: int = 1) -> None:
        """Answer with this status instead of doing anything."""
        self._next.extend([("refuse", status)] * times)

    def lose_answers(self, times: int = 1) -> None:
        """Do what was asked, then cut the connection: the caller can't know."""
        self._next.extend([("lose", 0)] * times)

    def hold_answers(self) -> None:
        """From now on do what is asked, and answer when it is `over`."""
        self._held = asyncio.Event()

    def over(self) -> None:
        """Nothing goes wrong any more."""
        self._next.clear()
        if self._held:
            self._held.set()
            self._held = None

    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a call, or spoil it when trouble is due."""
        kind, status = self._next.popleft() if self._next else ("", 0)
        if kind == "refuse":
            return web.Response(status=status, text="<html>trouble on purpose</html>", content_type="text/html")
        response = await handler(request)
        if self._held:
            await self._held.wait()
        if kind == "lose" and request.transport is not None:
            request.transport.abort()
        return response
