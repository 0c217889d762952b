"""A payment link is waited for less than five seconds, and whichever process makes it."""

import asyncio
from datetime import datetime
from time import monotonic

import pytest
from asking import FakeMidtrans, Web
from paying import ORDER, book, request_of
from waiting import HANG

from bot.payments.payment_worker import PaymentWorker
from bot.transactions import Transactions
from core.db.database import Database
from core.db.tables import PaymentRequest
from core.shop import Shop

on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_one_engine
async def test_a_slow_midtrans_is_a_503_within_five_seconds(web: Web) -> None:
    code = await web.book()
    web.midtrans.answers.clear()
    began = monotonic()
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    took = monotonic() - began
    web.midtrans.answers.set()
    assert (status, body["code"]) == (503, "payment_unavailable")
    assert took < 5
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["data"]["orderId"]) == (200, web.midtrans.made[0])
    assert len(web.midtrans.made) == 1


def process(database: Database, midtrans: FakeMidtrans, shop: Shop, now: datetime) -> PaymentWorker:
    return PaymentWorker(
        Transactions(database, shop, lambda: now),
        midtrans,  # type: ignore[arg-type]
        finish_url="https://shop.example/paid",
        chance=lambda: 0.0,
        wake_dispatch=lambda: None,
    )


async def test_two_processes_give_the_same_link(both: tuple[Database, Database], shop: Shop, now: datetime) -> None:
    await book(both[0], shop, now)
    wanted: PaymentRequest = await request_of(both[0])
    midtrans = FakeMidtrans()
    midtrans.answers.clear()
    makes, waits = (process(database, midtrans, shop, now) for database in both)
    making = asyncio.create_task(makes.run_once())
    waiting = asyncio.create_task(waits.link_for(wanted))  # its own worker has nothing to do
    midtrans.answers.set()
    async with asyncio.timeout(HANG):
        await making
        link = await waiting
    assert link is not None
    assert link.url == (await request_of(both[1])).url
    assert midtrans.made == [ORDER]
