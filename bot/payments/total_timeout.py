"""A total timeout for answers over `requests`, whose own timeout starts again with every byte.

TotalTimeout (adapter) ── connection ── answer ── its raw bytes, until the deadline
"""

from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class TotalTimeout(HTTPAdapter):
    """Limits the whole answer, headers and body, to what is left of the request's timeout."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
        return pool


class _Bytes(RawIOBase):
    def __init__(self, connection: socket, raw: RawIOBase) -> None:
        self._connection, self._raw = connection, raw
        self._deadline = monotonic() + (connection.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Bytes(sock, self.fp.detach()))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer
