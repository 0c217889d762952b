"""The Midtrans stand-in rejects what Midtrans rejects, and notifies the webhook as Midtrans does."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web
from waiting import HANG

from bot.payments.midtrans_client import Midtrans, MidtransRefused
from bot.sandbox.midtrans import MidtransStandIn, routes
from bot.sandbox.midtrans_account import ApiError
from bot.sandbox.midtrans_notifications import signature
from bot.sandbox.midtrans_records import FeeTold
from core.payment import read_status

KEY = "SB-Mid-server-uji"


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Webhook:
    """A webhook that records the calls and responds with `answer`."""

    url: str = ""
    answer: int = 200
    calls: list[dict[str, Any]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    @property
    def statuses(self) -> list[str]:
        return [call["transaction_status"] for call in self.calls]

    async def handle(self, request: web.Request) -> web.Response:
        self.calls.append(await request.json())
        self.agents.add(request.headers["User-Agent"])
        return web.Response(status=self.answer)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    webhook = Webhook()
    app = web.Application()
    app.router.add_post("/api/payment/webhook", webhook.handle)
    async with serving(app) as url:
        webhook.url = f"{url}/api/payment/webhook"
        yield webhook


@pytest.fixture
async def vendor(clock: Clock, webhook: Webhook) -> AsyncIterator[MidtransStandIn]:
    state = MidtransStandIn(server_key=KEY, merchant="Bengkel Suara Jaya", clock=clock, notify_url=webhook.url)
    app = web.Application()
    app.add_routes(routes(state))
    async with serving(app) as state.public_url:
        yield state


@pytest.fixture
async def midtrans(vendor: MidtransStandIn) -> AsyncIterator[Midtrans]:
    url = vendor.public_url
    midtrans = Midtrans(
        server_key=KEY, client_key="", production=False, snap_url=f"{url}/snap/v1", api_url=url, timeout=HANG
    )
    yield midtrans
    midtrans.close()


def order(order_id: str = "BOOKING-A1-1", amount: object = 360_000, **more: Any) -> dict[str, Any]:
    return {"transaction_details": {"order_id": order_id, "gross_amount": amount}} | more


def item(**changes: Any) -> dict[str, Any]:
    return {"id": "SPK-1", "name": "Speaker", "price": 360_000, "quantity": 1} | changes


# --- credentials -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["Mid-server-asli", "", "SB-Mid-client-x"])
def test_production_credentials_are_refused(key: str, clock: Clock) -> None:
    with pytest.raises(ValueError, match="refuses production credentials"):
        MidtransStandIn(server_key=key, merchant="x", clock=clock)


async def test_calls_without_the_key_are_unauthorized(vendor: MidtransStandIn) -> None:
    async with ClientSession(vendor.public_url) as anyone:
        assert (await anyone.post("/snap/v1/transactions", json=order())).status == 401
        assert (await anyone.get("/v2/BOOKING-A1-1/status")).status == 401


# --- Snap's validation -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "transaction_details is required"),
        ({"transaction_details": []}, "transaction_details is required"),
        (order(""), "order_id is required"),
        (order("B" * 51), "order_id is too long"),
        (order("BOOKING 1"), "order_id has characters"),
        (order("BOOKING/1"), "order_id has characters"),
        (order("PESANAN-é"), "order_id has characters"),
        (order(amount=0), "gross_amount must be"),
        (order(amount=-1), "gross_amount must be"),
        (order(amount=360_000.5), "gross_amount is not a whole number"),
        (order(amount="360000"), "gross_amount is not a whole number"),
        (order(amount=True), "gross_amount is not a whole number"),
        (order(item_details={}), "item_details must be an array"),
        (order(item_details=[item(price=359_999)]), "not equal to the sum of item_details"),
        (order(item_details=[item(quantity=2)]), "not equal to the sum of item_details"),
        (order(item_details=[item(name="n" * 51)]), "name is too long"),
        (order(item_details=[item(id="i" * 51)]), "id is too long"),
        (order(item_details=[item(name="")]), "name is required"),
        (order(item_details=[item(quantity=0)]), "quantity must be"),
        (order(item_details=[item(price=360_000.0)]), "price is not a whole number"),
        (order(customer_details={"email": "bukan surel"}), "email format"),
        (order(customer_details={"phone": "nol delapan"}), "phone format"),
        (order(enabled_payments=[]), "enabled_payments must be"),
        (order(enabled_payments=["mandiri_va"]), "mandiri_va is not a payment channel"),
        (order(enabled_payments=[{}]), "is not a payment channel"),
        (order(amount=9_999, enabled_payments=["bca_va", "credit_card"]), "out of the range"),
        (order(amount=10_000_001, enabled_payments=["other_qris"]), "out of the range"),
        (order(amount=5_000_001, enabled_payments=["indomaret"]), "out of the range"),
        (order(expiry={"unit": "week", "duration": 1}), "expiry needs a unit"),
        (order(expiry={"unit": "minute", "duration": "60"}), "expiry needs a unit"),
        (order(expiry={"unit": "day", "duration": 8}), "expiry.duration must lie"),
        (order(expiry={"unit": "day", "duration": 10**30}), "expiry.duration must lie"),
        (order(page_expiry={"unit": "minutes", "duration": 4}), "page_expiry.duration must lie"),
        (order(expiry={"unit": "hour", "duration": 1, "start_time": "2026-11-23T08:00:00+07:00"}), "formatted as"),
        (order(expiry={"unit": "hour", "duration": 1, "start_time": "2026-11-23 07:00:00 +0700"}), "in the past"),
        (order(callbacks={"finish": "javascript:alert(1)"}), "callbacks.finish is not a URL"),
        (order(custom_field1="x" * 256), "custom_field1 is too long"),
        (order(custom_field1="x" * 17_000), "larger than 16 kB"),
    ],
)
async def test_an_invalid_order_is_refused_with_its_reason(
    midtrans: Midtrans, body: dict[str, Any], reason: str
) -> None:
    with pytest.raises(MidtransRefused) as refused:
        await midtrans.create(body)
    assert refused.value.status == 400
    assert reason in "; ".join(refused.value.messages)


async def test_an_order_with_every_field_is_accepted(midtrans: Midtrans, vendor: MidtransStandIn) -> None:
    link = await midtrans.create(
        order(
            "BOOKING-A1_7~F.3",
            item_details=[item(price=250_000, quantity=2), item(id="DP", name="Uang muka", price=-140_000)],
            customer_details={"first_name": "Siti", "email": "siti@example.com", "phone": "+6281234567890"},
            enabled_payments=["bca_va", "indomaret", "other_qris"],
            credit_card={"secure": True},
            callbacks={"finish": "https://suarajaya.example/selesai"},
            expiry={"start_time": "2026-11-23 08:00:00 +0700", "unit": "minutes", "duration": 60},
            page_expiry={"unit": "minutes", "duration": 60},
        )
    )
    page = vendor.page(link.token)
    assert [channel.name for channel in page.channels] == ["bca_va", "indomaret", "other_qris"]
    assert page.ends_at == vendor.now() + timedelta(hours=1)


async def test_broken_json_is_refused(vendor: MidtransStandIn) -> None:
    async with ClientSession(vendor.public_url, headers={"Authorization": encode_basic_auth(KEY, "")}) as client:
        for text in ("{", "[]", "null", "[" * 10_000):
            answer = await client.post("/snap/v1/transactions", data=text)
            assert answer.status == 400
            assert (await answer.json())["error_messages"] == ["There was a problem in the JSON you submitted"]


async def test_a_new_link_closes_the_old_one(midtrans: Midtrans, vendor: MidtransStandIn) -> None:
    old = await midtrans.create(order())
    new = await midtrans.create(order())
    assert old.token != new.token
    await vendor.choose(new.token, "bca_va")
    with pytest.raises(ApiError, match="ended"):
        await vendor.pay(old.token)
    await vendor.pay(new.token)


async def test_an_order_id_cant_be_reused_after_a_choice(midtrans: Midtrans, vendor: MidtransStandIn) -> None:
    link = await midtrans.create(order())
    await vendor.choose(link.token, "bca_va")
    await vendor.expire("BOOKING-A1-1")
    with pytest.raises(MidtransRefused, match="order_id sudah digunakan"):
        await midtrans.create(order())


async def test_channels_that_cant_take_the_amount_are_hidden(midtrans: Midtrans, vendor: MidtransStandIn) -> None:
    link = await midtrans.create(order(amount=6_000_000, enabled_payments=["indomaret", "bni_va"]))
    assert [channel.name for channel in vendor.page(link.token).channels] == ["bni_va"]
    with pytest.raises(ApiError, match="not activated"):
        await vendor.choose(link.token, "indomaret")


# --- notifications -----------------------------------------------------------------------------


def test_signature_matches_the_documentation() -> None:
    digest = signature("1111", "200", "100000.00", "askvnoibnosifnboseofinbofinfgbiufglnbfg")
    assert digest.startswith("edc076b21793")
    assert digest.endswith("d4c231")


async def test_notification_has_midtrans_fields(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, clock: Clock
) -> None:
    link = await midtrans.create(order(expiry={"unit": "hour", "duration": 1}))
    await vendor.choose(link.token, "bca_va")
    clock.forward(minutes=5)
    await vendor.settle("BOOKING-A1-1")
    pending, wait_idle = webhook.calls
    assert webhook.agents == {"Veritrans"}
    assert (pending["transaction_status"], pending["status_code"]) == ("pending", "201")
    assert "settlement_time" not in pending
    assert wait_idle["transaction_id"] == pending["transaction_id"]
    text = "BOOKING-A1-1" + "200" + "360000.00" + KEY
    expected = {
        "transaction_time": "2026-11-23 08:00:00",
        "settlement_time": "2026-11-23 08:05:00",
        "expiry_time": "2026-11-23 09:00:00",
        "transaction_status": "settlement",
        "status_code": "200",
        "gross_amount": "360000.00",
        "currency": "IDR",
        "fraud_status": "accept",
        "payment_type": "bank_transfer",
        "status_message": "midtrans payment notification",
        "signature_key": hashlib.sha512(text.encode()).hexdigest(),
    }
    assert expected.items() <= wait_idle.items()


@pytest.mark.parametrize(
    ("channel", "payment_type", "fields"),
    [
        ("bca_va", "bank_transfer", {"va_numbers"}),
        ("permata_va", "bank_transfer", {"permata_va_number"}),
        ("echannel", "echannel", {"biller_code", "bill_key"}),
        ("gopay", "gopay", set()),
        ("other_qris", "qris", {"issuer", "acquirer"}),
        ("credit_card", "credit_card", {"masked_card", "bank", "approval_code", "card_type"}),
        ("indomaret", "cstore", {"store", "payment_code"}),
    ],
)
async def test_each_payment_type_has_its_fields(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, *, channel: str, payment_type: str, fields: set[str]
) -> None:
    link = await midtrans.create(order())
    await vendor.pay(link.token, channel)
    assert webhook.calls[-1]["payment_type"] == payment_type
    assert fields <= webhook.calls[-1].keys()


async def test_a_page_that_ends_before_a_choice_sends_nothing(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, clock: Clock
) -> None:
    link = await midtrans.create(order(page_expiry={"unit": "minutes", "duration": 15}))
    clock.forward(minutes=15)
    await vendor.tick()
    assert webhook.calls == []
    assert await midtrans.status("BOOKING-A1-1") is None
    with pytest.raises(ApiError, match="ended"):
        await vendor.pay(link.token)


async def test_expiry_with_a_start_time_ends_the_payment(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, clock: Clock
) -> None:
    expiry = {"start_time": "2026-11-23 08:00:00 +0700", "unit": "minutes", "duration": 30}
    link = await midtrans.create(order(expiry=expiry))
    clock.forward(minutes=20)
    await vendor.choose(link.token, "bca_va")
    clock.forward(minutes=10)
    await vendor.tick()
    assert [(call["transaction_status"], call["status_code"]) for call in webhook.calls] == [
        ("pending", "201"),
        ("expire", "202"),
    ]


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        (200, 1),  # accepted
        (204, 1),  # accepted
        (500, 2),  # one retry
        (400, 3),  # two retries
        (404, 3),  # two retries
        (503, 5),  # four retries
        (403, 6),  # any other status: five retries
    ],
)
async def test_failed_notifications_are_retried(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, clock: Clock, *, answer: int, times: int
) -> None:
    webhook.answer = answer
    await vendor.choose((await midtrans.create(order())).token, "bca_va")
    assert len(webhook.calls) == 1
    for minutes in (2, 10, 30, 90, 210, 600):
        clock.forward(minutes=minutes, seconds=-1)
        before = len(webhook.calls)
        await vendor.notifications.deliver()
        assert len(webhook.calls) == before, "not early"
        clock.forward(seconds=1)
        await vendor.notifications.deliver()
    assert len(webhook.calls) == times
    assert all(call == webhook.calls[0] for call in webhook.calls)


async def test_an_unreachable_webhook_is_retried(midtrans: Midtrans, vendor: MidtransStandIn, clock: Clock) -> None:
    webhook_url, vendor.notifications.url = vendor.notifications.url, "http://127.0.0.1:9"
    await vendor.choose((await midtrans.create(order())).token, "bca_va")
    vendor.notifications.url = webhook_url
    clock.forward(minutes=2)
    await vendor.tick()
    assert [sent.status for sent in vendor.notifications.sent] == [None, 200]


async def test_retry_factor_shortens_the_delays(
    clock: Clock, webhook: Webhook, midtrans: Midtrans, vendor: MidtransStandIn
) -> None:
    vendor.notifications.retry_factor = 0.01
    webhook.answer = 503
    await vendor.choose((await midtrans.create(order())).token, "bca_va")
    clock.forward(seconds=1.2)
    await vendor.tick()
    assert len(webhook.calls) == 2


async def test_notifications_can_be_duplicated_and_delayed(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, clock: Clock
) -> None:
    vendor.notifications.copies = 2
    await vendor.choose((await midtrans.create(order("B-1"))).token, "bca_va")
    assert webhook.statuses == ["pending", "pending"]

    vendor.notifications.copies, webhook.calls = 1, []
    vendor.notifications.held = True
    await vendor.pay((await midtrans.create(order("B-2"))).token)
    assert webhook.statuses == []
    await vendor.notifications.release(backwards=True)
    assert webhook.statuses == ["settlement", "pending"]

    webhook.calls = []
    vendor.notifications.delay = timedelta(minutes=3)
    await vendor.pay((await midtrans.create(order("B-3"))).token)
    assert webhook.statuses == []
    clock.forward(minutes=3)
    await vendor.tick()
    assert webhook.statuses == ["pending", "settlement"]


async def test_a_forged_status_keeps_a_valid_signature(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook
) -> None:
    await vendor.choose((await midtrans.create(order())).token, "bca_va")
    assert await vendor.forge("BOOKING-A1-1", transaction_status="settlement") == 200
    real, forged = webhook.calls
    assert forged == real | {"transaction_status": "settlement"}
    status = await midtrans.status("BOOKING-A1-1")
    assert status
    assert status["transaction_status"] == "pending", "a forged notification doesn't change the transaction"


# --- cards, denials, a second attempt ----------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "status", "code", "fraud"),
    [
        ("4811 1111 1111 1114", "capture", "200", "accept"),
        ("4511 1111 1111 1117", "capture", "201", "challenge"),
        ("4911 1111 1111 1113", "deny", "202", "deny"),
        ("4000 0000 0000 0000", "deny", "202", "deny"),  # not a test card
    ],
)
async def test_a_card_is_accepted_challenged_or_denied(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook, *, card: str, status: str, code: str, fraud: str
) -> None:
    await vendor.pay((await midtrans.create(order())).token, "credit_card", card=card)
    last = webhook.calls[-1]
    assert (last["transaction_status"], last["status_code"], last["fraud_status"]) == (status, code, fraud)


async def test_a_second_attempt_has_its_own_transaction(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook
) -> None:
    link = await midtrans.create(order())
    denied = await vendor.pay(link.token, "credit_card", card="4911111111111113")
    paid = await vendor.pay(link.token, "gopay")
    assert denied.id != paid.id
    assert webhook.statuses == ["pending", "deny", "pending", "settlement"]
    for reference, expected in ((denied.id, "deny"), (paid.id, "settlement"), ("BOOKING-A1-1", "settlement")):
        status = await midtrans.status(reference)
        assert status
        assert status["transaction_status"] == expected


async def test_a_settled_payment_can_be_reversed(midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook) -> None:
    paid = await vendor.pay((await midtrans.create(order())).token, "echannel")
    await vendor.deny(paid.id)
    assert webhook.statuses == ["pending", "settlement", "deny"]
    assert len({call["transaction_id"] for call in webhook.calls}) == 1


async def test_a_captured_card_can_settle(midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook) -> None:
    await vendor.pay((await midtrans.create(order())).token, "credit_card")
    await vendor.settle("BOOKING-A1-1")
    assert webhook.statuses == ["pending", "capture", "settlement"]


# --- actions of the merchant -------------------------------------------------------------------


async def test_actions_before_a_choice_are_404(midtrans: Midtrans) -> None:
    await midtrans.create(order())
    for act in (midtrans.cancel, midtrans.expire):
        with pytest.raises(MidtransRefused) as refused:
            await act("BOOKING-A1-1")
        assert refused.value.status == 404


async def test_only_pending_payments_can_be_cancelled(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook
) -> None:
    await vendor.choose((await midtrans.create(order("B-1"))).token, "bca_va")
    assert (await midtrans.cancel("B-1"))["transaction_status"] == "cancel"
    assert (webhook.statuses, webhook.calls[-1]["status_code"]) == (["pending", "cancel"], "202")
    await vendor.pay((await midtrans.create(order("B-2"))).token, "bca_va")
    for act in (midtrans.cancel, midtrans.expire):
        with pytest.raises(MidtransRefused) as refused:
            await act("B-2")
        assert refused.value.status == 412


async def test_a_captured_card_can_be_cancelled(midtrans: Midtrans, vendor: MidtransStandIn) -> None:
    await vendor.pay((await midtrans.create(order())).token, "credit_card")
    assert (await midtrans.cancel("BOOKING-A1-1"))["transaction_status"] == "cancel"


@pytest.mark.parametrize(("action", "status"), [("approve", "capture"), ("deny", "deny")])
async def test_only_a_challenged_card_is_approved_or_denied(
    midtrans: Midtrans, vendor: MidtransStandIn, action: str, status: str
) -> None:
    await vendor.pay((await midtrans.create(order("B-1"))).token, "credit_card", card="4511111111111117")
    await vendor.choose((await midtrans.create(order("B-2"))).token, "bca_va")
    async with ClientSession(vendor.public_url, headers={"Authorization": encode_basic_auth(KEY, "")}) as client:
        challenged = await (await client.post(f"/v2/B-1/{action}")).json()
        pending = await (await client.post(f"/v2/B-2/{action}")).json()
    assert challenged["transaction_status"] == status
    assert pending["status_code"] == "412"


async def test_a_refund_is_notified_twice_and_made_once(
    midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook
) -> None:
    await vendor.pay((await midtrans.create(order())).token, "gopay")
    webhook.calls = []
    answer = await midtrans.refund("BOOKING-A1-1", refund_key="r1", amount=60_000, reason="batal")
    assert (answer["transaction_status"], answer["refund_amount"]) == ("partial_refund", "60000.00")
    assert [call["refunds"][0]["refund_key"] for call in webhook.calls] == ["r1", "r1"]
    with pytest.raises(MidtransRefused) as again:
        await midtrans.refund("BOOKING-A1-1", refund_key="r1", amount=60_000, reason="batal")
    assert again.value.status == 406
    answer = await midtrans.refund("BOOKING-A1-1", refund_key="r2", amount=300_000, reason="batal")
    assert answer["transaction_status"] == "refund"


@pytest.mark.parametrize(
    ("channel", "amount", "code"),
    [
        ("bca_va", 1, 412),  # bank transfers can't be refunded
        ("echannel", 1, 412),
        ("indomaret", 1, 412),
        ("alfamart", 1, 412),
        ("gopay", 360_001, 414),  # more than was paid
        ("gopay", 0, 414),
        ("credit_card", 1, 412),  # captured, not settled yet
    ],
)
async def test_impossible_refunds_are_refused(
    midtrans: Midtrans, vendor: MidtransStandIn, channel: str, amount: int, code: int
) -> None:
    await vendor.pay((await midtrans.create(order())).token, channel)
    with pytest.raises(MidtransRefused) as refused:
        await midtrans.refund("BOOKING-A1-1", refund_key="r", amount=amount, reason="batal")
    assert refused.value.status == code


async def test_a_closed_link_cannot_be_paid(midtrans: Midtrans, vendor: MidtransStandIn, webhook: Webhook) -> None:
    link = await midtrans.create(order())
    await midtrans.cancel_link(link.token)
    with pytest.raises(ApiError):
        await vendor.pay(link.token)
    assert webhook.calls == []


async def test_an_unknown_token_cannot_be_closed(midtrans: Midtrans) -> None:
    with pytest.raises(MidtransRefused) as refused:
        await midtrans.cancel_link("tidak-ada")
    assert refused.value.status == 404


# --- the customer's fee ------------------------------------------------------------------------


@pytest.mark.parametrize("told", FeeTold)
async def test_a_fee_is_in_the_signed_amount(
    vendor: MidtransStandIn, midtrans: Midtrans, webhook: Webhook, told: FeeTold
) -> None:
    vendor.customer_fee, vendor.fee_told = 4_000, told
    page = vendor.create(order())
    await vendor.pay(page.token, "bca_va")
    status = await midtrans.status(page.order_id)
    assert status
    for body in (webhook.calls[-1], status):
        assert body["gross_amount"] == "364000.00"
        assert body["signature_key"] == signature(page.order_id, "200", "364000.00", KEY)
    attempt = read_status(status)
    assert (attempt.amount, attempt.fee) == ((364_000, 0) if told is FeeTold.NOWHERE else (360_000, 4_000))
