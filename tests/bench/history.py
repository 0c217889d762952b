"""The time to look up a day's slots in a workshop with a long history."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any

from dialogue import MONDAY_8_AM
from served import SHOP, prepare
from sqlalchemy import text

from core.context import Context
from core.db.database import Database, insert_into
from core.db.tables import Booking, Customer
from core.schedule.availability import slots_of_day
from core.schedule.slots import starts
from core.states import BookingStatus, PaymentMethod, PaymentStatus

DAY = SHOP.local(MONDAY_8_AM).date() + timedelta(days=1)
TECHNICIANS = ("dedi", "rizky", "wahyu")
TIMES = 300
BATCH = 5000


async def fill(database: Database, past: int) -> None:
    """Insert this many past bookings, three per slot, and some for `DAY`."""
    await prepare(database)
    jobs = [*_jobs(DAY, 2, step=1), *islice(_jobs(DAY - timedelta(days=2), 3, step=-1), past)]
    async with database.write() as session:
        await session.execute(insert_into(session, Customer), [{"id": 1, "created_at": MONDAY_8_AM}])
        rows = [booking_row(number, start, technician) for number, (start, technician) in enumerate(jobs, 1)]
        for begin in range(0, len(rows), BATCH):
            await session.execute(insert_into(session, Booking), rows[begin : begin + BATCH])
    if not database.is_sqlite:
        async with database.write() as session:
            await session.execute(text("ANALYZE"))  # autovacuum does it later
            for table in ("customer", "booking"):  # the rows above have explicit ids
                await session.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))


async def compare(few: Database, many: Database) -> tuple[float, float]:
    """Median seconds for a day's slots with few and with many past bookings, measured alternately."""
    spent: tuple[list[float], list[float]] = ([], [])
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(database.read()) for database in (few, many)]
        for _ in range(TIMES):
            for session, times in zip(sessions, spent, strict=True):
                begin = perf_counter()
                load = await slots_of_day(Context(session, SHOP, MONDAY_8_AM), DAY, technician_id="dedi")
                times.append(perf_counter() - begin)
                await session.rollback()
                if len(load) != 8:
                    raise RuntimeError(f"{DAY} has {len(load)} slots")
                await asyncio.sleep(0)
    return median(spent[0]), median(spent[1])


def _jobs(day: date, at_a_time: int, *, step: int) -> Iterator[tuple[datetime, str]]:
    while True:
        for start in starts(day, SHOP):
            for technician in TECHNICIANS[:at_a_time]:
                yield start, technician
        if step > 0:
            return
        day += timedelta(days=step)


def booking_row(number: int, start: datetime, technician: str | None) -> dict[str, Any]:
    """A paid booking of an hour; completed if it is in the past."""
    return {
        "id": number,
        "code": f"BK-{number:06}",
        "customer_id": 1,
        "name": "Sari Dewi",
        "phone": "+6281234567890",
        "car_brand": "Toyota",
        "car_model": "Avanza",
        "car_year": 2018,
        "starts_at": start,
        "ends_at": start + timedelta(minutes=SHOP.slot_minutes),
        "minutes": SHOP.slot_minutes,
        "technician_id": technician,
        "status": BookingStatus.COMPLETED if start < MONDAY_8_AM else BookingStatus.CONFIRMED,
        "payment_status": PaymentStatus.PAID,
        "payment_method": PaymentMethod.TRANSFER,
        "total_price": 150_000,
        "holding": start >= MONDAY_8_AM,
        "created_at": start,
    }
