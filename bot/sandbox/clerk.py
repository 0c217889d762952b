"""Stand-in for Clerk: creates a key pair on first use, publishes the public key and issues tokens.

GET  /clerk/.well-known/jwks.json     the keys that our server fetches
POST /clerk/token {"user": "customer" | "technician" | "admin" | "user_…"}     the token that a sign-in page would get
GET  /clerk                           instructions
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from html import escape

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bot.sandbox.hub import Clock

KID = "sandbox-key"
TOKEN_LIFETIME = timedelta(hours=1)
USERS = {"customer": "user_demo_customer", "technician": "user_demo_technician", "admin": "user_demo_admin"}
"""Clerk user ids of the demo's people, by role."""

_PAGE = """<!doctype html><html lang="id"><meta charset="utf-8"><title>Clerk · SIMULASI</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1.25rem;color:#17233f}}
pre{{background:#eef1f7;border-radius:10px;padding:1rem;overflow-x:auto}}i{{color:#61708c}}</style>
<h1>Clerk, SIMULASI</h1>
<p>Token untuk REST API, sejam berlaku: <b>customer</b>, <b>technician</b>, atau <b>admin</b>.
<i lang="en">Tokens for the REST API, good for an hour, one for each role.</i></p>
<pre>TOKEN=$(curl -s {url}/clerk/token -d '{{"user": "customer"}}' | sed 's/.*"token": "\\([^"]*\\)".*/\\1/')
curl -s {shop}/api/user -H "Authorization: Bearer $TOKEN"</pre>
<p>Semua alamat API <i lang="en">The whole API</i>: <a href="{shop}/api/docs">{shop}/api/docs</a></p></html>"""


class Clerk:
    """The issuer. It gives a token for any user without authentication, so it must stay on this machine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.url = ""
        """URL of this server; set once it listens."""
        self.shop_url = ""
        """URL of the server under test."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def issuer(self) -> str:
        """The `iss` claim of tokens."""
        return f"{self.url}/clerk"

    def jwks(self) -> Mapping[str, object]:
        key = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [key | {"kid": KID, "use": "sig", "alg": "RS256"}]}

    def token(self, user: str) -> str:
        """A session token; `user` is a role in `USERS` or any user id."""
        moment = self._clock()
        claims = {
            "iss": self.issuer,
            "sub": USERS.get(user, user),
            "iat": moment,
            "nbf": moment,
            "exp": moment + TOKEN_LIFETIME,
            "azp": self.url,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KID})


def routes(clerk: Clerk) -> list[web.RouteDef]:

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(clerk.jwks())

    async def token(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            user = str(body["user"])
        except (ValueError, TypeError, KeyError):
            raise web.HTTPBadRequest(text='{"user": "customer"}') from None
        return web.json_response({"token": clerk.token(user), "user": USERS.get(user, user)})

    async def page(_: web.Request) -> web.Response:
        text = _PAGE.format(url=escape(clerk.url), shop=escape(clerk.shop_url))
        return web.Response(text=text, content_type="text/html")

    return [
        web.get("/clerk", page),
        web.get("/clerk/.well-known/jwks.json", keys),
        web.post("/clerk/token", token),
    ]
