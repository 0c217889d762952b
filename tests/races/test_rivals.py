"""Many customers want the same last thing at once: exactly as many get it as there are, on both engines.

A pause widens each race (`pausing`). The negative control, a naive check
before an insert, goes through the same pause and must overbook, or the other tests would prove nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

import pytest
from pausing import Pause
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from waiting import HANG
from workshop import AMPLIFIER, ANDI, CHECK, FULL_DAY, INSTALL, SPEAKER, TUNE, WIRE, book, check_books, furnish, order

from core import bookings
from core.bookings import Order
from core.database import Database
from core.refusals import InsufficientStock, Refusal, SlotFull, TechnicianBusy
from core.shop import Shop
from core.tables import Booking, Seat, Slot

RIVALS = 8
TUESDAY = date(2026, 11, 24)


async def race(databases: list[Database], orders: list[Order], *, pause: str, shop: Shop, now: datetime) -> list[type]:
    """Book all these at once, each customer one; what became of each."""
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
    ends = await race(databases, orders, pause="INSERT INTO slot", shop=shop, now=now)
    assert (ends.count(Booking), ends.count(SlotFull)) == (3, RIVALS - 3)
    await check_books(databases[0])


async def test_jobs_over_several_slots(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Whole days against whole days: three fit, whatever the order in which their slots are taken."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [order(shop.at(TUESDAY, time(9)), services=(FULL_DAY,))] * RIVALS
    ends = await race(databases, orders, pause="INSERT INTO slot", shop=shop, now=now)
    assert (ends.count(Booking), ends.count(SlotFull)) == (3, RIVALS - 3)
    await check_books(databases[0])


async def test_jobs_that_overlap_in_chains(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Each overlaps the next, and the last ones the first: a circle of waits would be a deadlock."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [order(shop.at(TUESDAY, time(9 + start % 6)), services=(TUNE, INSTALL)) for start in range(RIVALS)]
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    ends = await race(databases, orders, pause="INSERT INTO slot", shop=narrow, now=now)
    assert set(ends) == {Booking, SlotFull}
    assert 2 <= ends.count(Booking) <= 3  # jobs of three hours in a day of eight
    await check_books(databases[0])


async def test_the_last_parts(databases: list[Database], shop: Shop, now: datetime) -> None:
    """At different hours, so that no slot keeps the rivals apart; two speakers lie in the shop."""
    await furnish(databases[0], now, customers=RIVALS)
    orders = [
        order(shop.at(TUESDAY, time(9 + number)), parts=((SPEAKER, 1), (AMPLIFIER, 1))[:: 1 if number % 2 else -1])
        for number in range(RIVALS)
    ]
    ends = await race(databases, orders, pause="UPDATE part", shop=shop, now=now)
    assert (ends.count(Booking), ends.count(InsufficientStock)) == (2, RIVALS - 2)
    await check_books(databases[0])


async def test_one_technician(databases: list[Database], shop: Shop, now: datetime) -> None:
    """A job of an hour and a half from nine on, others from ten on: one of them has Andi at ten."""
    await furnish(databases[0], now, customers=RIVALS)
    roomy = shop.model_copy(update={"max_bookings_per_slot": 3})
    orders = [
        order(shop.at(TUESDAY, time(9 + number % 2)), services=(WIRE,), technician_id=ANDI) for number in range(3)
    ]
    ends = await race(databases, orders, pause="INSERT INTO slot", shop=roomy, now=now)
    assert (ends.count(Booking), ends.count(TechnicianBusy)) == (1, 2)
    await check_books(databases[0])


async def test_places_whose_hold_has_ended(databases: list[Database], shop: Shop, now: datetime) -> None:
    """The whole day and both speakers are held by those who never paid; nobody swept."""
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


async def test_a_sweep_beside_retries_cancels_and_moves(databases: list[Database], shop: Shop, now: datetime) -> None:
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
        await bookings.release_ended_holds(session, now=later)

    async def again(session: AsyncSession, booking: Booking) -> None:
        await bookings.hold_again(session, booking, shop=shop, now=later)

    async def cancel(session: AsyncSession, booking: Booking) -> None:
        await bookings.cancel(session, booking, reason="batal", actor="customer", now=later)

    async def move(session: AsyncSession, booking: Booking) -> None:
        start = shop.at(TUESDAY + timedelta(days=1), time(9)) + timedelta(hours=booking.id % 3)
        await bookings.reschedule(session, booking, start, technician_id=ANDI, shop=shop, now=later, actor="customer")

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
async def test_a_naive_check_before_the_insert_overbooks(
    request: pytest.FixtureRequest, shop: Shop, now: datetime, engine: str
) -> None:
    """The negative control: the same pause, SQLAlchemy's defaults, a count that is checked and then acted on."""
    url = request.getfixturevalue(f"{engine}_url")
    start = shop.at(TUESDAY, time(10))
    database = Database(url)
    await furnish(database, now, customers=RIVALS)
    async with database.write() as session:
        for number in range(1, RIVALS + 1):
            asked = order(shop.at(TUESDAY + timedelta(days=1), time(8 + number)), services=(CHECK,))
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)
        session.add(Slot(starts_at=start, cap=3, taken=0))
    naive, crowd = create_async_engine(url, pool_size=RIVALS), Pause(RIVALS, patience=HANG)

    async def one(booking_id: int) -> bool:
        async with AsyncSession(naive) as session, session.begin():
            taken = await session.scalar(select(Slot.taken).where(Slot.starts_at == start)) or 0
            if taken >= 3:
                return False
            await crowd()
            await session.execute(update(Slot).where(Slot.starts_at == start).values(taken=taken + 1))
            await session.execute(insert(Seat), [{"booking_id": booking_id, "starts_at": start}])
            return True

    promised = await asyncio.gather(*(one(number) for number in range(1, RIVALS + 1)))
    async with database.read() as session:
        seats = await session.scalar(select(func.count()).where(Seat.starts_at == start))
    await naive.dispose()
    await database.close()
    assert promised.count(True) == seats == RIVALS
