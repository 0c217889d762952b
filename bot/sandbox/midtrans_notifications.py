"""Notifications of the Midtrans stand-in: signing, sending and retries, with switches for delays and duplicates."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

MAX_RETRIES: Mapping[int | None, int] = {500: 1, 503: 4, 400: 2, 404: 2}
"""Retries by the webhook's status; five for any other status."""

INTERVALS = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 30, 90, 210))
"""Delay before each retry. Source: https://docs.midtrans.com/docs/https-notification-webhooks"""


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """The signature_key of a notification: SHA-512 over the strings as they are sent and the server key."""
    return hashlib.sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A sent notification and the webhook's HTTP status; None without a response."""

    body: Mapping[str, Any]
    status: int | None
    at: datetime


@dataclass(slots=True)
class _Queued:
    body: dict[str, Any]
    due: datetime
    tries: int = 0


class Notifications:
    """The notifications to the webhook.

    `held` keeps all of them until `release`, `copies` is how often each is sent, `delay` postpones them, and
    `retry_factor` scales the delays between retries.
    """

    def __init__(self, url: str | None, clock: Callable[[], datetime], *, retry_factor: float = 1) -> None:
        self.url = url
        self.retry_factor = retry_factor
        self.held = False
        self.copies = 1
        self.delay = timedelta()
        self.sent: list[Sent] = []
        self._clock = clock
        self._queue: list[_Queued] = []

    def add(self, body: dict[str, Any]) -> None:
        """Queue a notification for `deliver`."""
        self._queue += [_Queued(body, self._clock() + self.delay) for _ in range(self.copies)]

    async def deliver(self) -> None:
        """Send the due notifications in order, unless `held`."""
        while not self.held and (queued := self._next_due()):
            self._queue.remove(queued)
            status = await self.post(queued.body)
            self._retry(queued, status)

    async def release(self, *, backwards: bool = False) -> None:
        """Send the held notifications; newest first if `backwards`."""
        self.held = False
        if backwards:
            self._queue.reverse()
        await self.deliver()

    async def post(self, body: Mapping[str, Any]) -> int | None:
        """Send a notification now; returns the webhook's status, None without a response within 15 s."""
        status = await self._post(body) if self.url else None
        self.sent.append(Sent(body, status, self._clock()))
        return status

    async def _post(self, body: Mapping[str, Any]) -> int | None:
        headers = {"User-Agent": "Veritrans", "Content-Type": "application/json", "Accept": "application/json"}
        timeout = aiohttp.ClientTimeout(total=15)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.post(str(self.url), data=json.dumps(body), allow_redirects=False) as response,
            ):
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _next_due(self) -> _Queued | None:
        now = self._clock()
        return next((queued for queued in self._queue if queued.due <= now), None)

    def _retry(self, queued: _Queued, status: int | None) -> None:
        if self.url is None or (status is not None and 200 <= status < 300):
            return
        if queued.tries < MAX_RETRIES.get(status, len(INTERVALS)):
            delay = INTERVALS[queued.tries] * self.retry_factor
            self._queue.append(_Queued(queued.body, self._clock() + delay, queued.tries + 1))
