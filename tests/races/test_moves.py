"""Bookings are rescheduled while others are made, rescheduled or paid: a refused move keeps the old place."""

import asyncio
from collections.abc import Awaitable
from datetime import date, datetime, time

from pausing import HELD_JOBS, Pause
from paying import CODE, ORDER, answer, booking_of, give_link
from paying import book as book_with_link
from sqlalchemy import select
from workshop import ANDI, INSTALL, book, check_books, furnish, order

from core import payment
from core.booking import reschedule
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Outbox
from core.refusals import Refusal, SlotFull, TechnicianBusy
from core.schedule import bookings
from core.shop import Shop

MOVERS = 4
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


async def move(
    database: Database, code: str, to: datetime, *, shop: Shop, now: datetime, technician: str | None = None
) -> type:
    """Reschedule as the customer; returns Booking or the class of the refusal."""
    try:
        async with database.write() as session:
            booking = await bookings.load(session, code=code)
            await reschedule(
                Context(session, shop, now), booking, to, technician_id=technician, actor=bookings.CUSTOMER
            )
    except Refusal as refusal:
        return type(refusal)
    return Booking


async def at_once(databases: list[Database], *deeds: Awaitable[type], pause: str) -> list[type]:
    crowd = Pause(len(deeds))
    for database in databases:
        crowd.before(database.engine, pause)
    return list(await asyncio.gather(*deeds))


async def starts(database: Database) -> dict[str, datetime]:
    async with database.read() as session:
        return dict((await session.execute(select(Booking.code, Booking.starts_at))).all())


async def held(databases: list[Database], shop: Shop, now: datetime, *, technician: str | None = None) -> None:
    """Make one booking per hour on Tuesday, each for another customer: BK-1 at nine, BK-2 at ten …"""
    await furnish(databases[0], now, customers=MOVERS + 1)
    async with databases[0].write() as session:
        for number in range(1, MOVERS + 1):
            asked = order(shop.at(TUESDAY, time(8 + number)), technician_id=technician)
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)


async def test_more_moves_into_a_slot_than_it_has_places(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Four movers and a new booking want three places: three succeed, and the refused movers keep their old place."""
    await held(databases, shop, now)
    before, to = await starts(databases[0]), shop.at(WEDNESDAY, time(13))

    async def newcomer() -> type:
        try:
            async with databases[0].write() as session:
                await book(session, order(to), shop=shop, now=now, code="BK-NEW", customer=MOVERS + 1)
        except Refusal as refusal:
            return type(refusal)
        return Booking

    movers = [
        move(databases[number % len(databases)], f"BK-{number}", to, shop=shop, now=now)
        for number in range(1, MOVERS + 1)
    ]
    ends = await at_once(databases, *movers, newcomer(), pause=HELD_JOBS)
    assert (ends.count(Booking), ends.count(SlotFull)) == (3, 2)
    after = await starts(databases[0])
    for number, end in enumerate(ends[:MOVERS], 1):
        assert after[f"BK-{number}"] == (to if end is Booking else before[f"BK-{number}"])
    async with databases[0].read() as session:
        assert all(await session.scalars(select(Booking.holding)))
    await check_books(databases[0])


async def test_all_moves_want_one_technician(databases: list[Database], shop: Shop, now: datetime) -> None:
    await held(databases, shop, now, technician=ANDI)
    to = shop.at(WEDNESDAY, time(13))
    movers = [
        move(databases[number % len(databases)], f"BK-{number}", to, shop=shop, now=now, technician=ANDI)
        for number in range(1, MOVERS + 1)
    ]
    ends = await at_once(databases, *movers, pause=HELD_JOBS)
    assert (ends.count(Booking), ends.count(TechnicianBusy)) == (1, MOVERS - 1)
    await check_books(databases[0])


async def test_two_moves_want_each_others_place(databases: list[Database], shop: Shop, now: datetime) -> None:
    """With one place per slot both are refused, without a deadlock."""
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    await held(databases, narrow, now)
    before = await starts(databases[0])
    ends = await at_once(
        databases,
        move(databases[0], "BK-1", before["BK-2"], shop=narrow, now=now),
        move(databases[-1], "BK-2", before["BK-1"], shop=narrow, now=now),
        pause=HELD_JOBS,
    )
    assert ends == [SlotFull, SlotFull]
    assert await starts(databases[0]) == before
    await check_books(databases[0])


async def test_a_payment_during_a_move(databases: list[Database], shop: Shop, now: datetime) -> None:
    """In either order the booking is confirmed at the new time, paid once, and has reminders for the new time only."""
    await book_with_link(databases[0], shop, now, services=(INSTALL,))
    await give_link(databases[0], ORDER, shop, now)
    to = shop.at(WEDNESDAY, time(13))

    async def pays() -> type:
        async with databases[-1].write() as session:
            await payment.settle(Context(session, shop, now), ORDER, answer())
        return Booking

    deeds = (move(databases[0], CODE, to, shop=shop, now=now), pays())
    assert await at_once(databases, *deeds, pause="SELECT booking") == [Booking, Booking]
    booking = await booking_of(databases[0])
    assert (booking.status, booking.starts_at, booking.paid_amount) == ("confirmed", to, booking.total_price)
    async with databases[0].read() as session:
        waiting = select(Outbox.until).where(Outbox.kind == "reminder", Outbox.state == "due").order_by(Outbox.until)
        assert (await session.scalars(waiting)).all()[-1] == to
        assert len((await session.scalars(waiting)).all()) == 2
    await check_books(databases[0])
