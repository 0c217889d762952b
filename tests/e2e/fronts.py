"""What stands before a vendor or the database: it passes everything on, or does what they do when they are in trouble."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Protocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Trouble(StrEnum):
    """How somebody far away can fail."""

    SILENT = "does what was asked, and times out"
    CLOSED = "refuses connections"
    THROTTLED = "answers 429 with Retry-After"
    ERROR = "answers 500"
    HTML = "answers HTML"
    HALF = "does what was asked, and breaks off in the middle of the answer"


TAKEN = (Trouble.SILENT, Trouble.HALF)
"""After these, whoever asked can't know whether it was done; after the others it wasn't."""


class Front:
    """One address, whose trouble a test turns on and off."""

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
        """Begin to do that (`only` where these words are in what is asked), or to be well; who was connected is cut off."""
        self._hang_up()
        self._trouble, self._only = trouble, only
        if trouble is not Trouble.CLOSED:
            await self._listen()

    def freeze(self) -> None:
        """From now on nothing comes through, and nobody is cut off: as when a machine stands still, or a cable is out."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let through what was held back, too."""
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
    """How to speak with somebody."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Answer what that trouble answers, without having done anything."""

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Have done what the caller asks; what that was, and the last answer, which he hasn't heard yet."""


class Http:
    """One request, one answer."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Read it first, or the answer would be lost in a reset connection."""
        await _request(caller[0])
        caller[1].write(HTTP_ANSWERS[trouble])
        await caller[1].drain()

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Pass it on; the answer ends with the connection, so that the caller's next one comes here again."""
        request = await _request(caller[0])
        there[1].write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        return request, await there[0].read()


class Smtp:
    """A letter, after some words back and forth that the server begins."""

    async def refuse(self, caller: Streams, trouble: Trouble) -> None:
        """Before the caller has said a word."""
        caller[1].write(SMTP_ANSWERS[trouble])
        await caller[1].drain()

    async def ask(self, caller: Streams, there: Streams) -> tuple[bytes, bytes]:
        """Pass all on until the letter is taken."""
        letter = b""
        answering = asyncio.create_task(_pass_lines(there[0], caller[1]))
        while not letter.endswith(b"\r\n.\r\n"):
            letter += (line := await caller[0].readuntil(b"\r\n"))
            if line == b".\r\n":
                answering.cancel()
            there[1].write(line)
        return letter, await there[0].readline()


def before(port: int, way: Way) -> Front:
    """A front of what listens on a port of this machine."""
    return Front(lambda: asyncio.open_connection("127.0.0.1", port), way)


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A whole one."""
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
