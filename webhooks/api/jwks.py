"""Fetches the issuer's signing keys: one URL from the settings, bounded in time and size, no redirects."""

import json
from collections.abc import AsyncIterable, Mapping

from aiohttp import ClientError, ClientSession

from webhooks.api.auth import KeysAway

MOST_BYTES = 256 * 1024


async def fetch(client: ClientSession, url: str) -> Mapping[str, object]:
    """The JWKS at that URL, within the client's timeout; raises `KeysAway`."""
    try:
        async with client.get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise KeysAway(f"HTTP {response.status}")
            jwks = json.loads(await _bounded(response.content.iter_chunked(16 * 1024)))
    except (ClientError, TimeoutError, ValueError, RecursionError) as error:
        raise KeysAway(type(error).__name__) from error
    if not isinstance(jwks, dict):
        raise KeysAway("no object")
    return jwks


async def _bounded(chunks: AsyncIterable[bytes]) -> bytes:
    read = b""
    async for chunk in chunks:
        read += chunk
        if len(read) > MOST_BYTES:
            raise KeysAway("too much")
    return read
