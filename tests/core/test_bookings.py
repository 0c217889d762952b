"""Booking, moving, cancelling: what is held, what is refused, and what it costs."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text, update

from core import bookings
from core.database import Database
from core.messages import say
from core.refusals import (
    AddressMissing,
    BadDownPayment,
    BadQuantity,
    CashForServicesOnly,
    InsufficientStock,
    InThePast,
    InvalidTransition,
    NotForSale,
    NotFound,
    NothingChosen,
    NotOnsite,
    OutsideHours,
    PreOrderOnly,
    Refusal,
    SlotFull,
    TechnicianBusy,
    TooFarAhead,
    TooManyUnpaid,
    TypeMismatch,
)
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus
from core.tables import Booking, BookingEvent, Closure, Leave, Outbox, Part, Service, Technician
from workshop import (
    ADAPTER,
    AMPLIFIER,
    ANDI,
    BUDI,
    CHECK,
    CITRA,
    FULL_DAY,
    INSTALL,
    SPEAKER,
    TUNE,
    WIRE,
    book,
    check_books,
    furnish,
    order,
)

TUESDAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
async def _furnished(database: Database, now: datetime) -> None:
    await furnish(database, now, customers=4)


@pytest.fixture
def at(shop: Shop) -> Callable[..., datetime]:
    """A time of day at the shop, on Tuesday unless another day is named."""

    def moment(clock: str, day: date = TUESDAY) -> datetime:
        return shop.at(day, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007

    return moment


async def test_a_booking_holds_its_places_at_the_prices_of_now(
    database: Database, shop: Shop, now: datetime, at: Callable[..., datetime]
) -> None:
    async with database.write() as session:
        asked = order(
            at("10:00"), parts=((SPEAKER, 2), (ADAPTER, 1)), services=(INSTALL, WIRE), technician_id=ANDI,
        )  # fmt: skip
        made = await book(session, asked, shop=shop, now=now)
        assert [line.name for line in made.lines] == [
            "Speaker 6,5 inci",
            "Ring adaptor Avanza",
            "Pasang speaker",
            "Tarik kabel",
        ]
        assert (made.technician.name, made.contact) == ("Andi", None)
    async with database.write() as session:
        await session.execute(update(Part).values(price=1))
    async with database.read() as session:
        kept = await bookings.load(session, code="BK-000001")
        assert (kept.subtotal_parts, kept.subtotal_services, kept.total_price) == (1_605_000, 350_000, 1_955_000)
        assert (kept.minutes, kept.hold_until) == (150, now + shop.hold)
        assert (kept.status, kept.payment_status) == (BookingStatus.PENDING, PaymentStatus.PENDING)
        load = await bookings.day_load(session, TUESDAY, shop=shop, now=now)
        assert [slot.taken for slot in load] == [0, 1, 1, 1, 0, 0, 0, 0]
        assert (await session.scalars(select(BookingEvent.kind))).all() == ["created"]
    await check_books(database)
