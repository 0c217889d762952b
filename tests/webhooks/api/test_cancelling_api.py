"""Cancelling and no-shows over REST: the same terms as in the chat."""

from datetime import timedelta

import pytest
from asking import Web
from paying import tuesday_at_ten
from sqlalchemy import select, update

from core.db.tables import Booking, Refund


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_customer_cancels_on_terms_admin_without(web: Web) -> None:
    first, second = await web.book(), await web.book(scheduledTime="13:00")
    for code in (first, second):
        await web.pay(code, percent=40)
    web.now = tuesday_at_ten(web.shop, web.now) - timedelta(hours=1)
    status, body = await web.sari.post(f"/api/bookings/{first}/cancel", {"reason": "Hujan"})
    assert (status, body["code"]) == (409, "too_late_to_cancel")
    assert "2 jam" in body["message"]
    status, body = await web.sari.post(f"/api/bookings/{second}/cancel", {"reason": "Hujan"})
    assert (status, body["data"]["bookingStatus"]) == (200, "cancelled")
    status, body = await web.rina.call("PATCH", f"/api/bookings/{first}/status", {"status": "cancelled"})
    assert (status, body["data"]["bookingStatus"]) == (200, "cancelled")
    async with web.database.read() as session:
        owed = await session.scalars(select(Refund.amount).order_by(Refund.booking_id))
        assert list(owed) == [60_000, 30_000]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_no_show_pays_the_highest_down_payment(web: Web) -> None:
    for hour in ("09:00", "10:00"):
        await web.book(scheduledTime=hour)
    async with web.database.write() as session:
        await session.execute(update(Booking).values(no_show_at=web.now, status="cancelled", hold_until=None))
    code = await web.book(scheduledTime="14:00")
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "dp", "dpPercent": 30})
    assert (status, body["code"]) == (400, "bad_down_payment")
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "dp"})
    assert (status, body["data"]["amount"]) == (200, 75_000)
