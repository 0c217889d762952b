"""A place frees up while five customers wait and five others book: the first on the waitlist gets the offer."""

import asyncio
from datetime import date, datetime, time

from pausing import HELD_JOBS, Pause
from sqlalchemy import select
from workshop import SPEAKER, check_books, furnish, order

from bot.background.waitlist_worker import WaitlistWorker
from bot.transactions import Transactions
from core.booking import join_waitlist
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Part, Waiting
from core.refusals import InsufficientStock, Refusal, SlotFull
from core.schedule import bookings
from core.schedule.orders import BookingRequest, Order
from core.shop import Shop
from core.states import WaitState

TUESDAY = date(2026, 11, 24)
WAITERS, STRANGERS = range(1, 6), range(6, 11)
HOLDER = 11
RESPECTING, IGNORING = None, 0
"""The `waitlist_entry` argument of `book`: None respects the waitlist, 0 ignores it."""


async def prepare(database: Database, asked: Order, *, shop: Shop, now: datetime) -> None:
    """Take the only place, and put five customers on the waitlist."""
    await furnish(database, now, customers=HOLDER)
    async with database.write() as session:
        await book(session, asked, customer=HOLDER, shop=shop, now=now)
        for number in WAITERS:
            await join_waitlist(
                Context(session, shop, now),
                BookingRequest(order=asked, customer_id=number, contact_id=None, language="id", code=f"BK-W{number}"),
            )


async def book(session, asked: Order, *, customer: int, shop: Shop, now: datetime, waitlist_entry: int | None = None):  # type: ignore[no-untyped-def]
    return await bookings.book(
        Context(session, shop, now),
        BookingRequest(order=asked, customer_id=customer, contact_id=None, language="id", code=f"BK-{customer}"),
        waitlist_entry=waitlist_entry,
    )


async def rush(
    databases: list[Database], asked: Order, *, waitlist_entry: int | None, shop: Shop, now: datetime
) -> list[type[Refusal] | type[Booking]]:
    """Others book while two processes run the waitlist worker; returns what each of them got."""
    crowd = Pause(len(STRANGERS))
    for database in databases:
        crowd.before(database.engine, HELD_JOBS)

    async def stranger(number: int) -> type[Refusal] | type[Booking]:
        try:
            async with databases[number % len(databases)].write() as session:
                await book(session, asked, customer=number, shop=shop, now=now, waitlist_entry=waitlist_entry)
        except Refusal as refusal:
            return type(refusal)
        return Booking

    workers = [
        WaitlistWorker(Transactions(database, shop, lambda: now), wake_dispatch=lambda: None)
        for database in databases * 2
    ]
    ends, *_ = await asyncio.gather(
        asyncio.gather(*(stranger(number) for number in STRANGERS)), *(worker.run_once() for worker in workers[:2])
    )
    await workers[0].run_once()
    await check_books(databases[0])
    return list(ends)


async def offered(database: Database) -> list[str]:
    async with database.read() as session:
        return list(
            await session.scalars(
                select(Waiting.booking_code).where(Waiting.state == WaitState.OFFERED).order_by(Waiting.id)
            )
        )


async def test_a_freed_seat_goes_to_the_waitlist(databases: list[Database], shop: Shop, now: datetime) -> None:
    narrow, asked = shop.model_copy(update={"max_bookings_per_slot": 1}), order(shop.at(TUESDAY, time(10)))
    await prepare(databases[0], asked, shop=narrow, now=now)
    async with databases[0].write() as session:
        held = await bookings.load(session, code=f"BK-{HOLDER}")
        await bookings.cancel(Context(session, shop, now), held, reason="batal", actor=bookings.CUSTOMER)
    ends = await rush(databases, asked, waitlist_entry=RESPECTING, shop=narrow, now=now)
    assert set(ends) == {SlotFull}
    assert await offered(databases[0]) == ["BK-W1"]


async def test_an_expired_hold_goes_to_the_waitlist(databases: list[Database], shop: Shop, now: datetime) -> None:
    narrow, asked = shop.model_copy(update={"max_bookings_per_slot": 1}), order(shop.at(TUESDAY, time(10)))
    await prepare(databases[0], asked, shop=narrow, now=now)
    ends = await rush(databases, asked, waitlist_entry=RESPECTING, shop=narrow, now=now + shop.hold)
    assert set(ends) == {SlotFull}
    assert await offered(databases[0]) == ["BK-W1"]


async def test_restocked_parts_go_to_the_waitlist(databases: list[Database], shop: Shop, now: datetime) -> None:
    """Both speakers were taken, and one more arrives. There are enough seats."""
    roomy = shop.model_copy(update={"max_bookings_per_slot": 30})
    asked = order(shop.at(TUESDAY, time(10)), parts=((SPEAKER, 1),))
    await furnish_more(databases[0], asked, shop=roomy, now=now)
    ends = await rush(databases, asked, waitlist_entry=RESPECTING, shop=roomy, now=now)
    assert set(ends) <= {InsufficientStock, SlotFull}
    assert await offered(databases[0]) == ["BK-W1"]


async def furnish_more(database: Database, asked: Order, *, shop: Shop, now: datetime) -> None:
    await prepare(database, asked, shop=shop, now=now)
    async with database.write() as session:
        part = await session.get_one(Part, SPEAKER)
        part.on_hand = part.reserved + 1


async def test_control_ignoring_the_waitlist_gets_the_seat(
    databases: list[Database], shop: Shop, now: datetime
) -> None:
    narrow, asked = shop.model_copy(update={"max_bookings_per_slot": 1}), order(shop.at(TUESDAY, time(10)))
    await prepare(databases[0], asked, shop=narrow, now=now)
    async with databases[0].write() as session:
        held = await bookings.load(session, code=f"BK-{HOLDER}")
        await bookings.cancel(Context(session, shop, now), held, reason="batal", actor=bookings.CUSTOMER)
        await book(session, asked, customer=STRANGERS[0], shop=narrow, now=now, waitlist_entry=IGNORING)
    assert await offered(databases[0]) == []
