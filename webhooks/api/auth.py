"""Who is calling: Clerk's session tokens, RS256 only, verified with the issuer's published keys.

    Bearer token ── kid ──> KeySet ── signature, issuer ──> claims ── times, azp ──> sub ── staff list ──> User

Keys are cached for an hour and fetched again for an unknown kid, at most once per `FETCH_GAP`, so that no caller can make
us fetch in a loop. A token's own `jku`, `jwk` or `x5u` is ignored.

Source: https://clerk.com/docs/guides/sessions/manual-jwt-verification
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

import jwt
from aiohttp import ClientError, ClientSession
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.shop import Shop, StaffMember
from webhooks.api.answers import Denied

LEEWAY = timedelta(seconds=10)
FETCH_GAP = timedelta(seconds=30)
CACHED_FOR = timedelta(hours=1)
LONGEST_TOKEN = 4096
MIN_BITS = 2048
MOST_BYTES = 256 * 1024

Fetch = Callable[[], Awaitable[Mapping[str, object]]]
"""Returns the issuer's current JWKS; raises `KeysAway`."""

_log = logging.getLogger(__name__)


class KeysAway(Exception):
    """The issuer doesn't answer with keys."""


@dataclass(frozen=True, slots=True)
class User:
    """The user that a token names, with their entry in the staff list."""

    id: str
    staff: StaffMember | None = None

    @property
    def role(self) -> Literal["admin", "technician", "user"]:
        """The role as api.md names it."""
        return self.staff.role if self.staff else "user"

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class Clerk:
    """Verifies tokens; `parties` are the accepted origins (`azp`), any when empty."""

    def __init__(self, *, issuer: str, parties: Sequence[str], keys: "KeySet", shop: Shop) -> None:
        self._issuer = issuer
        self._parties = frozenset(parties)
        self._keys = keys
        self._staff = {member.clerk: member for member in shop.staff if member.clerk}

    async def user(self, authorization: str | None, now: datetime) -> User:
        """The user of an Authorization header; raises `Denied`: 401, or 503 while there are no keys."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Denied(401, "unauthorized")
        try:
            claims = await self._claims(token.strip(), now)
        except (jwt.InvalidTokenError, ValidationError, RecursionError) as error:
            raise Denied(401, "invalid_token") from error
        return User(claims.sub, self._staff.get(claims.sub))

    async def _claims(self, token: str, now: datetime) -> "_Claims":
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise jwt.InvalidTokenError("too long, or not ASCII")
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            raise jwt.InvalidAlgorithmError("only RS256 with a kid")
        key = await self._keys.key(header["kid"], now)
        # Times are compared below, with `now` instead of the library's clock.
        times = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        options = {"require": ["exp", "iat", "sub", "iss"], **times}
        payload = jwt.decode(token, key, algorithms=["RS256"], issuer=self._issuer, options=options)  # type: ignore[arg-type]
        claims = _Claims.model_validate(payload)
        moment, leeway = now.timestamp(), LEEWAY.total_seconds()
        if claims.exp <= moment - leeway:
            raise jwt.ExpiredSignatureError
        if max(claims.iat, claims.nbf) > moment + leeway:
            raise jwt.ImmatureSignatureError
        if self._parties and claims.azp not in self._parties:
            raise jwt.InvalidTokenError("issued for another origin")
        return claims


class KeySet:
    """The issuer's public keys by kid."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._keys: dict[str, RSAPublicKey] = {}
        self._tried_at: datetime | None = None
        self._received_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str, now: datetime) -> RSAPublicKey:
        """The key with that id; raises `InvalidTokenError`, or `Denied` (503) while there are no keys."""
        if kid not in self._keys or not self._is_fresh(now):
            async with self._one_at_a_time:
                await self._refresh(kid, now)
        if not self._keys:
            raise Denied(503, "sign_in_unavailable", retry_after=int(FETCH_GAP.total_seconds()))
        if kid not in self._keys:
            raise jwt.InvalidTokenError("an unknown key")
        return self._keys[kid]

    async def _refresh(self, kid: str, now: datetime) -> None:
        if kid in self._keys and self._is_fresh(now):
            return  # fetched while this call waited for the lock
        if _is_within(FETCH_GAP, self._tried_at, now):
            return
        self._tried_at = now
        try:
            self._keys = read_keys(await self._fetch())
            self._received_at = now
        except KeysAway as error:
            _log.warning("the sign-in keys can't be fetched: %s", error)

    def _is_fresh(self, now: datetime) -> bool:
        return _is_within(CACHED_FOR, self._received_at, now)


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True)

    sub: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    exp: Annotated[float, Field(allow_inf_nan=False)]
    iat: Annotated[float, Field(allow_inf_nan=False)]
    nbf: Annotated[float, Field(allow_inf_nan=False)] = 0
    azp: str | None = None


def _is_within(span: timedelta, since: datetime | None, now: datetime) -> bool:
    # After the clock was set back, `since` lies in the future, which doesn't count.
    return since is not None and timedelta() <= now - since < span


def read_keys(jwks: Mapping[str, object]) -> dict[str, RSAPublicKey]:
    """The RSA signing keys in a JWKS; other entries are skipped."""
    listed = jwks.get("keys")
    if not isinstance(listed, list):
        raise KeysAway("no keys in the answer")
    found = {}
    for entry in listed[:100]:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry, algorithm="RS256").key
        except (jwt.InvalidKeyError, jwt.PyJWKError, ValueError, TypeError):
            continue
        if isinstance(entry.get("kid"), str) and isinstance(key, RSAPublicKey) and key.key_size >= MIN_BITS:
            found[entry["kid"]] = key
    return found


async def fetch_keys(client: ClientSession, url: str) -> Mapping[str, object]:
    """The JWKS at that URL, bounded in time and size, without redirects; raises `KeysAway`."""
    try:
        async with client.get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise KeysAway(f"HTTP {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_chunked(16 * 1024):
                content += chunk
                if len(content) > MOST_BYTES:
                    raise KeysAway("too much")
            jwks = json.loads(content)
    except (ClientError, TimeoutError, ValueError, RecursionError) as error:
        raise KeysAway(type(error).__name__) from error
    if not isinstance(jwks, dict):
        raise KeysAway("no object")
    return jwks
