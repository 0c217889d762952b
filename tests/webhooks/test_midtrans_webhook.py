"""Midtrans' webhook stores well-formed, signed notifications once, and decides nothing."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from paying import ORDER, answer, book, booking_of, without
from shops import MONDAY_8_AM
from sqlalchemy import select

from core import payment
from core.db.database import Database
from core.db.tables import LedgerEntry, PaymentNotification
from core.shop import Shop
from webhooks import midtrans
from webhooks.app import make_app
from webhooks.midtrans import signature

KEY = "SB-Mid-server-test"
PATH = "/api/payment/webhook"


class Door:
    """The webhook behind a real server."""

    def __init__(self, client: TestClient[Any, Any], database: Database, woken: asyncio.Event) -> None:
        self.client, self.database, self.woken = client, database, woken

    async def post(self, body: Any) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await self.client.post(PATH, data=io.BytesIO(raw), headers={"Content-Type": "application/json"})
        assert isinstance(await response.json(), dict)
        return response.status

    async def kept(self) -> list[PaymentNotification]:
        async with self.database.read() as session:
            return list(await session.scalars(select(PaymentNotification)))


@pytest.fixture
async def door(database: Database, shop: Shop, now: datetime) -> AsyncIterator[Door]:
    await book(database, shop, now)
    woken = asyncio.Event()
    routes = midtrans.routes(database, server_key=KEY, clock=lambda: now, wake=woken.set)
    async with TestClient(TestServer(make_app(routes, ready=_ready))) as client:
        yield Door(client, database, woken)


async def _ready() -> dict[str, str]:
    return {}


def signed(**changes: Any) -> dict[str, Any]:
    body = answer() | {"signature_key": ""} | changes
    return body | {"signature_key": signature(body["order_id"], body["status_code"], body["gross_amount"], KEY)}


def test_signature_matches_midtrans_example() -> None:
    digest = signature("1111", "200", "100000.00", "askvnoibnosifnboseofinbofinfgbiufglnbfg")
    assert digest.startswith("edc076b21793")
    assert digest.endswith("d4c231")


async def test_notification_is_stored_once_and_wakes_worker(door: Door) -> None:
    for _ in range(10):
        assert await door.post(signed()) == 200
    (kept,) = await door.kept()
    assert (kept.order_id, kept.body["transaction_status"]) == (ORDER, "settlement")
    assert kept.due_at is not None
    assert door.woken.is_set()


@pytest.mark.parametrize(
    "claimed",
    [
        pytest.param(signed(), id="what Midtrans says"),
        pytest.param(signed(transaction_status="pending") | {"transaction_status": "settlement"}, id="another status under a real signature, which doesn't cover it"),
        pytest.param(signed(gross_amount="1.00"), id="another amount than was asked for"),
        pytest.param(signed(currency="USD"), id="another currency"),
        pytest.param(signed(transaction_status="refund", refund_amount="999999999.00"), id="more back than ever came in"),
        pytest.param(signed(transaction_status="chargeback"), id="a chargeback of what never came"),
    ],
)  # fmt: skip
async def test_notification_changes_no_booking(door: Door, claimed: dict[str, Any]) -> None:
    assert await door.post(claimed) == 200
    assert len(await door.kept()) == 1
    assert (await booking_of(door.database)).paid_amount == 0
    async with door.database.read() as session:
        assert (await session.scalars(select(LedgerEntry))).all() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(signed() | {"signature_key": "0" * 128}, 403, id="another signature"),
        pytest.param(signed() | {"signature_key": ""}, 403, id="an empty signature"),
        pytest.param(signed() | {"signature_key": "é\ud800"}, 403, id="a signature that is no text at all"),
        pytest.param(signed() | {"gross_amount": "1.00"}, 403, id="another amount under a real signature"),
        pytest.param(signed() | {"gross_amount": "150000"}, 403, id="the amount written otherwise"),
        pytest.param(signed() | {"order_id": "BOOKING-A1-BK000002-1"}, 403, id="another order under a real signature"),
        pytest.param(without(signed(), "signature_key"), 400, id="no signature"),
        pytest.param(without(signed(), "status_code"), 400, id="no status code"),
        pytest.param(signed() | {"gross_amount": 150_000}, 400, id="an amount that is no string"),
        pytest.param(signed(order_id="BOOKING-\u0000"), 400, id="an order_id with NUL"),
        pytest.param(signed(order_id="B" * 51), 400, id="an order_id too long"),
        pytest.param(signed(order_id=""), 400, id="no order_id"),
        pytest.param([signed()], 400, id="a list"),
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"order_id=1", 400, id="a form"),
        pytest.param(b"\xff\xfe{}", 400, id="no UTF-8"),
        pytest.param(b"[" * 100_000, 400, id="nested without end"),
        pytest.param(b'{"order_id": ' + b"9" * 5_000 + b"}", 400, id="a number without end"),
        pytest.param(json.dumps(signed() | {"fee": float("nan")}).encode(), 400, id="NaN"),
        pytest.param(b" " * (2 * 1024 * 1024), 413, id="two mebibytes"),
    ],
)
async def test_forged_or_malformed_notification_is_refused(door: Door, body: Any, status: int) -> None:
    assert await door.post(body) == status
    assert await door.kept() == []
    assert not door.woken.is_set()


TEST_BUTTON = "payment_notif_test_G123456789_8fd1e2a4-7a0b-4a55-9b7a-0c7a4d2f3e11"
ACCOUNT = {
    "account_id": "00000269-7836-49e5-bc65-e592afafec14",
    "account_status": "ENABLED",
    "merchant_id": "G123456789",
    "payment_type": "gopay",
    "status_code": "200",
    "signature_key": "ad7ccda03d8ec6f2",
}


async def test_the_dashboards_test_button_succeeds(door: Door) -> None:
    assert len(TEST_BUTTON) == 66
    assert await door.post(signed(order_id=TEST_BUTTON)) == 200
    assert await door.post(signed(order_id=TEST_BUTTON) | {"signature_key": "0" * 128}) == 403
    assert await door.kept() == []


async def test_notification_for_an_unknown_order_is_kept_to_be_asked_about(door: Door) -> None:
    assert await door.post(signed(order_id="BOOKING-B2-BK000001-1")) == 200
    (kept,) = await door.kept()
    assert kept.due_at is not None
    assert door.woken.is_set()


@pytest.mark.parametrize("body", [ACCOUNT, without(ACCOUNT, "signature_key"), signed(order_id=f"SUBS-{'x' * 60}")])
async def test_notification_without_an_effect_is_kept_once(door: Door, body: dict[str, Any]) -> None:
    for _ in range(2):
        assert await door.post(body) == 200
    (kept,) = await door.kept()
    assert (kept.body, kept.due_at, kept.outcome) == (body, None, "no effect")
    assert not door.woken.is_set()


async def test_forged_subscription_is_refused(door: Door) -> None:
    assert await door.post(signed(order_id="SUBS-1") | {"signature_key": "0" * 128}) == 403
    assert await door.kept() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_unverified_notifications_are_kept_within_bounds(door: Door) -> None:
    assert await door.post(ACCOUNT | {"more": "x" * 5_000}) == 400
    async with door.database.write() as session:
        for number in range(1_005):
            await payment.keep_account_notification(session, ACCOUNT | {"number": number}, now=MONDAY_8_AM)
    assert await door.post(ACCOUNT) == 200
    assert len(await door.kept()) == 1_000


async def test_unknown_fields_are_kept(door: Door) -> None:
    assert await door.post(signed(new_field={"deep": ["🙂", "\u0000"]})) == 200
    (kept,) = await door.kept()
    assert kept.body["new_field"] == {"deep": ["🙂", "\u0000"]}


async def test_midtrans_retries_while_the_database_is_away(now: datetime) -> None:
    away = Database("postgresql+asyncpg://nobody@/none?host=/nowhere")
    routes = midtrans.routes(away, server_key=KEY, clock=lambda: now, wake=lambda: None)
    async with TestClient(TestServer(make_app(routes, ready=_ready))) as client:
        response = await client.post(PATH, json=signed())
        assert response.status == 503
    await away.close()
