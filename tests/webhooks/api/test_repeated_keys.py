"""Idempotency-Key: a repeat of any change returns the first answer, with its status, and changes nothing."""

import asyncio
from typing import Any

import pytest
from aiohttp import FormData
from asking import Caller, Web
from sqlalchemy import func, select
from test_rights import TABLE, assigned
from workshop import SPEAKER, check_books

from bot.payments.midtrans_client import MidtransTrouble
from core.context import Context
from core.db.tables import AdditionalCost, Booking, BookingLine, IdempotencyKey, Part
from core.people import privacy
from webhooks.api import ENDPOINTS
from webhooks.api.endpoint import WRITES

KEY = {"Idempotency-Key": "7f3k-2q"}
CHANGES = {each.name: each.method for each in ENDPOINTS if each.method in WRITES}
ON_BOTH = ("create_booking", "pay_booking", "add_cost")
"""The rest is repeated on SQLite only: every endpoint stores its answer in the same way."""
COST = {"description": "Kabel", "amount": 75_000}


def caller_of(web: Web, name: str) -> Caller:
    return web.sari if name in ("pay_booking", "create_booking") else web.rina


@pytest.mark.parametrize(
    ("database", "name"),
    [*(("sqlite", name) for name in CHANGES), *(("postgres", name) for name in ON_BOTH)],
    indirect=["database"],
)
async def test_repeat_of_a_change_returns_its_first_answer(web: Web, name: str) -> None:
    _, path, body = TABLE[name]
    path, caller = path.format(code=await assigned(web)), caller_of(web, name)
    if name == "reopen_day":
        await caller.post("/api/workshop/closures", {"date": path.rpartition("/")[2], "reason": "Pindahan"})
    first = await caller.call(CHANGES[name], path, body, headers=KEY)
    assert first[0] in (200, 201), first
    assert first[1]["message"]
    before = await counts(web)
    assert await caller.call(CHANGES[name], path, body, headers=KEY) == first
    assert await counts(web) == before
    if body is not None:
        status, refused = await caller.call(CHANGES[name], path, body | {"unknown": 1}, headers=KEY)
        assert (status, refused["code"]) == (409, "idempotency_key_reused")
    status, refused = await caller.post("/api/spareparts", {"name": "A", "category": "other"}, headers=KEY)
    assert status in (400, 403, 409)


async def counts(web: Web) -> list[int]:
    async with web.database.read() as session:
        tables = (Booking, BookingLine, AdditionalCost, Part, IdempotencyKey)
        return [await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def test_cost_sent_six_times_at_once_bills_once(web: Web) -> None:
    path = f"/api/bookings/{await assigned(web)}/additional-cost"
    answers = await asyncio.gather(*(web.andi.post(path, COST, headers=KEY) for _ in range(6)))
    assert {status for status, _ in answers} == {201}
    assert {body["data"]["totalPrice"] for _, body in answers} == {225_000}
    await check_books(web.database)


async def test_stock_received_twice_under_one_key_counts_once(web: Web) -> None:
    for _ in range(2):
        _, body = await web.rina.call("PATCH", f"/api/spareparts/{SPEAKER}/stock", {"delta": 5}, headers=KEY)
    assert body["data"]["stock"] == 7


async def test_repeat_of_a_form_may_have_another_boundary(web: Web) -> None:
    answers = []
    for _ in range(2):
        data = FormData(default_to_multipart=True)
        for field, value in {"name": "Kabel", "category": "kabel", "brand": "Lokal", "price": "50000"}.items():
            data.add_field(field, value)
        answers.append(await web.rina.call("POST", "/api/spareparts", data=data, headers=KEY))
    assert answers[0][0] == 201
    assert answers[0] == answers[1]


async def test_same_body_on_another_path_is_another_request(web: Web) -> None:
    one, other = await assigned(web), await web.book(scheduledDate="2026-11-25")
    await web.rina.post(f"/api/bookings/{one}/additional-cost", COST, headers=KEY)
    status, body = await web.rina.post(f"/api/bookings/{other}/additional-cost", COST, headers=KEY)
    assert (status, body["code"]) == (409, "idempotency_key_reused")


async def test_payment_that_midtrans_failed_can_be_repeated_under_its_key(web: Web) -> None:
    path = f"/api/bookings/{await web.book()}/payment"
    web.midtrans.wrong = [MidtransTrouble("HTML")]
    wanted: dict[str, Any] = {"paymentType": "full"}
    assert (await web.sari.post(path, wanted, headers=KEY))[0] == 503
    first = await web.sari.post(path, wanted, headers=KEY)
    assert (first[0], first[1]["data"]["amount"]) == (200, 150_000)
    assert await web.sari.post(path, wanted, headers=KEY) == first


async def test_answer_to_staff_forgets_an_erased_customer(web: Web) -> None:
    code = await web.book()
    await web.rina.post(f"/api/bookings/{code}/cancel", {"reason": "Batal"}, headers=KEY)
    async with web.database.write() as session:
        await privacy.erase(Context(session, web.shop, web.now), await privacy.find(session, code=code))
    async with web.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
