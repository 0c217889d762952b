"""A client of the REST API, as a web front end uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import ClientSession
from town import Town
from waiting import result


class Visitor:
    """A user of a web front end. Each call returns the response's `data` and fails the test on an error status."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http

    async def get(self, path: str, **query: str) -> Any:
        return await self._call("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._call("POST", path, json=body)

    async def move(self, code: str, status: str) -> Any:
        """Set a booking's status."""
        return await self._call("PATCH", f"/api/bookings/{code}/status", json={"status": status})

    async def send(self, path: str, form: Any) -> Any:
        """Post a form with files."""
        return await self._call("POST", path, data=form)

    async def load(self, url: str) -> bytes:
        """The bytes behind a link."""
        async with self._http.get(url) as response:
            assert response.status == 200, url
            return await response.read()

    async def until(self, code: str, **wanted: Any) -> Any:
        """Wait until a booking has the wanted fields."""
        look = partial(self.get, f"/api/bookings/{code}")
        return await result(look, lambda booking: wanted.items() <= booking.items())

    async def _call(self, method: str, path: str, **given: Any) -> Any:
        async with self._http.request(method, path, **given) as response:
            body = await response.json()
        assert response.ok, (path, body)
        return body["data"]


@asynccontextmanager
async def visiting(town: Town, user: str | None = None) -> AsyncIterator[Visitor]:
    """A visitor, signed in if a user is named."""
    headers = {"Authorization": f"Bearer {town.there.clerk.token(user)}"} if user else {}
    async with ClientSession(town.settings.server.public_url, headers=headers) as http:
        yield Visitor(http)
