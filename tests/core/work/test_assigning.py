"""Assigning a technician to a booking whose day has changed since it was made, and why it is refused."""

from datetime import date, datetime, time
from typing import Any

import pytest
from paying import CODE, ORDER, answer, book, booking_of, tuesday_at_ten
from shops import make_shop
from workshop import ANDI, BUDI, TUNE

from core import payment, work
from core.booking import LeavePeriod, close_day, enter_leave, keep
from core.context import Context
from core.db.database import Database
from core.refusals import Closed, OutsideHours, Refusal, TechnicianAway, TechnicianBusy, TechnicianUnskilled
from core.schedule import availability, bookings
from core.shop import Shop

TUESDAY = date(2026, 11, 24)


async def paid(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    await book(database, shop, now, **asked)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(amount=500_000 if asked else 150_000))


async def assign(database: Database, shop: Shop, now: datetime, technician_id: str, *, kept: bool = False) -> None:
    async with database.write() as session:
        ctx, booking = Context(session, shop, now), await bookings.load(session, code=CODE)
        if kept:
            await keep(ctx, booking, actor="Rina")
        listed = {each.id for each in await work.free_for(ctx, booking)}
        try:
            await work.assign(ctx, booking, technician_id, actor="Rina")
        except Refusal:
            assert technician_id not in listed
            raise
        assert technician_id in listed


@pytest.mark.parametrize("minutes", [45, 90, 240])
async def test_a_booking_off_the_new_slots_can_be_assigned(
    database: Database, shop: Shop, now: datetime, minutes: int
) -> None:
    await paid(database, shop, now)
    await assign(database, make_shop(slot_minutes=minutes), now, BUDI)
    assert (await booking_of(database)).technician_id == BUDI


async def test_what_is_kept_on_a_closed_day_can_be_assigned(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    async with database.write() as session:
        await close_day(Context(session, shop, now), TUESDAY, "Pindahan")
    with pytest.raises(Closed):
        await assign(database, shop, now, BUDI)
    await assign(database, shop, now, BUDI, kept=True)
    assert (await booking_of(database)).technician_id == BUDI


async def test_what_is_kept_past_closing_can_be_assigned(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    late = make_shop(opening_hours={"tuesday": "13:00-17:00"})
    with pytest.raises(OutsideHours):
        await assign(database, late, now, BUDI)
    await assign(database, late, now, BUDI, kept=True)


async def test_a_refused_technician_is_refused_for_the_true_reason(
    database: Database, shop: Shop, now: datetime
) -> None:
    await paid(database, shop, now, services=(TUNE,))
    with pytest.raises(TechnicianUnskilled):
        await assign(database, shop, now, BUDI)
    await book(database, shop, now, code="BK-000002", technician_id=ANDI, starts_at=tuesday_at_ten(shop, now))
    with pytest.raises(TechnicianBusy) as busy:
        await assign(database, shop, now, ANDI)
    assert busy.type is TechnicianBusy
    async with database.write() as session:
        half = LeavePeriod(first=TUESDAY, last=TUESDAY, begins=time(11, 30))
        await enter_leave(Context(session, shop, now), ANDI, half)
    with pytest.raises(TechnicianAway):
        await assign(database, shop, now, ANDI)


async def test_nobody_is_free_in_the_past(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    start = tuesday_at_ten(shop, now)

    async def free(at: datetime, clock: datetime) -> int:
        async with database.read() as session:
            return len(await availability.free_technicians(Context(session, shop, clock), at, 60, skills=frozenset()))

    assert await free(start, now) == 3
    assert await free(start, start) == 0
    assert await free(start.replace(year=2027), now) == 0
