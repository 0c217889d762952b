"""The questions a turn asks find their rows by an index, however long the history."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, SPEAKER, book, furnish, order

from core import bookings
from core.database import Database
from core.shop import Shop

GROWING = ("booking", "booking_line", "booking_event", "slot", "seat", "technician_cell", "outbox")
TUESDAY = date(2026, 11, 24)

Ask = Callable[[AsyncSession, Shop, datetime], Awaitable[Any]]


async def day_load(session: AsyncSession, shop: Shop, now: datetime) -> None:
    await bookings.day_load(session, TUESDAY, shop=shop, now=now, minutes=60, technician_id=ANDI)


async def free_technicians(session: AsyncSession, shop: Shop, now: datetime) -> None:
    start = shop.at(TUESDAY, time(9))
    await bookings.free_technicians(session, start, 60, shop=shop, now=now, skills=frozenset())


async def of_customer(session: AsyncSession, shop: Shop, now: datetime) -> None:
    assert await bookings.of_customer(session, 1)


async def release_ended_holds(session: AsyncSession, shop: Shop, now: datetime) -> None:
    assert await bookings.release_ended_holds(session, now=now + shop.hold)


async def booking(session: AsyncSession, shop: Shop, now: datetime) -> None:
    asked = order(shop.at(TUESDAY, time(15)), parts=((SPEAKER, 1),), technician_id=ANDI)
    made = await book(session, asked, shop=shop, now=now + shop.hold, code="BK-2")
    await bookings.cancel(session, made, reason="batal", actor="customer", now=now)


@pytest.mark.parametrize("ask", [day_load, free_technicians, of_customer, release_ended_holds, booking])
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
    assert [plan for plan in plans if plan.startswith(tuple(f"SCAN {table}" for table in GROWING))] == []


async def test_a_long_history_is_not_felt_in_the_steps_of_a_days_load(
    sqlite_url: str, shop: Shop, now: datetime
) -> None:
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
            await day_load(session, shop, now)
            await raw.driver_connection.set_progress_handler(None, 0)
        costs.append(steps)
    await database.close()
    assert costs[1] <= costs[0] * 1.2
