"""Many customers want the last places at once: no place is sold twice or left free, on both databases.

A pause widens each race (`pausing`). The negative control, a naive check before an insert, runs with the same pause and
must overbook; otherwise the other tests would prove nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

import pytest
from pausing import HELD_JOBS, Pause
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from waiting import HANG
from workshop import AMPLIFIER, ANDI, CHECK, FULL_DAY, INSTALL, SPEAKER, TUNE, WIRE, book, check_books, furnish, order

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.refusals import InsufficientStock, Refusal, SlotFull, TechnicianBusy
from core.schedule import bookings
from core.schedule.occupancy import held_jobs, peak
from core.schedule.orders import Order
from core.shop import Shop

RIVALS = 8
TUESDAY = date(2026, 11, 24)


async def race(databases: list[Database], orders: list[Order], *, pause: str, shop: Shop, now: datetime) -> list[type]:
    """Book all orders at once, one per customer; returns Booking or the refusal's class for each."""
    crowd = Pause(len(orders))
    for database in databases:
        crowd.before(database.engine, pause)

    async def one(number: int, asked: Order) -> type:
        try:
            async with databases[number % len(databases)].write() as session:
                made = await book(session, asked, shop=shop, now=now, code=f"BK-R{number}", customer=number)
        except Refusal as refusal:
            return type(refusal)
        return type(made)

    return list(await asyncio.gather(*(one(number, asked) for number, asked in enumerate(orders, 1))))


async def test_the_last_seats_of_a_slot(databases: list[Database], shop: Shop, now: datetime) -> None:
    await furnish(databases[0], now, customers=RIVALS)
    orders = [order(shop.at(TUESDAY, time(10)))] * RIVALS
    ends = await race(databases, orders, pause=HELD_JOBS, shop=shop, now=now)
    assert (ends.count(Booking), ends.count(SlotFull)) == (3, RIVALS - 3)
    await check_books(databases[0])


async def test_jobs_over_several_slots(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Whole-day jobs: three fit, in whatever order their slots are taken."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [order(shop.at(TUESDAY, time(9)), services=(FULL_DAY,))] * RIVALS
    ends = await race(databases, orders, pause=HELD_JOBS, shop=shop, now=now)
    assert (ends.count(Booking), ends.count(SlotFull)) == (3, RIVALS - 3)
    await check_books(databases[0])


async def test_jobs_that_overlap_in_chains(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Each job overlaps the next, and the last the first, so that a wrong lock order would deadlock."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [order(shop.at(TUESDAY, time(9 + start % 6)), services=(TUNE, INSTALL)) for start in range(RIVALS)]
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    ends = await race(databases, orders, pause=HELD_JOBS, shop=narrow, now=now)
    assert set(ends) == {Booking, SlotFull}
    assert 2 <= ends.count(Booking) <= 3  # jobs of three hours in a day of eight
    await check_books(databases[0])


async def test_rivals_under_different_settings(databases: list[Database], shop: Shop, now: datetime) -> None:
    """While processes restart one by one with shorter slots, the old and the new sell the same time three times only."""
    await furnish(databases[0], now, customers=RIVALS)
    starts = {60: time(10), 30: time(10, 30), 45: time(10, 30), 15: time(10, 45)}
    crowd = Pause(RIVALS)
    for database in databases:
        crowd.before(database.engine, HELD_JOBS)

    async def one(number: int) -> bool:
        slot_minutes = list(starts)[number % len(starts)]
        its_shop = shop.model_copy(update={"slot_minutes": slot_minutes})
        asked = order(shop.at(TUESDAY, starts[slot_minutes]))
        try:
            async with databases[number % len(databases)].write() as session:
                await book(session, asked, shop=its_shop, now=now, code=f"BK-R{number}", customer=number)
        except SlotFull:
            return False
        return True

    booked = await asyncio.gather(*(one(number) for number in range(1, RIVALS + 1)))
    assert booked.count(True) == 3
    await check_books(databases[0])


async def test_the_last_parts(databases: list[Database], shop: Shop, now: datetime) -> None:
    """At different hours, so that slots don't serialize the rivals; two speakers are in stock."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [
        order(shop.at(TUESDAY, time(9 + number)), parts=((SPEAKER, 1), (AMPLIFIER, 1))[:: 1 if number % 2 else -1])
        for number in range(RIVALS)
    ]
    ends = await race(databases, orders, pause="UPDATE part", shop=shop, now=now)
    assert (ends.count(Booking), ends.count(InsufficientStock)) == (2, RIVALS - 2)
    await check_books(databases[0])


async def test_one_technician(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Jobs of 90 minutes from nine and from ten overlap at ten: one of them gets Andi."""
    await furnish(databases[0], now, customers=RIVALS)
    roomy = shop.model_copy(update={"max_bookings_per_slot": 3})
    orders = [
        order(shop.at(TUESDAY, time(9 + number % 2)), services=(WIRE,), technician_id=ANDI) for number in range(3)
    ]
    ends = await race(databases, orders, pause=HELD_JOBS, shop=roomy, now=now)
    assert (ends.count(Booking), ends.count(TechnicianBusy)) == (1, 2)
    await check_books(databases[0])


async def test_places_whose_hold_has_ended(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Unpaid holds on the whole day and on both speakers have expired, and no job has released them."""
    await furnish(databases[0], now, customers=RIVALS + 1)
    lost = RIVALS + 1
    async with databases[0].write() as session:
        for number, parts in enumerate([((SPEAKER, 2),), (), ()]):
            asked = order(shop.at(TUESDAY, time(9)), parts=parts, services=(FULL_DAY,))
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=lost)
    orders = [order(shop.at(TUESDAY, time(10 + number % 2)), services=(WIRE,)) for number in range(RIVALS - 1)]
    orders.append(order(shop.at(TUESDAY, time(16)), parts=((SPEAKER, 2),)))
    ends = await race(databases, orders, pause="SELECT booking.id", shop=shop, now=now + shop.hold)
    assert (ends.count(Booking), ends.count(SlotFull)) == (4, RIVALS - 4)
    await check_books(databases[0])


async def test_releasing_holds_beside_other_changes(databases: list[Database], shop: Shop, now: datetime) -> None:
    await furnish(databases[0], now, customers=RIVALS)
    first, later = shop.at(TUESDAY, time(9)), now + shop.hold
    async with databases[0].write() as session:
        for number in range(RIVALS):
            asked = order(first + number * timedelta(hours=1), services=(CHECK,), technician_id=ANDI)
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number + 1)
    crowd = Pause(RIVALS + 1)
    for database in databases:
        crowd.before(database.engine, "SELECT booking")

    async def sweep(session: AsyncSession) -> None:
        await bookings.release_ended_holds(Context(session, shop, later))

    async def again(session: AsyncSession, booking: Booking) -> None:
        await bookings.hold_again(Context(session, shop, later), booking)

    async def cancel(session: AsyncSession, booking: Booking) -> None:
        await bookings.cancel(Context(session, shop, later), booking, reason="batal", actor="customer")

    async def move(session: AsyncSession, booking: Booking) -> None:
        start = shop.at(TUESDAY + timedelta(days=1), time(9)) + timedelta(hours=booking.id % 3)
        await bookings.reschedule(Context(session, shop, later), booking, start, technician_id=ANDI, actor="customer")

    async def on(number: int, change: Callable[[AsyncSession, Booking], Awaitable[None]]) -> None:
        async with databases[number % len(databases)].write() as session:
            try:
                async with session.begin_nested():
                    await change(session, await bookings.load(session, code=f"BK-{number}"))
            except TechnicianBusy:
                pass

    async def sweeping() -> None:
        async with databases[0].write() as session:
            await sweep(session)

    changes = [again, cancel, move] * RIVALS
    await asyncio.gather(sweeping(), *(on(number, changes[number]) for number in range(RIVALS)))
    await check_books(databases[0])


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_control_a_check_before_the_insert_overbooks(
    request: pytest.FixtureRequest, shop: Shop, now: datetime, engine: str
) -> None:
    """The negative control: the same pause, SQLAlchemy's defaults, and a check before the write."""
    url = request.getfixturevalue(f"{engine}_url")
    start = shop.at(TUESDAY, time(10))
    database = Database(url)
    await furnish(database, now, customers=RIVALS)
    async with database.write() as session:
        for number in range(1, RIVALS + 1):
            asked = order(shop.at(TUESDAY + timedelta(days=1), time(8 + number)), services=(CHECK,))
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)
    naive, crowd = create_async_engine(url, pool_size=RIVALS), Pause(RIVALS, patience=HANG)
    end = start + timedelta(minutes=30)

    async def one(booking_id: int) -> bool:
        async with AsyncSession(naive) as session, session.begin():
            if peak(await held_jobs(session, start, end), start, end) >= 3:
                return False
            await crowd()
            moved = update(Booking).where(Booking.id == booking_id).values(starts_at=start, ends_at=end)
            await session.execute(moved)
            return True

    promised = await asyncio.gather(*(one(number) for number in range(1, RIVALS + 1)))
    async with database.read() as session:
        there = peak(await held_jobs(session, start, end), start, end)
    await naive.dispose()
    await database.close()
    assert promised.count(True) == there == RIVALS
