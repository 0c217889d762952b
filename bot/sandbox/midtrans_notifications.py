"""The notifications of the Midtrans stand-in: signed, sent, sent again; and, by switch, badly behaved."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

RETRIES: Mapping[int | None, int] = {500: 1, 503: 4, 400: 2, 404: 2}
"""How often a notification is sent again, by the status it was answered with; any other: five times."""

INTERVALS = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 30, 90, 210))
"""How long Midtrans waits before each retry. Source: https://docs.midtrans.com/docs/https-notification-webhooks"""


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """The signature_key of a notification, over the strings as they are sent."""
    return hashlib.sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """One notification as it went out, and the HTTP status it was answered with (None: no answer)."""

    body: Mapping[str, Any]
    status: int | None
    at: datetime


@dataclass(slots=True)
class _Waiting:
    body: dict[str, Any]
    due: datetime
    tries: int = 0


class Notifications:
    """What is on its way to the webhook.

    Switches: `held` keeps everything back until `release`, `copies` sends each so many times,
    `delay` sends each so much later, `retry_factor` shortens the pauses between retries (demo).
    """

    def __init__(self, url: str | None, clock: Callable[[], datetime], *, retry_factor: float = 1) -> None:
        self.url = url
        self.retry_factor = retry_factor
        self.held = False
        self.copies = 1
        self.delay = timedelta()
        self.sent: list[Sent] = []
        self._clock = clock
        self._waiting: list[_Waiting] = []

    def add(self, body: dict[str, Any]) -> None:
        """Queue a notification; `deliver` sends it."""
        self._waiting += [_Waiting(body, self._clock() + self.delay) for _ in range(self.copies)]

    async def deliver(self) -> None:
        """Send what is due by the clock, in order, unless held."""
        while not self.held and (waiting := self._next_due()):
            self._waiting.remove(waiting)
            status = await self.post(waiting.body)
            self._retry(waiting, status)

    async def release(self, *, backwards: bool = False) -> None:
        """Send what was held, the newest first when `backwards`."""
        self.held = False
        if backwards:
            self._waiting.reverse()
        await self.deliver()

    async def post(self, body: Mapping[str, Any]) -> int | None:
        """Send one notification now; returns the status of the answer, None when none came within 15 s."""
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

    def _next_due(self) -> _Waiting | None:
        now = self._clock()
        return next((waiting for waiting in self._waiting if waiting.due <= now), None)

    def _retry(self, waiting: _Waiting, status: int | None) -> None:
        if self.url is None or (status is not None and 200 <= status < 300):
            return
        if waiting.tries < RETRIES.get(status, len(INTERVALS)):
            pause = INTERVALS[waiting.tries] * self.retry_factor
            self._waiting.append(_Waiting(waiting.body, self._clock() + pause, waiting.tries + 1))
