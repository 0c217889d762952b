"""The questions a turn and the admins ask find their rows by an index, however long the history."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, BUDI, SPEAKER, book, furnish, order

from core.booking import count_ahead, due_ends, due_offers, end_entry, join_waitlist, make_offer
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Waiting
from core.reports import overview
from core.schedule import availability, bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import BookingStatus, PaymentStatus

WANTED: tuple[dict[str, Any], ...] = (
    {},
    {"status": BookingStatus.COMPLETED},
    {"payment_status": PaymentStatus.PAID},
    {"status": BookingStatus.COMPLETED, "payment_status": PaymentStatus.PAID},
    {"day": date(2026, 11, 24)},
    {"day": date(2026, 11, 24), "status": BookingStatus.COMPLETED, "payment_status": PaymentStatus.PAID},
    {"technician_id": ANDI},
    {"technician_id": ANDI, "status": BookingStatus.COMPLETED, "payment_status": PaymentStatus.PAID},
)
"""What admins and technicians may ask `reports.find` for."""
GROWING = ("booking", "booking_line", "booking_event", "outbox", "waiting")
TUESDAY = date(2026, 11, 24)

Ask = Callable[[AsyncSession, Shop, datetime], Awaitable[Any]]


async def slots_of_day(session: AsyncSession, shop: Shop, now: datetime) -> None:
    await availability.slots_of_day(Context(session, shop, now), TUESDAY, minutes=60, technician_id=ANDI)


async def free_technicians(session: AsyncSession, shop: Shop, now: datetime) -> None:
    start = shop.at(TUESDAY, time(9))
    await availability.free_technicians(Context(session, shop, now), start, 60, skills=frozenset())


async def of_customer(session: AsyncSession, shop: Shop, now: datetime) -> None:
    assert await bookings.of_customer(session, 1)


async def release_ended_holds(session: AsyncSession, shop: Shop, now: datetime) -> None:
    assert await bookings.release_ended_holds(Context(session, shop, now + shop.hold))


async def booking(session: AsyncSession, shop: Shop, now: datetime) -> None:
    asked = order(shop.at(TUESDAY, time(15)), parts=((SPEAKER, 1),), technician_id=ANDI)
    made = await book(session, asked, shop=shop, now=now + shop.hold, code="BK-2")
    await bookings.cancel(Context(session, shop, now), made, reason="batal", actor="customer")


async def the_line(session: AsyncSession, shop: Shop, now: datetime) -> None:
    async def stand(code: str) -> Waiting:
        start = shop.at(TUESDAY, time(10 + len(code)))
        return await join_waitlist(
            Context(session, shop, now),
            BookingRequest(
                order=order(start, technician_id=ANDI), customer_id=1, contact_id=None, language="id", code=code
            ),
        )

    first, _ = await stand("W"), await stand("WW")
    assert await count_ahead(session, first) == 0
    due = await due_offers(Context(session, shop, now))
    assert [await make_offer(Context(session, shop, now), each) for each in due] == [True, True]
    over = await due_ends(Context(session, shop, now + shop.hold))
    assert over
    for each in over:
        await end_entry(Context(session, shop, now + shop.hold), each)


@pytest.mark.parametrize("ask", [slots_of_day, free_technicians, of_customer, release_ended_holds, booking, the_line])
async def test_no_question_reads_through_a_table_that_grows(
    sqlite_url: str, shop: Shop, now: datetime, ask: Ask
) -> None:
    database = Database(sqlite_url)
    await furnish(database, now)
    async with database.write() as session:
        asked = order(shop.at(TUESDAY, time(10)), parts=((SPEAKER, 1),), technician_id=ANDI)
        await book(session, asked, shop=shop, now=now)
    plans: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def _explain(connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
            plans.extend(f"{step[3]}   <-   {statement}" for step in cursor.fetchall())

    async with database.write() as session:
        await ask(session, shop, now)
    await database.close()
    assert plans
    scans = [plan for plan in plans if plan.startswith(tuple(f"SCAN {table}" for table in GROWING))]
    assert [scan for scan in scans if "ix_waiting_slot" not in scan] == []  # that holds who waits now, no history


async def test_lists_and_figures_read_only_indexes(database: Database, shop: Shop, now: datetime) -> None:
    """They read as much as there is to count, but never a booking or an entry itself; a page finds its rows in order."""
    asked: list[tuple[str, Any]] = []
    if not database.is_sqlite:
        await furnish(database, now)
        await _have_history(database, shop, now)

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if re.search(r"FROM (booking|ledger_entry)\b", statement):
            asked.append((statement, parameters))

    async with database.write() as session:
        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        await overview.dashboard(session)
        await overview.week(Context(session, shop, now), TUESDAY)
        for wanted in WANTED:
            await overview.find(Context(session, shop, now), **wanted)
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        read = {statement: await _reads(session, statement, parameters) for statement, parameters in asked}
    counted = {statement: how for statement, how in read.items() if re.search(r"count\(|sum\(", statement)}
    assert len(counted) == len(WANTED) + 2
    assert {asked: how for asked, how in counted.items() if set(how) != {"index alone"}} == {}
    assert {how for each in read.values() for how in each} == {"index alone", "index"}, read


async def _have_history(database: Database, shop: Shop, now: datetime) -> None:
    """So many bookings of each kind that PostgreSQL cares which index it takes: of an empty table it doesn't."""
    each = {
        "code": "'BK-' || number",
        "status": "(ARRAY['completed', 'cancelled'])[1 + number % 2]",
        "payment_status": "(ARRAY['paid', 'pending', 'refunded'])[1 + number % 3]",
        "starts_at": "starts_at - (number % 100) * interval '1 hour'",
        "technician_id": f"(ARRAY['{ANDI}', '{BUDI}'])[1 + number % 2]",
    }
    async with database.write() as session:
        await book(session, order(shop.at(TUESDAY, time(10))), shop=shop, now=now)
        names = [column.name for column in Booking.__table__.columns if column.name != "id"]
        values = ", ".join(each.get(name, name) for name in names)
        await session.execute(
            text(
                f"INSERT INTO booking ({', '.join(names)}) "
                f"SELECT {values} FROM booking, generate_series(1, 3000) AS number"
            )
        )
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql("VACUUM ANALYZE booking")
        # A snapshot held elsewhere keeps VACUUM from marking pages; the planner is to see the table as after a whole one.
        await connection.exec_driver_sql("UPDATE pg_class SET relallvisible = relpages WHERE relname = 'booking'")


async def _reads(session: AsyncSession, statement: str, parameters: Any) -> list[str]:
    """How bookings and the ledger are read, by the plan: by an index alone, by an index, or whole."""
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
        steps = [step[-1] for step in plan if re.match(r"(SCAN|SEARCH) (booking|ledger_entry)\b", step[-1])]
        return [("index alone" if "COVERING" in step else "index") if " USING " in step else step for step in steps]
    for kind in ("seqscan", "bitmapscan"):  # few rows are rightly read whole: what could be done with many?
        await connection.exec_driver_sql(f"SET LOCAL enable_{kind} = off")
    plan = (await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)).all()
    steps = [step[0] for step in plan if re.search(r"Scan .*on (booking|ledger_entry)\b", step[0])]
    return [("index alone" if "Only" in step else "index") if "Index" in step else step for step in steps]


async def test_daily_queries_do_not_scan_history(sqlite_url: str, shop: Shop, now: datetime) -> None:
    """SQLite counts what it does: the same for a day after thirty days of bookings as after one."""
    database = Database(sqlite_url)
    await furnish(database, now, customers=60)
    costs = []
    for days in (1, 30):
        async with database.write() as session:
            for day in range(days):
                start = shop.at(TUESDAY + timedelta(days=day), time(9))
                if shop.weekly_hours(start.date()):
                    code, customer = f"BK-{days}-{day}", days + day
                    made = await book(session, order(start), shop=shop, now=now, code=code, customer=customer)
                    made.hold_until = None
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        async with database.read() as session:
            raw = await (await session.connection()).get_raw_connection()
            await raw.driver_connection.set_progress_handler(count, 1)
            await slots_of_day(session, shop, now)
            await raw.driver_connection.set_progress_handler(None, 0)
        costs.append(steps)
    await database.close()
    assert costs[1] <= costs[0] * 1.2
