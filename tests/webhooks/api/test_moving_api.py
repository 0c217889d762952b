"""Moving a booking over REST: limits for customers, none for admins and late payments."""

from datetime import timedelta
from typing import Any

import pytest
from asking import Web, wish
from paying import answer
from workshop import ANDI, BUDI

from core import payment
from core.context import Context

MOVED = {"scheduledDate": "2026-11-25", "scheduledTime": "13:00"}
ELSEWHERE = {"scheduledDate": "2026-11-26", "scheduledTime": "09:00"}
FURTHER = {"scheduledDate": "2026-11-27", "scheduledTime": "09:00"}


async def test_customer_may_move_twice_and_admin_any_time(web: Web) -> None:
    code = await web.book(technicianId=ANDI)
    await web.pay(code)
    for wanted in (MOVED, MOVED, ELSEWHERE):  # the second repeats the first
        status, body = await web.sari.post(f"/api/bookings/{code}/reschedule", wanted)
        assert (status, body["data"]["scheduledDate"]) == (200, wanted["scheduledDate"])
        assert (body["data"]["paymentStatus"], body["data"]["technicianId"]) == ("paid", ANDI)
    status, body = await web.sari.post(f"/api/bookings/{code}/reschedule", FURTHER)
    assert (status, body["code"]) == (409, "moved_too_often")
    assert "2 kali" in body["message"]
    status, body = await web.rina.post(f"/api/bookings/{code}/reschedule", FURTHER | {"technicianId": BUDI})
    assert (status, body["data"]["scheduledDate"], body["data"]["technicianId"]) == (200, "2026-11-27", BUDI)


@pytest.mark.parametrize(
    ("before", "wanted", "code"),
    [
        pytest.param(5, MOVED, "too_late_to_move", id="five hours before it begins"),
        pytest.param(24, {"scheduledDate": "2026-11-29", "scheduledTime": "09:00"}, "closed", id="to a Sunday"),
        pytest.param(
            24, {"scheduledDate": "2026-11-23", "scheduledTime": "09:00"}, "in_the_past", id="to an hour gone by"
        ),
        pytest.param(24, MOVED | {"technicianId": BUDI}, "technician_busy", id="to who has another job then"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the rules don't depend on it
async def test_refused_move_has_a_code_and_changes_nothing(
    web: Web, before: int, wanted: dict[str, Any], code: str
) -> None:
    booking = await web.book(technicianId=ANDI)
    await web.pay(await web.book(technicianId=BUDI, **MOVED))
    await web.pay(booking)
    web.now = (await web.row(booking)).starts_at - timedelta(hours=before)
    status, body = await web.sari.post(f"/api/bookings/{booking}/reschedule", wanted)
    assert (status, body["code"]) == (409, code)
    kept = await web.row(booking)
    assert (f"{web.shop.local(kept.starts_at):%Y-%m-%d %H:%M}", kept.moves) == ("2026-11-24 10:00", 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_admin_moves_at_short_notice(web: Web) -> None:
    code, wanted = await web.book(), {"scheduledDate": "2026-11-23", "scheduledTime": "10:00"}
    web.now = web.now.replace(hour=2, minute=55)  # 09:55 in the shop
    status, body = await web.sari.post(f"/api/bookings/{code}/reschedule", wanted)
    assert (status, body["code"]) == (409, "short_notice")
    status, body = await web.rina.post(f"/api/bookings/{code}/reschedule", wanted)
    assert (status, body["data"]["scheduledTime"]) == (200, "10:00")
    status, body = await web.rina.post(f"/api/bookings/{code}/reschedule", wanted | {"scheduledTime": "09:00"})
    assert (status, body["code"]) == (409, "in_the_past")


async def test_late_payment_may_move_past_every_limit(web: Web) -> None:
    code = await web.book(technicianId=ANDI)
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    order_id, amount = body["data"]["orderId"], body["data"]["amount"]
    web.now += web.shop.hold
    async with web.database.write() as session:
        await payment.settle_or_expire(Context(session, web.shop, web.now), order_id, None)
    assert (await web.tono.post("/api/bookings", wish(technicianId=ANDI)))[0] == 201
    web.now = (await web.row(code)).starts_at  # past the customer's deadline
    async with web.database.write() as session:
        told = answer(order_id, amount=amount)
        assert await payment.settle(Context(session, web.shop, web.now), order_id, told) == "received"
    status, body = await web.sari.post(f"/api/bookings/{code}/reschedule", MOVED | {"technicianId": BUDI})
    assert (status, body["data"]["bookingStatus"], body["data"]["paymentStatus"]) == (200, "confirmed", "paid")
    assert body["data"]["invoiceUrl"]
    assert (await web.row(code)).moves == 0
