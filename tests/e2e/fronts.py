"""What stands before a vendor or the database: it passes everything on, or does what they do when they are in trouble."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Trouble(StrEnum):
    """How somebody far away can fail."""

    SILENT = "times out"
    CLOSED = "refuses connections"
    THROTTLED = "answers 429 with Retry-After"
    ERROR = "answers 500"
    HTML = "answers HTML"
    HALF = "answers half a body"


class Front:
    """One address, whose trouble a test turns on and off."""

    def __init__(self, reach: Callable[[], Awaitable[Streams]], answers: "dict[Trouble, bytes]") -> None:
        self._reach = reach
        self._answers = answers
        self._trouble: Trouble | None = None
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

    async def turn(self, trouble: Trouble | None) -> None:
        """Begin to do that, or to be well again; whoever was connected is cut off."""
        self._hang_up()
        self._trouble = trouble
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
        if self._trouble is Trouble.SILENT:
            await reader.read()
            return
        if self._answers is HTTP:  # who speaks SMTP waits for the server's first word
            await _whole_request(reader)
        writer.write(self._answers[self._trouble])
        await writer.drain()


def before(port: int, answers: "dict[Trouble, bytes]") -> Front:
    """A front of what listens on a port of this machine."""
    return Front(lambda: asyncio.open_connection("127.0.0.1", port), answers)


async def _whole_request(reader: asyncio.StreamReader) -> None:
    """Read to the end, or the answer would be lost in a reset connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


def _http() -> Iterator[tuple[Trouble, bytes]]:
    throttled = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 3}}
    broken = {"ok": False, "error_code": 500, "description": "Internal Server Error"}
    yield Trouble.THROTTLED, _answer("429 Too Many Requests", json.dumps(throttled), "Retry-After: 3\r\n")
    yield Trouble.ERROR, _answer("500 Internal Server Error", json.dumps(broken))
    yield Trouble.HTML, _answer("200 OK", "<html>We will be back soon</html>", kind="text/html")
    yield Trouble.HALF, _answer("200 OK", '{"ok": true, "result": {"message_', missing=900)


def _answer(status: str, body: str, more: str = "", *, kind: str = "application/json", missing: int = 0) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) + missing}\r\n"
    return f"{head}{more}Connection: close\r\n\r\n{body}".encode()


HTTP = dict(_http())
SMTP = {
    Trouble.THROTTLED: b"421 4.7.0 Too many connections, try again later\r\n",
    Trouble.ERROR: b"554 5.3.0 No service here\r\n",
    Trouble.HTML: _answer("200 OK", "<html>We will be back soon</html>", kind="text/html"),
    Trouble.HALF: b"220-mail.exam",
}
