"""A web customer whose payment failed is mailed a link to a page that lets them pay again."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from paying import CHAT, CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import select, update

from bot.channels.sending import File, Outgoing
from bot.outbox.dispatch import Dispatcher
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Outbox, PaymentRequest
from core.messaging.messages import Document
from core.shop import Shop
from core.states import BookingStatus, PaymentStatus
from webhooks import payment_pages
from webhooks.app import make_app

SECRET = b"0" * 32
PATH = payment_pages.sign(SECRET, CODE)
MAIL = f"ended:{ORDER}:email"


async def on_the_web(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    """A booking without a chat, with a link."""
    await book(database, shop, now, **asked)
    async with database.write() as session:
        await session.execute(update(Booking).values(contact_id=None))
    await give_link(database, ORDER, shop, now)


async def end(database: Database, shop: Shop, now: datetime, status: str | None) -> None:
    async with database.write() as session:
        ctx = Context(session, shop, now)
        if status:
            await payment.settle(ctx, ORDER, answer(status=status))
        else:
            await payment.settle_or_expire(Context(session, shop, now + shop.hold), ORDER, None)


@pytest.mark.parametrize(
    ("status", "said"), [("cancel", "belum berhasil"), ("failure", "belum berhasil"), (None, "sudah habis")]
)
async def test_a_web_customer_is_mailed_once(
    database: Database, shop: Shop, now: datetime, status: str | None, said: str
) -> None:
    await on_the_web(database, shop, now)
    for _ in range(2):
        await end(database, shop, now, status)
    mails = await letters(database, channel="email")
    assert list(mails) == [MAIL]
    assert said in mails[MAIL]
    assert "Rp150.000" in mails[MAIL]
    async with database.read() as session:
        (row,) = await session.scalars(select(Outbox).where(Outbox.key == MAIL))
    assert row.body["link"]["booking"] == CODE


async def test_a_customer_with_a_chat_gets_no_mail(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    await end(database, shop, now, "cancel")
    assert await letters(database, channel="email") == {}
    assert f"ended:{ORDER}" in await letters(database, channel=CHAT[0])


async def test_the_mail_is_sent_with_the_pages_address(database: Database, shop: Shop, now: datetime) -> None:
    await on_the_web(database, shop, now)
    await end(database, shop, now, "cancel")
    sent: list[Outgoing] = []

    class Mailbox:
        async def send(self, parcel: Outgoing) -> str | None:
            sent.append(parcel)
            return None

    dispatcher = Dispatcher(
        Transactions(database, shop, lambda: now),
        {"email": Mailbox()},
        files=_no_file,
        chance=lambda: 0.0,
        pay_page=lambda code: f"https://shop.example{payment_pages.sign(SECRET, code)}",
    )
    await dispatcher.run_once()
    (mail,) = [each for each in sent if each.key == MAIL]
    assert mail.message.link
    assert mail.message.link.url == f"https://shop.example{PATH}"


@pytest.fixture
async def client(database: Database, shop: Shop, now: datetime) -> AsyncIterator[TestClient[Any, Any]]:
    """The page of a booking whose payment failed."""
    await on_the_web(database, shop, now, percent=30)
    await end(database, shop, now, "cancel")

    async def pay_link(wanted: PaymentRequest) -> PaymentRequest:
        await give_link(database, wanted.order_id, shop, now)
        return await request_of(database, wanted.order_id)

    routes = payment_pages.again(database, shop, secret=SECRET, clock=lambda: now, pay_link=pay_link)
    async with TestClient(TestServer(make_app(routes, ready=_ready))) as client:
        yield client


async def test_page_leads_to_a_new_link_and_again_to_the_same(client: TestClient[Any, Any], database: Database) -> None:
    page = await client.get(PATH)
    assert page.status == 200
    assert f"Rp{PRICE // 1000}.000" in await page.text()
    assert (await booking_of(database)).payment_status is PaymentStatus.FAILED, "a look asks for nothing"
    for _ in range(2):
        answered = await client.post(PATH, allow_redirects=False)
        assert answered.status == 303
        assert answered.headers["Location"] == "https://pay.example/BOOKING-A1-BK000001-2"
    assert (await request_of(database, "BOOKING-A1-BK000001-2")).amount == 45_000, "the down payment, as agreed"


async def test_page_asks_for_patience_while_midtrans_is_away(database: Database, shop: Shop, now: datetime) -> None:
    await on_the_web(database, shop, now)
    await end(database, shop, now, "cancel")

    async def no_link(_: PaymentRequest) -> None:
        return None

    routes = payment_pages.again(database, shop, secret=SECRET, clock=lambda: now, pay_link=no_link)
    async with TestClient(TestServer(make_app(routes, ready=_ready))) as client:
        answered = await client.post(PATH, allow_redirects=False)
        assert answered.status == 503
        assert "Coba lagi sebentar" in await answered.text()
        assert "<button>" in await answered.text()


async def test_cancelled_booking_has_nothing_to_pay(client: TestClient[Any, Any], database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.CANCELLED, holding=False))
    assert "Tidak ada yang perlu dibayar" in await (await client.get(PATH)).text()
    refused = await client.post(PATH, allow_redirects=False)
    assert refused.status == 409
    assert "Rp" not in await refused.text()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PATH[:-1], 403),
        (PATH.partition("?")[0], 403),
        (PATH.replace(CODE, "BK-000002"), 403),
        (payment_pages.sign(SECRET, "BK-999999"), 404),
    ],
    ids=["half a signature", "none", "another booking", "no such booking"],
)
async def test_other_links_lead_nowhere(client: TestClient[Any, Any], path: str, status: int) -> None:
    assert (await client.get(path)).status == status
    assert (await client.post(path, allow_redirects=False)).status == status


async def test_live_booking_whose_money_went_back_can_be_paid_again(
    database: Database, shop: Shop, now: datetime
) -> None:
    await on_the_web(database, shop, now)
    for status in ("settlement", "refund"):
        await end(database, shop, now, status)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status) == ("confirmed", "refunded")
    assert booking.remaining == booking.total_price


async def _ready() -> dict[str, str]:
    return {}


async def _no_file(_: Document) -> File:
    raise AssertionError
