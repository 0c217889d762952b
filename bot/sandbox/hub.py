"""What all stand-ins share: the clock, ids, files, event subscribers, an HTTP client and simulated faults."""

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
    """A file that was sent or received on a phone."""

    id: str
    name: str
    content_type: str
    content: bytes

    @property
    def url(self) -> str:
        """Path on this server."""
        return f"/world/media/{self.id}"


class Hub:
    """State that the stand-ins share, in memory only."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = ""
        """URL of this server; set once it listens."""
        self.media: dict[str, Media] = {}
        self._numbers = itertools.count(1)
        self._subscribers: set[asyncio.Queue[Event]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    def next_number(self) -> int:
        """A number that wasn't returned before."""
        return next(self._numbers)

    def store(self, name: str, content_type: str, content: bytes) -> Media:
        media = Media(f"m{self.next_number()}", name, content_type, content)
        self.media[media.id] = media
        return media

    def publish(self, event: Event) -> None:
        for queue in self._subscribers:
            queue.put_nowait(event)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue of all events published from now on; the last is `{"type": "end"}`, when the server stops."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a background task until it ends or the server stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_idle(self) -> None:
        """Wait until all background tasks (callbacks, media downloads, retries) have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client for calls to webhooks and media links."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        return self._http

    async def close(self) -> None:
        """Cancel background tasks and end subscriptions."""
        self.publish({"type": "end"})
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()


@dataclass
class Faults:
    """Simulated faults for the next calls to a vendor, one entry per call."""

    _next: deque[tuple[str, int]] = field(default_factory=deque)
    _held: asyncio.Event | None = None
    """Set when held responses may go out; None while none are held."""

    def fail(self, status: int, *, times: int = 1) -> None:
        """Answer with this status without processing the call."""
        self._next.extend([("fail", status)] * times)

    def drop_responses(self, times: int = 1) -> None:
        """Process the call, then cut the connection before the response."""
        self._next.extend([("drop", 0)] * times)

    def hold_responses(self) -> None:
        """Process calls, but respond only after `clear`."""
        self._held = asyncio.Event()

    def clear(self) -> None:
        """Remove all faults and send held responses."""
        self._next.clear()
        if self._held:
            self._held.set()
            self._held = None

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a call with the next fault applied, if there is one."""
        kind, status = self._next.popleft() if self._next else ("", 0)
        if kind == "fail":
            return web.Response(status=status, text="<html>simulated fault</html>", content_type="text/html")
        response = await handler(request)
        if self._held:
            await self._held.wait()
        if kind == "drop" and request.transport is not None:
            request.transport.abort()
        return response
