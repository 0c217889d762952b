"""A month's report: each sum equals the ledger or the bookings, at the shop's midnight, and never a wrong one is shown."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from databases import Sqlite
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import event, func, literal_column, select, text, update
from workshop import ANDI, BUDI, INSTALL, SPEAKER, WIRE, furnish

from core.db.database import Database
from core.db.tables import Booking, BookingLine, LedgerEntry, Refund
from core.refusals import BooksDiffer
from core.reports import monthly
from core.reports.monthly import Moved, Share
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, RefundState

NOVEMBER = date(2026, 11, 1)


def a_booking(number: int, starts_at: datetime, **changes: Any) -> Booking:
    """A confirmed hour's work of 150.000, nothing paid, unless said otherwise."""
    asked: dict[str, Any] = {
        "id": number,
        "code": f"BK-{number:06}",
        "customer_id": 1,
        "name": "Sari",
        "phone": "+6281234567890",
        "car_brand": "Toyota",
        "car_model": "Avanza",
        "car_year": 2018,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "minutes": 60,
        "status": BookingStatus.CONFIRMED,
        "payment_method": PaymentMethod.TRANSFER,
        "total_price": 150_000,
        "created_at": starts_at,
    }
    lines = changes.pop("lines", [(None, INSTALL, "Pasang speaker", 1, 150_000)])
    made = Booking(**asked | changes)
    made.lines = [
        BookingLine(part_id=part, service_id=service, name=name, quantity=many, price=total // many, total=total)
        for part, service, name, many, total in lines
    ]
    return made


def an_entry(booking_id: int, amount: int, at: datetime, **changes: Any) -> LedgerEntry:
    entry = {
        "booking_id": booking_id,
        "order_id": f"O-{booking_id}",
        "kind": "received",
        "reference": f"{at.isoformat()} {amount} {changes}",
        "method": "bank_transfer",
    }
    return LedgerEntry(amount=amount, at=at, evidence={}, **entry | changes)


async def put(database: Database, *rows: Booking | LedgerEntry | Refund) -> None:
    """Store them, each booking with what the ledger holds of it."""
    async with database.write() as session:
        session.add_all(rows)
        await session.flush()
        held = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.booking_id == Booking.id)
        await session.execute(update(Booking).values(paid_amount=held.scalar_subquery()))


async def report(database: Database, shop: Shop, first: date = NOVEMBER) -> monthly.Month:
    async with database.read() as session:
        return await monthly.load(session, first, shop=shop)


async def test_a_month_without_anything_is_all_zeros(database: Database, shop: Shop) -> None:
    found = await report(database, shop)
    assert (found.money, found.sold, found.outstanding, found.owed_back) == (Moved(), Share(), Share(), Share())
    assert (found.methods, found.sales, found.work) == ({}, (), ())
    assert set(found.bookings.values()) == {0}


async def test_a_month_shows_money_sales_work_and_what_is_owed(database: Database, shop: Shop, now: datetime) -> None:
    await furnish(database, now)
    goods = [(SPEAKER, None, "Speaker 6,5 inci", 2, 1_530_000), (None, INSTALL, "Pasang speaker", 1, 150_000)]
    extra = [(None, None, "Kabel putus", 1, 75_000), (None, None, "Baut", 1, 25_000)]
    fees = {"onsite_fee": 150_000, "tax_amount": 20_000}
    lost = {"status": BookingStatus.CANCELLED}
    await put(
        database,
        a_booking(1, now, technician_id=ANDI, lines=[*goods, *extra], total_price=1_950_000, **fees),
        a_booking(2, now, technician_id=BUDI, status=BookingStatus.COMPLETED),
        a_booking(3, now, status=BookingStatus.PENDING, holding=False),
        a_booking(4, now, status=BookingStatus.PENDING, lines=[(None, WIRE, "Tarik kabel", 1, 200_000)]),
        a_booking(5, now, **lost),
        a_booking(6, now, **lost, no_show_at=now),
        an_entry(1, 1_000_000, now, method="gopay"),
        an_entry(1, -100_000, now, kind="refunded", method="gopay"),
        an_entry(2, 150_000, now, kind="cash", method="cash", order_id=None),
        an_entry(5, 150_000, now, method="credit_card"),
        an_entry(5, -50_000, now, kind="charged_back", method="credit_card"),
        an_entry(5, -100_000, now, kind="reversed", method="credit_card"),
        Refund(key="R-1", booking_id=1, amount=30_000, reason="overpaid", asked_at=now),
        Refund(key="R-2", booking_id=1, amount=100_000, reason="overpaid", asked_at=now, state=RefundState.DONE),
    )
    found = await report(database, shop)
    assert found.money == Moved(6, received=1_300_000, refunded=100_000, charged_back=150_000)
    assert found.money.net == 1_050_000
    assert {name: moved.net for name, moved in found.methods.items()} == {
        "gopay": 900_000,
        "cash": 150_000,
        "credit_card": 0,
    }
    assert [(each.kind, each.name, each.sold.count, each.sold.amount) for each in found.sales] == [
        ("part", "Speaker 6,5 inci", 2, 1_530_000),
        ("service", "Pasang speaker", 2, 300_000),
        ("extra", "", 2, 100_000),
        ("onsite", "", 1, 150_000),
        ("tax", "", 1, 20_000),
    ]
    assert found.sold == Share(2, 2_100_000)
    assert [(each.name, each.sold.amount, each.money.net) for each in found.work] == [
        ("Andi", 1_950_000, 900_000),
        ("Budi", 150_000, 150_000),
        (None, 0, 0),  # the cancelled one, whose money came and went
    ]
    assert found.bookings == {
        "pending": 2,
        "confirmed": 1,
        "in_progress": 0,
        "completed": 1,
        "cancelled": 1,
        "no_show": 1,
    }
    assert found.outstanding == Share(2, 1_050_000 + 150_000), "whose time to pay ran out owes nothing"
    assert found.owed_back == Share(1, 30_000)


@pytest.mark.parametrize(
    ("zone", "at", "month"),
    [
        ("Asia/Jakarta", "2026-10-31T16:59:59+00:00", None),  # 23:59:59 in Jakarta, still October
        ("Asia/Jakarta", "2026-10-31T17:00:00+00:00", NOVEMBER),  # its midnight
        ("Asia/Jakarta", "2026-11-30T16:59:59+00:00", NOVEMBER),
        ("Asia/Jakarta", "2026-11-30T17:00:00+00:00", date(2026, 12, 1)),
        ("Asia/Jayapura", "2026-10-31T15:00:00+00:00", NOVEMBER),  # two hours earlier in the east
        ("Asia/Jayapura", "2026-10-31T14:59:59+00:00", None),
        ("Asia/Jakarta", "2026-12-31T17:00:00+00:00", date(2027, 1, 1)),  # and at the turn of the year
    ],
)
async def test_a_month_begins_and_ends_at_the_shops_midnight(
    sqlite_url: str, shop: Shop, now: datetime, zone: str, at: str, month: date | None
) -> None:
    database, shop = Database(sqlite_url), shop.model_copy(update={"timezone": zone})
    moment = datetime.fromisoformat(at)
    await furnish(database, now)
    await put(database, a_booking(1, moment), an_entry(1, 150_000, moment))
    for first in (NOVEMBER, date(2026, 12, 1), date(2027, 1, 1)):
        found = await report(database, shop, first)
        assert (found.money.received, found.sold.count) == ((150_000, 1) if first == month else (0, 0))
    await database.close()


@pytest.mark.parametrize(
    ("harm", "where"),
    [
        ("UPDATE booking SET paid_amount = 1", "BK-000001"),  # the booking believes what the ledger doesn't know
        ("UPDATE booking_line SET total = total + 1", "sales"),  # a line was changed after its booking was priced
    ],
)
async def test_books_that_differ_are_not_shown(
    database: Database, shop: Shop, now: datetime, harm: str, where: str
) -> None:
    await furnish(database, now)
    await put(database, a_booking(1, now), an_entry(1, 150_000, now))
    async with database.write() as session:
        await session.execute(text(harm))
    with pytest.raises(BooksDiffer) as refused:
        await report(database, shop)
    assert refused.value.params["where"] == where


async def test_money_of_an_unknown_kind_is_not_left_out_silently(database: Database, shop: Shop, now: datetime) -> None:
    await furnish(database, now)
    await put(database, a_booking(1, now), an_entry(1, 150_000, now, kind=literal_column("'found'")))
    with pytest.raises(BooksDiffer):
        await report(database, shop)


ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 4),  # the booking
        st.sampled_from(["received", "cash", "refunded", "reversed", "charged_back"]),
        st.integers(1, 10**10),
        st.sampled_from(["gopay", "cash", "bca_va"]),
        st.integers(0, 60),  # days from the middle of October
    ),
    max_size=25,
)


@given(entries=ENTRIES)
@settings(max_examples=15)
def test_whatever_the_ledger_holds_its_months_add_up_to_it(
    sqlite_any: str, entries: Sequence[tuple[int, str, int, str, int]]
) -> None:
    asyncio.run(_add_up(sqlite_any, make_shop(), entries))


async def _add_up(url: str, shop: Shop, entries: Sequence[tuple[int, str, int, str, int]]) -> None:
    database = Database(url)
    begin = shop.at(date(2026, 10, 15), datetime.min.time())
    rows = [
        an_entry(
            booking,
            amount if kind in ("received", "cash") else -amount,
            begin + timedelta(days=day),
            kind=kind,
            method=method,
            reference=str(number),
        )
        for number, (booking, kind, amount, method, day) in enumerate(entries)
    ]
    async with database.write() as session:
        session.add_all(rows)
        await session.flush()
        for booking in await session.scalars(select(Booking)):
            booking.paid_amount = max(0, sum(row.amount for row in rows if row.booking_id == booking.id))
        await session.flush()
        months = [
            await monthly.load(session, first, shop=shop) for first in (date(2026, 10, 1), NOVEMBER, date(2026, 12, 1))
        ]
        await session.rollback()
    await database.close()
    assert sum(each.money.net for each in months) == sum(row.amount for row in rows)
    assert sum(each.money.entries for each in months) == len(rows)
    for each in months:
        assert sum(each.methods.values(), Moved()) == each.money
        assert sum((work.money for work in each.work), Moved()) == each.money
        assert sum(sale.sold.amount for sale in each.sales) == each.sold.amount


@pytest.fixture(scope="module")
def sqlite_any(sqlite: Sqlite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workshop with four bookings; what is put into it is rolled back."""
    file = tmp_path_factory.mktemp("months") / "bengkel.db"
    shutil.copy(sqlite.folder / "bare.db", file)
    url = f"sqlite+aiosqlite:///{file}"

    async def fill() -> None:
        database = Database(url)
        await furnish(database, MONDAY_8_AM)
        who = (ANDI, BUDI, None, ANDI)
        await put(database, *(a_booking(each, MONDAY_8_AM, technician_id=who[each - 1]) for each in range(1, 5)))
        await database.close()

    asyncio.run(fill())
    return url


async def test_a_report_takes_two_statements_and_no_table_is_read_through(
    sqlite_url: str, shop: Shop, now: datetime
) -> None:
    database = Database(sqlite_url)
    asked: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    await furnish(database, now)
    await put(database, *(a_booking(each, now) for each in range(1, 40)))
    event.listen(database.reading_engine.sync_engine, "before_cursor_execute", keep)
    await report(database, shop)
    event.remove(database.reading_engine.sync_engine, "before_cursor_execute", keep)
    queries = [each for each in asked if each[0] != "BEGIN"]
    assert len(queries) == 2
    async with database.reading_engine.connect() as connection:
        plan = await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + queries[0][0], queries[0][1])
        steps = [row[3] for row in plan]
    growing = ("booking", "booking_line", "ledger_entry")
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in growing] == []
    await database.close()
