"""What a person does in a web front end, and what the shop answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from town import Town
from waiting import HANG


class Visitor:
    """Somebody whose page calls the API; each call answers its data, and fails the test where the shop refuses."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http

    async def get(self, path: str, **query: str) -> Any:
        """Look."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> Any:
        """Do."""
        return await self._call("POST", path, json=body)

    async def move(self, code: str, status: str) -> Any:
        """Bring a booking on."""
        return await self._call("PATCH", f"/api/bookings/{code}/status", json={"status": status})

    async def send(self, path: str, form: Any) -> Any:
        """Do, with files."""
        return await self._call("POST", path, data=form)

    async def load(self, url: str) -> bytes:
        """The bytes behind a link."""
        async with self._http.get(url) as response:
            assert response.status == 200, url
            return await response.read()

    async def until(self, code: str, **wanted: Any) -> Any:
        """The booking once it is so, asked again and again as a page does that waits for its payment."""
        async with asyncio.timeout(HANG):
            while True:
                booking = await self.get(f"/api/bookings/{code}")
                if wanted.items() <= booking.items():
                    return booking

    async def _call(self, method: str, path: str, **given: Any) -> Any:
        async with self._http.request(method, path, **given) as response:
            body = await response.json()
        assert response.ok, (path, body)
        return body["data"]


@asynccontextmanager
async def visiting(town: Town, user: str | None = None) -> AsyncIterator[Visitor]:
    """A visitor, signed in as a user of the issuer's if one is named."""
    headers = {"Authorization": f"Bearer {town.there.clerk.token(user)}"} if user else {}
    async with ClientSession(town.settings.server.public_url, headers=headers) as http:
        yield Visitor(http)
