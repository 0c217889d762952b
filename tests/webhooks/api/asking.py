"""The whole API over HTTP, with a test issuer, and callers in every role."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from paying import answer
from workshop import INSTALL

from bot.papers.photos import Photos
from bot.payments.midtrans_client import SnapLink
from bot.payments.payment_worker import PaymentWorker
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.schedule import bookings
from core.shop import Shop
from webhooks import cors, files
from webhooks.api import Api, routes
from webhooks.api.auth import Clerk, KeysAway, KeySet
from webhooks.app import make_app

ISSUER = "https://clerk.suarajaya.example"
ORIGIN = "https://suarajaya.example"
SECRET = b"a secret for file links"


@dataclass
class Issuer:
    """Clerk's stand-in: signs tokens and publishes keys."""

    now: datetime
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    fetched: int = 0
    away: bool = False

    async def jwks(self) -> Mapping[str, object]:
        self.fetched += 1
        if self.away:
            raise KeysAway("on purpose")
        return {"keys": [public_key(key) | {"kid": kid} for kid, key in self.keys.items()]}

    def token(self, user: str, *, kid: str = "key-1", **claims: Any) -> str:
        return jwt.encode(self.claims(user) | claims, self.keys[kid], algorithm="RS256", headers={"kid": kid})

    def claims(self, user: str) -> dict[str, Any]:
        moment = int(self.now.timestamp())
        return {"iss": ISSUER, "sub": user, "iat": moment - 5, "nbf": moment - 5, "exp": moment + 60, "azp": ORIGIN}


def public_key(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {"use": "sig", "alg": "RS256"}


class FakeMidtrans:
    """Creates links, or raises the next error."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.wrong: list[Exception] = []
        self.answers = asyncio.Event()
        """Cleared: a link takes until it is set."""
        self.answers.set()

    async def create(self, body: Mapping[str, Any]) -> SnapLink:
        await self.answers.wait()
        if self.wrong:
            raise self.wrong.pop(0)
        order_id = body["transaction_details"]["order_id"]
        self.made.append(order_id)
        return SnapLink(f"tok-{order_id}", f"https://pay.example/{order_id}")

    async def cancel_link(self, _: str) -> None:
        pass


@dataclass
class Caller:
    client: TestClient[Any, Any]
    headers: dict[str, str]

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """The status, and the body if it is JSON."""
        headers = self.headers | more.pop("headers", {})
        given = {"json": body} if body is not None else {}
        async with self.client.request(method, path, headers=headers, **given, **more) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text

    async def get(self, path: str, **more: Any) -> tuple[int, Any]:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        return await self.call("POST", path, body, **more)


@dataclass
class Web:
    """The API and everything behind it."""

    client: TestClient[Any, Any]
    database: Database
    shop: Shop
    issuer: Issuer
    midtrans: FakeMidtrans
    collector: PaymentWorker

    @property
    def now(self) -> datetime:
        return self.issuer.now

    @now.setter
    def now(self, moment: datetime) -> None:
        self.issuer.now = moment

    def as_user(self, user: str) -> Caller:
        return Caller(self.client, {"Authorization": f"Bearer {self.issuer.token(user)}"})

    @property
    def nobody(self) -> Caller:
        return Caller(self.client, {})

    @property
    def sari(self) -> Caller:
        """The booking's customer."""
        return self.as_user("user_sari")

    @property
    def tono(self) -> Caller:
        """Another customer."""
        return self.as_user("user_tono")

    @property
    def andi(self) -> Caller:
        """The assigned technician."""
        return self.as_user("user_andi")

    @property
    def budi(self) -> Caller:
        """Another technician."""
        return self.as_user("user_budi")

    @property
    def rina(self) -> Caller:
        """The admin."""
        return self.as_user("user_rina")

    async def book(self, **changes: Any) -> str:
        """Book as Sari; returns the id."""
        status, body = await self.sari.post("/api/bookings", wish(**changes))
        assert status == 201, body
        return str(body["data"]["_id"])

    async def pay(self, booking: str, percent: int | None = None) -> str:
        """Pay as Sari, confirmed by Midtrans."""
        wanted = {"paymentType": "dp", "dpPercent": percent} if percent else {"paymentType": "full"}
        status, body = await self.sari.post(f"/api/bookings/{booking}/payment", wanted)
        assert status == 200, body
        order_id = body["data"]["orderId"]
        told = answer(order_id, amount=body["data"]["amount"], transaction_id=f"t-{order_id}")
        async with self.database.write() as session:
            assert await payment.settle(Context(session, self.shop, self.now), order_id, told) == "received"
        return str(order_id)

    async def row(self, booking: str) -> Booking:
        async with self.database.read() as session:
            return await bookings.load(session, code=booking)


def wish(**changes: Any) -> dict[str, Any]:
    """A booking request for an hour's work tomorrow at ten."""
    return {
        "customerName": "Sari Dewi",
        "customerPhone": "0812 3456 7890",
        "customerEmail": "sari@example.com",
        "vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": "2018", "plateNumber": "b1234xyz"},
        "services": [{"serviceId": INSTALL}],
        "scheduledDate": "2026-11-24",
        "scheduledTime": "10:00",
        "serviceLocation": "workshop",
        "paymentMethod": "transfer",
    } | changes


@asynccontextmanager
async def opened(
    database: Database, shop: Shop, issuer: Issuer, folder: Path, *, origins: tuple[str, ...] = (ORIGIN,), **more: Any
) -> AsyncIterator[Web]:
    """The application as `bot.app` builds it, with a test issuer, Midtrans and clock."""
    midtrans, numbers = FakeMidtrans(), itertools.count(1)
    photos = Photos(folder / "photos", lambda: f"{next(numbers):032x}")

    def clock() -> datetime:
        return issuer.now

    collector = PaymentWorker(
        Transactions(database, shop, clock),
        midtrans,  # type: ignore[arg-type]
        finish_url=f"{ORIGIN}/paid",
        chance=lambda: 0.0,
        wake_dispatch=lambda: None,
    )

    async def load(kind: str, name: str) -> files.Download | None:
        content = await photos.load(name) if kind == "photo" else None
        return files.Download(name, "image/jpeg", content) if content else None

    api = Api(
        **{
            "database": database,
            "shop": shop,
            "clock": clock,
            "fresh": lambda: f"{next(numbers):016}"[::-1],
            "wake": collector.wake,
            "clerk": Clerk(issuer=ISSUER, parties=[ORIGIN], keys=KeySet(issuer.jwks), shop=shop),
            "pay_link": collector.link_for,
            "file_link": lambda kind, name: files.sign(SECRET, kind, name, clock() + timedelta(days=7)),
            "keep_photo": photos.keep,
        }
        | more
    )
    app = make_app([*routes(api, public_url=ORIGIN), *files.routes(secret=SECRET, load=load, now=clock)], ready=_ready)
    cors.allow(app, origins)
    working = asyncio.create_task(collector.run())
    async with TestClient(TestServer(app)) as client:
        yield Web(client, database, shop, issuer, midtrans, collector)
    collector.stop()
    await working


async def _ready() -> Mapping[str, str]:
    return {}
