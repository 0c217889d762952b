"""Bookings are changed while others are: nobody gets a piece, a place or a technician that somebody else has."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from pausing import HELD_JOBS, Pause
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from waiting import HANG
from workshop import ANDI, SPEAKER, TUNE, book, check_books, furnish, order

from core.booking import change
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.refusals import InsufficientStock, Refusal, SlotFull, TechnicianBusy
from core.schedule import bookings
from core.schedule.occupancy import held_jobs, is_busy
from core.schedule.orders import order_of
from core.shop import Shop

RIVALS = 3
HOUR = timedelta(hours=1)
TUESDAY = date(2026, 11, 24)


async def changed(database: Database, code: str, *, shop: Shop, now: datetime, **differs: Any) -> type:
    """Change as the customer; returns Booking or the class of the refusal."""
    try:
        async with database.write() as session:
            booking = await bookings.load(session, code=code)
            wanted = replace(order_of(booking), **differs)
            await change(Context(session, shop, now), booking, wanted, actor=bookings.CUSTOMER)
    except Refusal as refusal:
        return type(refusal)
    return Booking


async def at_once(databases: list[Database], *deeds: Awaitable[type]) -> list[type]:
    crowd = Pause(len(deeds))
    for database in databases:
        crowd.before(database.engine, HELD_JOBS)
    return list(await asyncio.gather(*deeds))


async def held(databases: list[Database], shop: Shop, now: datetime, *hours: int) -> None:
    await furnish(databases[0], now, customers=len(hours))
    async with databases[0].write() as session:
        for number, hour in enumerate(hours, 1):
            asked = order(shop.at(TUESDAY, time(hour)))
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)


async def test_more_changes_than_pieces_in_stock(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Three want one of the two pieces."""
    await held(databases, shop, now, 10, 10, 10)
    wants = [
        changed(databases[each % len(databases)], f"BK-{each}", shop=shop, now=now, parts=((SPEAKER, 1),))
        for each in range(1, RIVALS + 1)
    ]
    ends = await at_once(databases, *wants)
    assert (ends.count(Booking), ends.count(InsufficientStock)) == (2, 1)
    await check_books(databases[0])


async def test_more_longer_jobs_than_places(databases: list[Database], shop: Shop, now: datetime) -> None:
    """One place: two jobs of an hour, one after the other; the first can't grow into the second, whoever comes first."""
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    await held(databases, narrow, now, 10, 11)
    longer = [
        changed(databases[each % len(databases)], f"BK-{each}", shop=narrow, now=now, services=(TUNE,))
        for each in (1, 2)
    ]
    assert await at_once(databases, *longer) == [SlotFull, Booking]
    await check_books(databases[0], most=1)


async def test_all_changes_want_one_technician(databases: list[Database], shop: Shop, now: datetime) -> None:
    await held(databases, shop, now, 10, 10, 10)
    wants = [
        changed(databases[each % len(databases)], f"BK-{each}", shop=shop, now=now, technician_id=ANDI)
        for each in range(1, RIVALS + 1)
    ]
    ends = await at_once(databases, *wants)
    assert (ends.count(Booking), ends.count(TechnicianBusy)) == (1, RIVALS - 1)
    await check_books(databases[0])


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_control_a_check_before_the_change_gives_one_technician_thrice(
    request: pytest.FixtureRequest, shop: Shop, now: datetime, engine: str
) -> None:
    """The negative control: the same rivals, SQLAlchemy's defaults, and a check before the write."""
    url = request.getfixturevalue(f"{engine}_url")
    database = Database(url)
    await held([database], shop, now, 10, 10, 10)
    naive, crowd, start = create_async_engine(url), Pause(RIVALS, patience=HANG), shop.at(TUESDAY, time(10))

    async def one(booking_id: int) -> bool:
        async with AsyncSession(naive) as session, session.begin():
            if is_busy(await held_jobs(session, start, start + HOUR), ANDI, start, start + HOUR):
                return False
            await crowd()
            await session.execute(update(Booking).where(Booking.id == booking_id).values(technician_id=ANDI))
            return True

    promised = await asyncio.gather(*(one(number) for number in range(1, RIVALS + 1)))
    await naive.dispose()
    assert promised == [True] * RIVALS
    with pytest.raises(AssertionError):
        await check_books(database)
    await database.close()
