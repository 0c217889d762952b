"""Rescheduling: who may and until when, what moves along, and the notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from paying import ADMIN, CHAT, CODE, ORDER, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, BUDI, SPEAKER, TUNE, check_books
from workshop import book as just_book
from workshop import order as an_order

from core import payment
from core.booking import reschedule
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingEvent, Outbox, PaymentRequest
from core.refusals import InvalidTransition, MovedTooOften, Refusal, SlotFull, TooLateToMove
from core.schedule import availability, bookings
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, RequestState

TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
HOUR = timedelta(hours=1)
ANDIS_CHAT, BUDIS_CHAT = "7000000002", "7000000003"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Andi and Budi have a chat beside the admin; a booking can be moved twice, until a day before."""
    staff = [
        *(each.model_dump() for each in shop.staff),
        {"name": "Andi", "role": "technician", "technician": ANDI, "telegram": int(ANDIS_CHAT)},
        {"name": "Budi", "role": "technician", "technician": BUDI, "telegram": int(BUDIS_CHAT)},
    ]
    return Shop.model_validate(shop.model_dump() | {"staff": staff})


async def move(
    database: Database,
    shop: Shop,
    starts_at: datetime,
    now: datetime,
    *,
    actor: str = bookings.CUSTOMER,
    technician: str | None = None,
) -> Booking:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await reschedule(Context(session, shop, now), booking, starts_at, technician_id=technician, actor=actor)
    return await booking_of(database)


async def paid(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    """Tuesday at ten, paid and confirmed."""
    await book(database, shop, now, **asked)
    await give_link(database, ORDER, shop, now)
    request = await request_of(database)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(amount=request.amount))


class _Undone(Exception):
    """Nobody is to notice."""


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[AsyncSession]:
    try:
        async with database.write() as session:
            yield session
            raise _Undone
    except _Undone:
        pass


# --- who may, until when -------------------------------------------------------------------------

LIMITS: list[tuple[str, float, int, BookingStatus, str, type[Refusal] | None]] = [
    ("a day before is soon enough", 24, 0, BookingStatus.CONFIRMED, "customer", None),
    ("a minute later isn't", 24 - 1 / 60, 0, BookingStatus.CONFIRMED, "customer", TooLateToMove),
    ("nor is it for what isn't paid yet", 23, 0, BookingStatus.PENDING, "customer", TooLateToMove),
    ("twice is allowed", 24, 1, BookingStatus.CONFIRMED, "customer", None),
    ("a third time isn't", 24, 2, BookingStatus.CONFIRMED, "customer", MovedTooOften),
    ("staff moves it late", 0.5, 0, BookingStatus.CONFIRMED, "Ibu Rina", None),
    ("and as often as it needs", 24, 9, BookingStatus.CONFIRMED, "Ibu Rina", None),
    ("nobody moves a car that is being worked on", 24, 0, BookingStatus.IN_PROGRESS, "customer", InvalidTransition),
    ("not even staff", 24, 0, BookingStatus.IN_PROGRESS, "Ibu Rina", InvalidTransition),
    ("nor what is cancelled", 24, 0, BookingStatus.CANCELLED, "customer", InvalidTransition),
]


async def test_limits_apply_to_customers_not_to_staff(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    for why, hours, moves, status, actor, refusal in LIMITS:
        async with undone(database) as session:
            booking = await bookings.load(session, code=CODE)
            booking.status, booking.moves = status, moves
            late = booking.starts_at - timedelta(hours=hours)
            ctx = Context(session, shop, late)
            to = shop.at(TUESDAY, time(15))
            if refusal:
                with pytest.raises(refusal):
                    await reschedule(ctx, booking, to, technician_id=None, actor=actor)
            else:
                await reschedule(ctx, booking, to, technician_id=None, actor=actor)
                assert (booking.starts_at, booking.moves) == (to, moves + (actor == "customer")), why


async def test_rescheduling_twice_to_one_time_moves_once(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    for _ in range(3):
        moved = await move(database, shop, shop.at(WEDNESDAY, time(13)), now)
    assert (moved.moves, len(await events(database, "moved"))) == (1, 1)


async def test_a_refused_move_does_not_count(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    at_two = shop.at(TUESDAY, time(14))
    async with database.write() as session:
        for number in range(3):
            asked = an_order(at_two)
            await just_book(session, asked, shop=shop, now=now, code=f"BK-R{number}", customer=2)
    with pytest.raises(SlotFull):
        await move(database, shop, at_two, now)
    kept = await booking_of(database)
    assert (kept.starts_at, kept.moves, kept.holding) == (shop.at(TUESDAY, time(10)), 0, True)
    await check_books(database)


# --- what comes along ----------------------------------------------------------------------------


async def test_money_stays_and_reminders_follow(database: Database, shop: Shop, now: datetime) -> None:
    """Moved twice, then back to a day whose reminder was sent before."""
    await paid(database, shop, now, percent=50)
    for to in (shop.at(WEDNESDAY, time(13)), shop.at(TUESDAY, time(15))):
        moved = await move(database, shop, to, now)
        assert (moved.status, moved.paid_amount, moved.payment_status) == ("confirmed", 75_000, "dp_paid")
        assert await reminded(database) == [to - 24 * HOUR, to - 2 * HOUR]
    back = shop.at(TUESDAY, time(10))
    await move(database, shop, back, now + 2 * HOUR, actor="Ibu Rina")
    assert await reminded(database) == [back - 2 * HOUR]  # less than a day is left
    await check_books(database)


async def test_an_open_link_and_its_hold_stay(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    moved = await move(database, shop, shop.at(WEDNESDAY, time(13)), now + HOUR / 2)
    assert (moved.status, moved.hold_until, moved.holding) == ("pending", now + shop.hold, True)
    request = await request_of(database)
    assert (request.state, request.expires_at) == (RequestState.OPEN, now + shop.hold)
    assert await reminded(database) == []
    async with database.write() as session:
        await payment.settle(Context(session, shop, now + HOUR / 2), ORDER, answer())
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED
    assert (await reminded(database))[-1] == shop.at(WEDNESDAY, time(11))


@pytest.mark.parametrize("swept", [True, False])
async def test_moving_after_the_hold_ended_makes_a_new_link(
    database: Database, shop: Shop, now: datetime, swept: bool
) -> None:
    await book(database, shop, now, percent=30)
    await give_link(database, ORDER, shop, now)
    later = now + shop.hold
    if swept:
        async with database.write() as session:
            await payment.settle_or_expire(Context(session, shop, later), ORDER, None)
    moved = await move(database, shop, shop.at(WEDNESDAY, time(13)), later)
    assert (moved.holding, moved.hold_until, moved.payment_status) == (True, later + shop.hold, "pending")
    async with database.read() as session:
        newest = await session.scalar(select(PaymentRequest).order_by(PaymentRequest.order_id.desc()))
    assert newest
    assert (newest.state, newest.amount) == (RequestState.WANTED, 45_000)
    await check_books(database)


async def test_a_cash_booking_is_held_until_its_new_start(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, method=PaymentMethod.COD)
    to = shop.at(WEDNESDAY, time(13))
    assert (await move(database, shop, to, now)).hold_until == to
    assert await reminded(database) == [to - 24 * HOUR, to - 2 * HOUR]


async def test_onsite_travel_time_moves_along(database: Database, shop: Shop, now: datetime) -> None:
    """An hour's work and an hour's travel take two cells, and don't fit before closing."""
    await paid(database, shop, now, location=Location.ONSITE, address="Jl. Tebet Timur Dalam 12", technician_id=ANDI)
    with pytest.raises(Refusal):
        await move(database, shop, shop.at(WEDNESDAY, time(16)), now, technician=ANDI)
    moved = await move(database, shop, shop.at(WEDNESDAY, time(15)), now, technician=ANDI)
    assert moved.minutes == 120
    async with database.read() as session:
        load = await availability.slots_of_day(Context(session, shop, now), WEDNESDAY, technician_id=ANDI)
    assert [slot.taken for slot in load] == [0, 0, 0, 0, 0, 0, 1, 1]
    await check_books(database)


async def test_its_own_slot_counts_as_free(database: Database, shop: Shop, now: datetime) -> None:
    """With one bay, a job of two hours at ten can begin at nine, ten or eleven, with its own technician too."""
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    await book(database, narrow, now, services=(TUNE,), parts=((SPEAKER, 1),), technician_id=ANDI)
    booking = await booking_of(database)
    asked: dict[str, Any] = {"minutes": 120, "moving": booking.id}
    async with database.read() as session:
        for technician in (ANDI, None):
            load = await availability.slots_of_day(
                Context(session, narrow, now), TUESDAY, technician_id=technician, **asked
            )
            assert [slot.free for slot in load] == [True] * 7 + [False]
            assert {slot.taken for slot in load} == {0}
        ended = await availability.slots_of_day(Context(session, narrow, now + narrow.hold), TUESDAY, **asked)
        assert {slot.taken for slot in ended} == {0}  # a hold that has ended isn't counted off twice


# --- who is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "technician", "told"),
    [
        pytest.param("customer", ANDI, {"mail", "admin", "andi"}, id="the customer: who does it and the admins hear"),
        pytest.param("customer", BUDI, {"mail", "admin", "andi", "budi"}, id="with another: who lost it hears too"),
        pytest.param("Ibu Rina", ANDI, {"chat", "mail", "andi"}, id="staff: the customer hears in the chat"),
    ],
)
async def test_notices_of_a_move(
    database: Database, shop: Shop, now: datetime, actor: str, technician: str, told: set[str]
) -> None:
    await paid(database, shop, now, technician_id=ANDI)
    later = now + HOUR
    await move(database, shop, shop.at(WEDNESDAY, time(13)), later, actor=actor, technician=technician)
    async with database.read() as session:
        rows = (
            await session.scalars(select(Outbox).where(Outbox.created_at == later, Outbox.kind != "reminder"))
        ).all()
    names = {CHAT[1]: "chat", "sari@example.com": "mail", ADMIN[1]: "admin", ANDIS_CHAT: "andi", BUDIS_CHAT: "budi"}
    assert {names[row.address] for row in rows} == told
    mail = (await letters(database, channel="email"))[f"moved:{CODE}:{later.isoformat()}:email"]
    assert "dari Sel, 24 Nov 10:00 ke Rab, 25 Nov 13:00" in mail


async def events(database: Database, kind: str) -> list[BookingEvent]:
    async with database.read() as session:
        return list(await session.scalars(select(BookingEvent).where(BookingEvent.kind == kind)))


async def reminded(database: Database) -> list[datetime]:
    """The times of the queued reminders."""
    async with database.read() as session:
        due = select(Outbox.due_at).where(Outbox.kind == "reminder", Outbox.state == "due").order_by(Outbox.due_at)
        return list(await session.scalars(due))
