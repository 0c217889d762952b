"""Closing a day, and correcting the stock."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from paying import book, tuesday_at_ten
from workshop import INSTALL, SPEAKER, check_books, furnish

from core.booking import affected_by_closing, close_day, reopen_day
from core.catalogue import snapshot
from core.context import Context
from core.db.database import Database
from core.refusals import BadAmount, Closed, InsufficientStock, NotFound, Refusal, StockPromised
from core.schedule import availability, bookings
from core.shop import Shop

TUESDAY = date(2026, 11, 24)


async def test_a_closed_day_takes_no_bookings(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        assert await close_day(Context(session, shop, now), TUESDAY, "Pindahan") == []
    with pytest.raises(Closed):
        await book(database, shop, now)
    async with database.read() as session:
        reason = await availability.why_closed(Context(session, shop, now), TUESDAY)
    assert reason is not None
    assert reason.params == {"reason": "Pindahan"}


async def test_closing_lists_the_bookings_that_must_be_moved(database: Database, shop: Shop, now: datetime) -> None:
    tuesday = tuesday_at_ten(shop, now)
    await book(database, shop, now, starts_at=tuesday + timedelta(hours=1))
    await book(database, shop, now, code="BK-000002")
    await book(database, shop, now, code="BK-000003", starts_at=tuesday + timedelta(days=1))
    async with database.write() as session:
        cancelled = await bookings.load(session, code="BK-000002")
        await bookings.cancel(Context(session, shop, now), cancelled, reason="", actor="customer")
    async with database.write() as session:
        waiting = await close_day(Context(session, shop, now), TUESDAY, "Pindahan")
        assert [booking.code for booking in waiting] == ["BK-000001"]
        booking = waiting[0]
        await bookings.reschedule(
            Context(session, shop, now), booking, tuesday + timedelta(days=1), technician_id=None, actor="Ibu Rina"
        )
        assert await affected_by_closing(Context(session, shop, now), TUESDAY) == []


async def test_a_closed_day_can_change_reason_and_reopen(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        await close_day(Context(session, shop, now), TUESDAY, "Pindahan")
        await close_day(Context(session, shop, now), TUESDAY, "Libur bersama")
        assert (await availability.why_closed(Context(session, shop, now), TUESDAY)).params == {
            "reason": "Libur bersama"
        }  # type: ignore[union-attr]
        assert await reopen_day(Context(session, shop, now), TUESDAY)
        assert not await reopen_day(Context(session, shop, now), TUESDAY)
    await book(database, shop, now)


async def test_stock_cannot_go_below_what_is_reserved(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, parts=((SPEAKER, 1),), services=(INSTALL,))
    async with database.write() as session:
        assert (await snapshot.set_stock(session, SPEAKER, 7)).stock == 6
        assert (await snapshot.set_stock(session, SPEAKER, 1)).stock == 0
        with pytest.raises(StockPromised) as refused:
            await snapshot.set_stock(session, SPEAKER, 0)
    assert refused.value.params == {"name": "Speaker 6,5 inci", "reserved": 1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("part", "on_hand", "why"),
    [(SPEAKER, -1, BadAmount), (SPEAKER, 100_001, BadAmount), ("tidak-ada", 1, NotFound)],
)
async def test_impossible_stock_is_refused(
    database: Database, now: datetime, part: str, on_hand: int, why: type[Refusal]
) -> None:
    await furnish(database, now)
    with pytest.raises(why):
        async with database.write() as session:
            await snapshot.set_stock(session, part, on_hand)


async def test_the_last_piece_is_reserved_or_written_off(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, code="BK-000009")  # the shop and the customer's chat are there

    async def sell() -> None:
        await book(database, shop, now, parts=((SPEAKER, 2),), services=(INSTALL,))

    async def write_off() -> None:
        async with database.write() as session:
            await snapshot.set_stock(session, SPEAKER, 1)

    ends = await asyncio.gather(sell(), write_off(), return_exceptions=True)
    refused = [end for end in ends if end is not None and not isinstance(end, str)]
    assert len(refused) == 1
    assert isinstance(refused[0], InsufficientStock | StockPromised)
    await check_books(database)
