"""What the admins see: how many, how much, and which bookings."""

from datetime import date, datetime, timedelta

import pytest
from paying import ORDER, answer, book, booking_of, give_link, tuesday_at_ten
from workshop import ANDI, BUDI

from core import payment, work
from core.booking import cancel
from core.context import Context
from core.db.database import Database
from core.db.tables import LedgerEntry
from core.reports import overview
from core.reports.overview import Dashboard
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, PaymentStatus

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


async def pay(
    database: Database, shop: Shop, now: datetime, order_id: str = ORDER, *, status: str = "settlement"
) -> None:
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), order_id, answer(order_id, status))


async def three_bookings(database: Database, shop: Shop, now: datetime) -> None:
    """One paid for Tuesday at ten, one unpaid at noon, one of Wednesday that staff cancelled."""
    tuesday = tuesday_at_ten(shop, now)
    await book(database, shop, now, technician_id=ANDI)
    await give_link(database, ORDER, shop, now)
    await pay(database, shop, now)
    await book(database, shop, now, code="BK-000002", starts_at=tuesday + timedelta(hours=2), technician_id=BUDI)
    await book(database, shop, now, code="BK-000003", starts_at=tuesday + timedelta(days=1), technician_id=ANDI)
    async with database.write() as session:
        booking = await bookings.load(session, code="BK-000003")
        await cancel(Context(session, shop, now), booking, reason="", actor="Ibu Rina")


async def test_an_empty_shop_has_figures_too(database: Database) -> None:
    async with database.read() as session:
        assert await overview.dashboard(session) == Dashboard(
            total=0, pending=0, confirmed=0, in_progress=0, completed=0, cancelled=0, revenue=0
        )


async def test_the_dashboard_counts_bookings_by_status_and_the_money_that_came_in(
    database: Database, shop: Shop, now: datetime
) -> None:
    await three_bookings(database, shop, now)
    async with database.read() as session:
        assert await overview.dashboard(session) == Dashboard(
            total=3, pending=1, confirmed=1, in_progress=0, completed=0, cancelled=1, revenue=150_000
        )


async def test_money_that_goes_back_is_no_revenue_and_cash_is(database: Database, shop: Shop, now: datetime) -> None:
    await three_bookings(database, shop, now)
    await pay(database, shop, now + timedelta(days=1), status="refund")
    await book(database, shop, now, code="BK-000004", method=PaymentMethod.COD)
    async with database.write() as session:
        booking = await bookings.load(session, code="BK-000004")
        await work.receive_cash(Context(session, shop, now), booking, 50_000, actor="Ibu Rina")
    assert (await booking_of(database)).payment_status is PaymentStatus.REFUNDED
    async with database.read() as session:
        assert (await overview.dashboard(session)).revenue == 50_000
        days = await overview.week(Context(session, shop, now), TUESDAY)
    assert [day.revenue for day in days[:3]] == [200_000, -150_000, 0]


async def test_the_week_is_monday_to_sunday_with_the_days_jobs_and_money(
    database: Database, shop: Shop, now: datetime
) -> None:
    await three_bookings(database, shop, now)
    async with database.read() as session:
        days = await overview.week(Context(session, shop, now), date(2026, 11, 29))  # its Sunday
        after = await overview.week(Context(session, shop, now), date(2026, 11, 30))
    assert [day.day for day in days] == [MONDAY + timedelta(days=number) for number in range(7)]
    assert [day.bookings for day in days] == [0, 2, 0, 0, 0, 0, 0]  # the cancelled one is no job
    assert [day.revenue for day in days] == [150_000, 0, 0, 0, 0, 0, 0]
    assert all((day.bookings, day.revenue) == (0, 0) for day in after)


async def test_a_day_is_the_shops_own_day(database: Database, shop: Shop, now: datetime) -> None:
    """At 17:30 in London it is half past midnight in Jakarta."""
    await book(database, shop, now)
    midnight = shop.at(TUESDAY, datetime.min.time())
    async with database.write() as session:
        booking = await bookings.load(session, code="BK-000001")
        for number, at in enumerate((midnight - timedelta(seconds=1), midnight)):
            session.add(
                LedgerEntry(
                    booking_id=booking.id, kind="cash", reference=str(number), amount=number + 1, method="cash",
                    at=at, evidence={},
                )
            )  # fmt: skip
    async with database.read() as session:
        days = await overview.week(Context(session, shop, now), TUESDAY)
    assert [day.revenue for day in days[:2]] == [1, 2]


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ({}, ["BK-000003", "BK-000002", "BK-000001"]),  # all, the latest appointment first
        ({"status": BookingStatus.CONFIRMED}, ["BK-000001"]),
        ({"payment_status": PaymentStatus.PENDING}, ["BK-000003", "BK-000002"]),
        ({"day": TUESDAY}, ["BK-000002", "BK-000001"]),
        ({"technician_id": ANDI}, ["BK-000003", "BK-000001"]),
        ({"technician_id": ANDI, "day": TUESDAY, "status": BookingStatus.CANCELLED}, []),  # all at once
        ({"day": MONDAY}, []),  # the day of the appointment, not of the booking
    ],
)
async def test_bookings_are_found_by_what_is_asked(
    database: Database, shop: Shop, now: datetime, wanted: dict[str, object], codes: list[str]
) -> None:
    await three_bookings(database, shop, now)
    async with database.read() as session:
        found, total = await overview.find(Context(session, shop, now), **wanted)  # type: ignore[arg-type]
    assert [booking.code for booking in found] == codes
    assert total == len(codes)


async def test_a_page_tells_how_many_there_are_in_all(database: Database, shop: Shop, now: datetime) -> None:
    await three_bookings(database, shop, now)
    async with database.read() as session:
        found, total = await overview.find(Context(session, shop, now), limit=1, offset=1)
    assert ([booking.code for booking in found], total) == (["BK-000002"], 3)
    assert found[0].technician is not None  # loaded for showing
    assert found[0].lines
