"""Real server processes that can be killed, behind a proxy; each runs `bengkel run`.

Importing everything takes seconds, so they are forked from a process that has only imported the modules.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import yaml
from aiohttp import ClientError, ClientSession

from bot.config import SECRETS, Settings
from bot.sandbox.demo import free_port

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["bot.__main__"])
BENGKEL, CARELESS = "bot.__main__", "careless"
"""The program to run: the product or the negative control."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server process that can be restarted after a kill."""

    def __init__(self, settings: Settings, folder: Path, program: str = BENGKEL) -> None:
        folder.mkdir()
        self._folder = folder
        self._program = program
        self.port = free_port()
        mine = settings.model_copy(update={"server": settings.server.model_copy(update={"port": self.port})})
        _write_down(mine, folder)
        self._process: multiprocessing.process.BaseProcess | None = None
        self.is_up = False
        """False as soon as it is killed, although a dying process still accepts connections for a while."""

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    @property
    def pid(self) -> int:
        """The process id; the server must have been started."""
        assert self._process
        assert self._process.pid
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it serves."""
        process = _FORKS.Process(target=_bengkel, args=(self._program, self._folder), daemon=True)
        await asyncio.to_thread(process.start)
        self._process = process
        while not await self._answers():
            assert process.is_alive(), self.log[-3000:]
            await asyncio.sleep(0.05)
        self.is_up = True

    async def kill(self, sign: int = signal.SIGKILL, *, within: float = 20) -> int | None:
        """Send a signal and wait; returns the exit status, None if the process still runs after `within` seconds."""
        assert self._process
        self.is_up = sign != signal.SIGKILL
        os.kill(self.pid, sign)
        await asyncio.to_thread(self._process.join, within)
        return self._process.exitcode

    async def close(self) -> None:
        """Kill the process if it runs."""
        if self._process and self._process.is_alive():
            await self.kill()

    async def _answers(self) -> bool:
        with contextlib.suppress(ClientError, OSError):
            async with ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status == 200
        return False


class Proxy:
    """A reverse proxy: sends each request to the next server that is up."""

    def __init__(self, *servers: Server, held_for: timedelta = timedelta()) -> None:
        self._servers = list(servers)
        self._held_for = held_for

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Accept connections while the block runs."""
        serving = await asyncio.start_server(self._carry, "127.0.0.1", port)
        try:
            yield
        finally:
            serving.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            begins = await reader.readuntil(b"\r\n")
            there = await self._reach()
            # A kill would cut several kept-open connections at once, including the one of a caller's retry.
            there[1].write(begins + b"Connection: close\r\n")
            await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))
        writer.close()

    async def _reach(self) -> Streams:
        """Connect to a server that is up, waiting up to `held_for`; raises TimeoutError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._held_for.total_seconds()
        while True:
            self._servers.append(self._servers.pop(0))
            for server in filter(attrgetter("is_up"), self._servers):
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection("127.0.0.1", server.port)
            if loop.time() >= until:
                raise TimeoutError
            await asyncio.sleep(0.05)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def _write_down(settings: Settings, folder: Path) -> None:
    """Write the settings to config.yaml, and the secrets to .env."""
    given = settings.model_dump(mode="json", exclude_unset=True)
    lines = []
    for section, key in SECRETS:
        if given.get(section, {}).pop(key, None):
            secret = getattr(getattr(settings, section), key).get_secret_value()
            lines.append(f"BENGKEL_{section}__{key}={secret}".upper().replace(secret.upper(), secret))
    (folder / ".env").write_text("\n".join(lines))
    (folder / "config.yaml").write_text(yaml.safe_dump(given, allow_unicode=True))


def _bengkel(program: str, folder: Path) -> None:
    """Run the program in the new process."""
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(__import__(program, fromlist=["main"]).main(["run"]))
