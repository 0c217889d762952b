"""Listening at an address, with a sentence for the owner where that can't be."""

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager

_WHY = {
    errno.EADDRINUSE: "another program uses this port",
    errno.EACCES: "this user may not use this port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class CantListen(Exception):
    """Why a server can't begin; one sentence."""


@contextmanager
def explained(host: str, port: int, *, setting: str) -> Iterator[None]:
    """Raise `CantListen` in place of what beginning to listen raises."""
    try:
        yield
    except OSError as error:
        why = _WHY.get(error.errno or 0) or error.strerror or str(error)
        raise CantListen(f"Can't listen at {host}:{port}: {why} ({setting}).") from error


async def try_to_listen(host: str, port: int, *, setting: str) -> None:
    """Raises `CantListen`."""
    with explained(host, port, setting=setting):
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    server.close()
    await server.wait_closed()
