"""Whatever makes a booking impossible names it, closes its link and stops its reminders until it is settled."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from paying import ADMIN, CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of, tuesday_at_ten
from sqlalchemy import select, update
from workshop import ANDI, BUDI, CITRA, INSTALL, TUNE

from core import payment
from core.booking import (
    LeavePeriod,
    cancel,
    change_entry,
    close_day,
    end_leave,
    enter_leave,
    has_news,
    impossible_bookings,
    keep,
    move_to_nearest,
    remind_of_impossible,
    reopen_day,
    reschedule,
    retire_technician,
    review,
)
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, PaymentRequest, Service, Technician
from core.refusals import BadLeave, Closed, NotFound, TechnicianHasJobs
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, RequestState

TUESDAY = date(2026, 11, 24)
on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def pay(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer())


async def why_of(database: Database, shop: Shop, now: datetime) -> dict[str, str]:
    async with database.read() as session:
        found = await impossible_bookings(Context(session, shop, now))
        return {booking.code: why.code for booking, why in found.items()}


async def test_an_agreed_down_payment_outlives_its_setting(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=30)
    async with database.write() as session:
        await close(Context(session, shop, now))
    dearer = shop.model_copy(update={"down_payment_percents": (50,)})
    async with database.write() as session:
        await reopen(Context(session, dearer, now))
        ctx, booking = Context(session, dearer, now), await bookings.load(session, code=CODE)
        await reschedule(ctx, booking, booking.starts_at + timedelta(hours=1), technician_id=None, actor="customer")
    async with database.read() as session:
        opened = await session.scalars(select(PaymentRequest).where(PaymentRequest.state == RequestState.WANTED))
        assert [request.amount for request in opened] == [PRICE * 30 // 100]


async def reminders(database: Database) -> int:
    return len(await letters(database, kind="reminder", state="due"))


async def close(ctx: Context) -> Any:
    return await close_day(ctx, TUESDAY, "Pindahan")


async def reopen(ctx: Context) -> Any:
    return await reopen_day(ctx, TUESDAY)


def on_leave(*who: str, **half: time) -> Callable[[Context], Awaitable[Any]]:
    async def enter(ctx: Context) -> Any:
        return [await enter_leave(ctx, each, LeavePeriod(first=TUESDAY, last=TUESDAY, **half)) for each in who][-1]

    return enter


def back(*who: str) -> Callable[[Context], Awaitable[Any]]:
    async def end(ctx: Context) -> Any:
        return [await end_leave(ctx, each, TUESDAY) for each in who]

    return end


def change(table: type[Any], entry_id: str, **values: Any) -> Callable[[Context], Awaitable[Any]]:
    async def carry_out(ctx: Context) -> Any:
        await change_entry(ctx, table, entry_id, values)

    return carry_out


def unretire(table: type[Any], entry_id: str) -> Callable[[Context], Awaitable[Any]]:
    async def carry_out(ctx: Context) -> Any:
        await ctx.session.execute(update(table).where(table.id == entry_id).values(retired_at=None))
        await review(ctx)

    return carry_out


LONG_AGO = datetime.fromisoformat("2026-11-01T00:00+07:00")
CAUSES: list[tuple[str, dict[str, Any], Any, Any, str]] = [
    ("the day is closed", {}, close, reopen, "closed"),
    ("its technician is on leave", {"technician_id": ANDI}, on_leave(ANDI), back(ANDI), "technician_away"),
    (
        "its technician is away for half the day",
        {"technician_id": ANDI},
        on_leave(ANDI, ends=time(10, 30)),
        back(ANDI),
        "technician_away",
    ),
    ("nobody is there", {}, on_leave(ANDI, BUDI, CITRA), back(ANDI, BUDI, CITRA), "no_technician"),
    ("nobody with the skill is there", {"services": (TUNE,)}, on_leave(ANDI), back(ANDI), "nobody_skilled"),
    (
        "its technician is switched off",
        {"technician_id": ANDI},
        change(Technician, ANDI, is_available=False),
        change(Technician, ANDI, is_available=True),
        "technician_away",
    ),
    (
        "its technician has a new day off",
        {"technician_id": ANDI},
        change(Technician, ANDI, days_off=[1]),
        change(Technician, ANDI, days_off=[]),
        "technician_away",
    ),
    (
        "its technician has left",
        {"technician_id": ANDI},
        change(Technician, ANDI, retired_at=LONG_AGO),
        unretire(Technician, ANDI),
        "technician_away",
    ),
    (
        "its service is gone",
        {},
        change(Service, INSTALL, retired_at=LONG_AGO),
        unretire(Service, INSTALL),
        "not_for_sale",
    ),
]


@pytest.mark.parametrize(("why", "asked", "spoil", "mend", "code"), CAUSES, ids=[row[0] for row in CAUSES])
async def test_a_booking_that_becomes_impossible_is_named(
    database: Database, shop: Shop, now: datetime, why: str, asked: dict[str, Any], spoil: Any, mend: Any, code: str
) -> None:
    await book(database, shop, now, **asked)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await spoil(Context(session, shop, now))
    assert await why_of(database, shop, now) == {CODE: code}
    told = [text for text in (await letters(database, address=ADMIN[1])).values() if "tidak bisa dikerjakan" in text]
    assert len(told) == 1
    assert CODE in told[0]
    assert (await request_of(database)).state is RequestState.CANCELLED
    async with database.write() as session:
        assert not await has_news(Context(session, shop, now))
        await mend(Context(session, shop, now))
    assert await why_of(database, shop, now) == {}
    assert (await request_of(database, ORDER[:-1] + "2")).state is RequestState.WANTED


@pytest.mark.parametrize(("why", "asked", "spoil", "mend", "code"), CAUSES[:2], ids=[row[0] for row in CAUSES[:2]])
async def test_reminders_stop_and_come_back(
    database: Database, shop: Shop, now: datetime, why: str, asked: dict[str, Any], spoil: Any, mend: Any, code: str
) -> None:
    await book(database, shop, now, **asked)
    await pay(database, shop, now)
    assert await reminders(database) == 2
    async with database.write() as session:
        await spoil(Context(session, shop, now))
    assert await reminders(database) == 0
    async with database.write() as session:
        await mend(Context(session, shop, now))
    assert await reminders(database) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param(
            {"opening_hours": {"tuesday": "13:00-17:00", "monday": "09:00-17:00"}}, "outside_hours", id="hours"
        ),
        pytest.param({"opening_hours": {"monday": "09:00-17:00"}}, "closed", id="a weekday off"),
        pytest.param({"max_bookings_per_slot": 1}, "slot_full", id="fewer places"),
    ],
)
async def test_a_restart_with_other_settings_names_the_bookings(
    database: Database, shop: Shop, now: datetime, changes: dict[str, Any], code: str
) -> None:
    await book(database, shop, now)
    await book(database, shop, now, code="BK-000002")
    narrow = Shop.model_validate(shop.model_dump() | changes)
    async with database.write() as session:
        found = await review(Context(session, narrow, now))
    expected = ["BK-000002"] if code == "slot_full" else [CODE, "BK-000002"]
    assert [booking.code for booking in found] == expected
    assert await why_of(database, narrow, now) == dict.fromkeys(expected, code)


@on_one_engine
async def test_other_slots_make_nothing_impossible(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.read() as session:
        assert not await has_news(Context(session, shop.model_copy(update={"slot_minutes": 45}), now))


async def test_money_for_a_closed_day_is_late_money(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await close(Context(session, shop, now))
        with pytest.raises(Closed):
            booking = await bookings.load(session, code=CODE)
            await payment.request(Context(session, shop, now), booking, percent=None)
    await pay(database, shop, now)
    booking = await booking_of(database)
    assert (booking.status, booking.holding, booking.paid_amount) == (BookingStatus.PENDING, False, PRICE)
    told = (await letters(database))[f"seat-gone:{ORDER}"]
    assert "Pindahan" in told
    assert "terisi" not in told


async def test_money_before_the_review_is_late_money_too(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    shorter = shop.model_copy(update={"opening_hours": {"tuesday": "13:00-17:00"}})
    await pay(database, shorter, now)
    assert (await booking_of(database)).status is BookingStatus.PENDING


async def test_the_owner_is_reminded_once_a_day(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await pay(database, shop, now)
    async with database.write() as session:
        await close(Context(session, shop, now))

    async def reminded() -> int:
        return sum("menunggu keputusan" in text for text in (await letters(database, address=ADMIN[1])).values())

    counts = []
    for hours in (1, 24, 26, 48, 72):  # after the closed day too: it was paid
        async with database.write() as session:
            await remind_of_impossible(Context(session, shop, now + timedelta(hours=hours)))
        counts.append(await reminded())
    assert counts == [0, 1, 1, 2, 3]
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await cancel(Context(session, shop, now), booking, reason="tutup", actor="Ibu Rina")
        await remind_of_impossible(Context(session, shop, now + timedelta(hours=96)))
    assert await reminded() == 3


async def test_all_are_moved_to_the_nearest_free_slots(database: Database, shop: Shop, now: datetime) -> None:
    for number in (1, 2, 3):
        await book(database, shop, now, code=f"BK-{number}", technician_id=(ANDI, BUDI, None)[number - 1])
    async with database.write() as session:
        await close(Context(session, shop, now))
    for number in (1, 2, 3):
        async with database.write() as session:
            booking = await bookings.load(session, code=f"BK-{number}")
            assert await move_to_nearest(Context(session, shop, now), booking, actor="Ibu Rina")
    assert await why_of(database, shop, now) == {}
    moved = [await booking_of(database, f"BK-{number}") for number in (1, 2, 3)]
    assert {shop.local(each.starts_at).date() for each in moved} <= {date(2026, 11, 23), date(2026, 11, 25)}
    assert [each.technician_id for each in moved] == [ANDI, BUDI, None]
    assert all(each.holding and each.impossible_since is None for each in moved)
    assert sum(key.startswith("moved:") for key in await letters(database, kind="notice", channel="telegram")) == 3


async def test_the_customer_moves_or_cancels_freely(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await pay(database, shop, now)
    late = tuesday_at_ten(shop, now) - timedelta(hours=1)
    async with database.write() as session:
        await close(Context(session, shop, late))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        start = tuesday_at_ten(shop, now) + timedelta(days=1)
        await reschedule(Context(session, shop, late), booking, start, technician_id=None, actor=bookings.CUSTOMER)
        assert booking.moves == 0
        await close_day(Context(session, shop, late), TUESDAY + timedelta(days=1), "Banjir")
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        at_the_time = Context(session, shop, start - timedelta(hours=1))
        terms = await cancel(at_the_time, booking, reason="", actor=bookings.CUSTOMER)
        assert (terms.kept, terms.back) == (0, PRICE)


async def test_what_staff_keeps_is_no_longer_listed(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, technician_id=ANDI)
    await pay(database, shop, now)
    async with database.write() as session:
        await on_leave(ANDI)(Context(session, shop, now))
        booking = await bookings.load(session, code=CODE)
        await keep(Context(session, shop, now), booking, actor="Ibu Rina")
    assert await why_of(database, shop, now) == {}
    assert await reminders(database) == 2
    async with database.write() as session:
        await close(Context(session, shop, now))
    assert await why_of(database, shop, now) == {CODE: "closed"}


async def test_a_technician_with_jobs_does_not_go(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, technician_id=ANDI)
    async with database.write() as session:
        with pytest.raises(TechnicianHasJobs) as refused:
            await retire_technician(Context(session, shop, now), ANDI)
        assert [job.params["code"] for job in refused.value.params["jobs"]] == [CODE]
        await retire_technician(Context(session, shop, now), BUDI)
        with pytest.raises(NotFound):
            await retire_technician(Context(session, shop, now), BUDI)


@on_one_engine
@pytest.mark.parametrize(
    "period",
    [
        pytest.param(LeavePeriod(first=TUESDAY, last=date(2026, 11, 23)), id="ends before it begins"),
        pytest.param(LeavePeriod(first=date(2026, 11, 2), last=date(2026, 11, 20)), id="over"),
        pytest.param(LeavePeriod(first=TUESDAY, last=date(2028, 11, 24)), id="two years"),
        pytest.param(LeavePeriod(first=TUESDAY, last=TUESDAY, begins=time(13), ends=time(9)), id="backwards"),
    ],
)
async def test_leave_makes_sense(database: Database, shop: Shop, now: datetime, period: LeavePeriod) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        with pytest.raises(BadLeave):
            await enter_leave(Context(session, shop, now), ANDI, period)


async def test_leave_adds_up(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, technician_id=ANDI)
    async with database.write() as session:
        await on_leave(ANDI, begins=time(13))(Context(session, shop, now))
    assert await why_of(database, shop, now) == {}
    async with database.write() as session:
        found = await on_leave(ANDI, ends=time(12))(Context(session, shop, now))
        assert [booking.code for booking in found] == [CODE]
        assert isinstance(found[0], Booking)
        assert await end_leave(Context(session, shop, now), ANDI, TUESDAY) == 1
    assert await why_of(database, shop, now) == {}
