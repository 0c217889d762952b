"""Proxies before a vendor or the database, which pass everything on or simulate an outage."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Protocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Trouble(StrEnum):
    """How a remote service fails."""

    SILENT = "processes the call, and times out"
    CLOSED = "refuses connections"
    THROTTLED = "answers 429 with Retry-After"
    ERROR = "answers 500"
    HTML = "answers HTML"
    HALF = "processes the call, and cuts off the response"


TAKEN = (Trouble.SILENT, Trouble.HALF)
"""The call is processed, but the caller can't know it. After the other faults it isn't processed."""


class Front:
    """A proxy whose faults a test switches on and off."""

    def __init__(self, reach: Callable[[], Awaitable[Streams]], way: "Way | None" = None) -> None:
        self._reach = reach
        self._way = way
        self._trouble: Trouble | None = None
        self._only = b""
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Front"]:
        """Listen while the block runs."""
        await self._listen()
        try:
            yield self
        finally:
            self._hang_up()

    async def turn(self, trouble: Trouble | None, *, only: bytes = b"") -> None:
        """Switch to a fault, or to normal (None), and cut all connections; `only` limits it to requests with these bytes."""
        self._hang_up()
        self._trouble, self._only = trouble, only
        if trouble is not Trouble.CLOSED:
            await self._listen()

    def freeze(self) -> None:
        """Stop passing data on without closing connections, like a stopped machine or an unplugged cable."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass data on again, including what was held back."""
        self._flows.set()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _hang_up(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await (self._spoil(reader, writer) if self._trouble else self._pass_on(reader, writer))
        self._open.discard(writer)
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        there_reads, there_writes = await self._reach()
        self._open.add(there_writes)
        await asyncio.gather(self._pipe(reader, there_writes), self._pipe(there_reads, writer))
        self._open.discard(there_writes)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _spoil(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._trouble
        assert self._way
        if self._trouble not in TAKEN:
            await self._way.refuse((reader, writer), self._trouble)
            return
        there = await self._reach()
        self._open.add(there[1])
        asked, answer = await self._way.ask((reader, writer), there)
        if self._only not in asked:
            writer.write(answer)
        elif self._trouble is Trouble.HALF:
            writer.write(answer[:-3])
        else:
            await reader.read()
        there[1].close()
        self._open.discard(there[1])


class Way(Protocol):
    """The protocol of a proxied service."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Send the fault's response without passing the request on."""

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Pass the request on; returns the request and the last response, which isn't sent to the caller yet."""


class Http:
    """HTTP with one request per connection."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Reads the request first; otherwise a connection reset would lose the response."""
        await _request(caller[0])
        caller[1].write(HTTP_ANSWERS[trouble])
        await caller[1].drain()

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Adds `Connection: close`, so that the caller's next request opens a new connection here."""
        request = await _request(caller[0])
        there[1].write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        return request, await there[0].read()


class Smtp:
    """SMTP with one mail per connection."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Refuses in the greeting."""
        caller[1].write(SMTP_ANSWERS[trouble])
        await caller[1].drain()

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Passes the dialogue on up to the response to the mail's content."""
        mail = b""
        answering = asyncio.create_task(_pass_lines(there[0], caller[1]))
        while not mail.endswith(b"\r\n.\r\n"):
            mail += (line := await caller[0].readuntil(b"\r\n"))
            if line == b".\r\n":
                answering.cancel()
            there[1].write(line)
        return mail, await there[0].readline()


def before(port: int, way: Way) -> Front:
    """A proxy before a local port."""
    return Front(lambda: asyncio.open_connection("127.0.0.1", port), way)


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


async def _pass_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)


def _http() -> Iterator[tuple[Trouble, bytes]]:
    throttled = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 3}}
    broken = {"ok": False, "error_code": 500, "description": "Internal Server Error"}
    yield Trouble.THROTTLED, _answer("429 Too Many Requests", json.dumps(throttled), "Retry-After: 3\r\n")
    yield Trouble.ERROR, _answer("500 Internal Server Error", json.dumps(broken))
    yield Trouble.HTML, _answer("200 OK", "<html>We will be back soon</html>", kind="text/html")


def _answer(status: str, body: str, more: str = "", *, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{more}Connection: close\r\n\r\n{body}".encode()


HTTP_ANSWERS = dict(_http())
SMTP_ANSWERS = {
    Trouble.THROTTLED: b"421 4.7.0 Too many connections, try again later\r\n",
    Trouble.ERROR: b"554 5.3.0 No service here\r\n",
    Trouble.HTML: _answer("200 OK", "<html>We will be back soon</html>", kind="text/html"),
}
