"""Between 21:00 and 08:00 nobody is written to who isn't waiting for it, and an offer's minutes don't count."""

from datetime import date, datetime, time, timedelta

import pytest
from paying import ADMIN, CODE, ORDER, answer, book, give_link, letters
from sqlalchemy import select, update
from workshop import BUDI, SPEAKER, furnish, order

from bot.background.waitlist_worker import WaitlistWorker
from bot.transactions import Transactions
from core import payment
from core.booking import cancel, close_day, join_waitlist, remind_of_impossible
from core.catalogue import stock_alerts
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Outbox, Part, Waiting
from core.schedule import availability, bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import WaitState
from core.work import assign

TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [("07:59", "08:00"), ("08:00", "08:00"), ("20:59", "20:59"), ("21:00", "+08:00"), ("23:30", "+08:00")],
)
def test_contact_waits_for_its_hours(shop: Shop, moment: str, allowed: str) -> None:
    day = TUESDAY + timedelta(days=allowed.startswith("+"))
    expected = shop.at(day, time.fromisoformat(allowed.removeprefix("+")))
    assert shop.contact_time(shop.at(TUESDAY, time.fromisoformat(moment))) == expected


@pytest.mark.parametrize(
    ("moment", "minutes", "expected"),
    [("10:00", 30, "10:30"), ("20:30", 30, "21:00"), ("20:50", 30, "+08:20"), ("02:00", 30, "08:30")],
)
def test_minutes_count_within_the_hours_only(shop: Shop, moment: str, minutes: int, expected: str) -> None:
    day = TUESDAY + timedelta(days=expected.startswith("+"))
    end = shop.after_contact_time(shop.at(TUESDAY, time.fromisoformat(moment)), timedelta(minutes=minutes))
    assert end == shop.at(day, time.fromisoformat(expected.removeprefix("+")))


def test_the_hours_are_a_setting(shop: Shop) -> None:
    always, night = shop.model_copy(update={"contact_hours": None}), shop.at(TUESDAY, time(2))
    assert always.contact_time(night) == night
    assert always.after_contact_time(night, timedelta(days=2)) == night + timedelta(days=2)
    with pytest.raises(ValueError, match="end before they begin"):
        Shop.model_validate(shop.model_dump() | {"contact_hours": "21:00-08:00"})


async def run_worker(database: Database, shop: Shop, now: datetime) -> None:
    worker = WaitlistWorker(Transactions(database, shop, lambda: now), wake_dispatch=lambda: None)
    while await worker.run_once():
        pass


async def test_an_offer_is_made_and_counted_by_day(database: Database, shop: Shop, now: datetime) -> None:
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    start = narrow.at(TUESDAY, time(12))
    evening, night = (narrow.at(TUESDAY - timedelta(days=1), time(hour, 50)) for hour in (20, 21))
    await book(database, narrow, now, starts_at=start)
    async with database.write() as session:
        request = BookingRequest(order=order(start), customer_id=2, contact_id=1, language="id", code="BK-W1")
        await join_waitlist(Context(session, narrow, now), request)
        await cancel(Context(session, narrow, night), await bookings.load(session, code=CODE), reason="", actor="Rina")

    async def state() -> tuple[WaitState, datetime | None]:
        async with database.read() as session:
            entry = (await session.scalars(select(Waiting))).one()
            return entry.state, entry.offered_until

    await run_worker(database, narrow, night)
    assert (await state())[0] is WaitState.WAITING
    async with database.read() as session:  # kept for the waitlist entry
        load = await availability.slots_of_day(Context(session, narrow, night), TUESDAY)
        assert not load[3].free
    await run_worker(database, narrow, evening)
    assert await state() == (WaitState.OFFERED, narrow.at(TUESDAY, time(8, 20)))
    assert "08:20" in (await letters(database))["offer:BK-W1"]
    await run_worker(database, narrow, narrow.at(TUESDAY, time(8, 19)))
    assert (await state())[0] is WaitState.OFFERED
    await run_worker(database, narrow, narrow.at(TUESDAY, time(8, 20)))
    assert (await state())[0] is WaitState.ENDED


async def test_a_slot_that_is_too_soon_in_the_morning_is_free(database: Database, shop: Shop, now: datetime) -> None:
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1, "book_notice_minutes": 90})
    start, night = narrow.at(TUESDAY, time(9)), narrow.at(TUESDAY, time(1))
    await book(database, narrow, now, starts_at=start)
    async with database.write() as session:
        request = BookingRequest(order=order(start), customer_id=2, contact_id=1, language="id", code="BK-W1")
        await join_waitlist(Context(session, narrow, now), request)
        await cancel(Context(session, narrow, night), await bookings.load(session, code=CODE), reason="", actor="Rina")
        load = await availability.slots_of_day(Context(session, narrow, night), TUESDAY)
        assert load[0].free


async def due(database: Database, shop: Shop, key: str) -> list[str]:
    async with database.read() as session:
        rows = await session.scalars(select(Outbox).where(Outbox.key.startswith(key)).order_by(Outbox.due_at))
        return [f"{shop.local(row.due_at):%a %H:%M}" for row in rows]


async def test_what_nobody_waits_for_comes_in_the_morning(database: Database, shop: Shop, now: datetime) -> None:
    early = shop.model_copy(update={"opening_hours": {"wednesday": "07:00-22:00"}})
    night = early.at(date(2026, 11, 23), time(22))
    await book(database, early, night, starts_at=early.at(date(2026, 11, 25), time(9)))
    await give_link(database, ORDER, early, night)
    assert await due(database, early, "link") + await due(database, early, "pay") == ["Mon 22:00"]
    async with database.write() as session:
        await payment.settle(Context(session, early, night), ORDER, answer())
    assert await due(database, early, f"paid:{ORDER}") == ["Mon 22:00"] * 2  # chat and mail
    assert await due(database, early, "reminder:") == ["Tue 09:00", "Wed 08:00"]
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await cancel(Context(session, early, night), booking, reason="tutup", actor="Ibu Rina")
    assert await due(database, early, "cancelled:") == ["Tue 08:00"] * 2
    assert await due(database, early, "staff:cancelled:") == ["Mon 22:00"]


async def test_an_assignment_at_night_is_told_in_the_morning(database: Database, shop: Shop, now: datetime) -> None:
    night = shop.at(date(2026, 11, 23), time(22))
    await book(database, shop, now)
    async with database.write() as session:
        await assign(Context(session, shop, night), await bookings.load(session, code=CODE), BUDI, actor="Rina")
    assert await due(database, shop, "assigned:") == ["Tue 08:00"]


async def test_a_reminder_never_comes_too_late(database: Database, shop: Shop, now: datetime) -> None:
    early = shop.model_copy(update={"opening_hours": {"wednesday": "07:00-22:00"}})
    await book(database, early, now, starts_at=early.at(date(2026, 11, 25), time(7)))
    async with database.write() as session:
        await payment.settle(Context(session, early, now), ORDER, answer())
    assert await due(database, early, "reminder:") == ["Tue 08:00"]


async def test_no_stock_alert_at_night(database: Database, shop: Shop, now: datetime) -> None:
    await furnish(database, now)
    async with database.write() as session:
        contact = Contact(channel="telegram", address="1", customer_id=1, created_at=now)
        session.add(contact)
        await session.flush()
        await stock_alerts.ask(Context(session, shop, now), contact, SPEAKER)
        await session.execute(update(Part).values(on_hand=9))
        assert await stock_alerts.due(Context(session, shop, shop.at(TUESDAY, time(3)))) == []
        assert len(await stock_alerts.due(Context(session, shop, shop.at(TUESDAY, time(8))))) == 1


async def test_the_owner_sleeps_too(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        await session.execute(update(Booking).values(hold_until=None))
        await close_day(Context(session, shop, now), TUESDAY, "Pindahan")
        await remind_of_impossible(Context(session, shop, shop.at(TUESDAY, time(1))))
    assert await due(database, shop, "staff:impossible-still") == []
    async with database.write() as session:
        await remind_of_impossible(Context(session, shop, shop.at(TUESDAY, time(8))))
    assert len(await letters(database, address=ADMIN[1], kind="staff")) == 2
