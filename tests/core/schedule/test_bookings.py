"""Booking, moving, cancelling: what is held, what is refused, and what it costs."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.ext.asyncio import AsyncSession
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

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingEvent, Closure, Leave, Outbox, Part, Service, Technician
from core.messaging.messages import say
from core.refusals import (
    AddressMissing,
    BadDownPayment,
    BadQuantity,
    CashForServicesOnly,
    Closed,
    InsufficientStock,
    InThePast,
    InvalidTransition,
    NotASlot,
    NoTechnician,
    NotForSale,
    NotFound,
    NothingChosen,
    NotOnsite,
    OutsideHours,
    PreOrderOnly,
    Refusal,
    ShortNotice,
    SlotFull,
    TechnicianAway,
    TechnicianBusy,
    TechnicianUnskilled,
    TooFarAhead,
    TooManyUnpaid,
    TypeMismatch,
)
from core.schedule import availability, bookings
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus

TUESDAY = date(2026, 11, 24)
At = Callable[..., datetime]

on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For rules that are checked before anything is written."""


@pytest.fixture(autouse=True)
async def _furnished(database: Database, now: datetime) -> None:
    await furnish(database, now, customers=4)


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """The statements sent to the database from here on."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    # PostgreSQL's engines share one pool, and their listeners.
    engines = {engine.pool: engine for engine in (database.reading_engine, database.engine)}.values()
    for engine in engines:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield sent
    for engine in engines:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


@pytest.fixture
def at(shop: Shop) -> At:
    """A time of day at the shop, on Tuesday unless another day is named."""

    def moment(clock: str, day: date = TUESDAY) -> datetime:
        return shop.at(day, time.fromisoformat(clock))

    return moment


async def free(
    session: AsyncSession, start: datetime, shop: Shop, now: datetime, *, skills: Any = (), minutes: int = 60
) -> list[Technician]:
    return await availability.free_technicians(Context(session, shop, now), start, minutes, skills=frozenset(skills))


async def test_a_booking_holds_its_slot_at_present_prices(
    database: Database, shop: Shop, now: datetime, at: At
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
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY)
        assert [slot.taken for slot in load] == [0, 1, 1, 1, 0, 0, 0, 0]
        assert (await session.scalars(select(BookingEvent.kind))).all() == ["created"]
    await check_books(database)


REFUSED: list[tuple[str, dict[str, Any], type[Refusal]]] = [
    ("nothing chosen", {"parts": (), "services": ()}, NothingChosen),
    ("a quantity of none", {"parts": ((SPEAKER, 0),)}, BadQuantity),
    ("a negative quantity", {"parts": ((SPEAKER, -1),)}, BadQuantity),
    ("a million", {"parts": ((SPEAKER, 1_000_000),)}, BadQuantity),
    ("too many in two lines of one part", {"parts": ((ADAPTER, 15), (ADAPTER, 15))}, BadQuantity),
    ("a service over and over", {"services": (CHECK,) * 21}, BadQuantity),
    ("an unknown part", {"parts": (("nothing", 1),)}, NotFound),
    ("an unknown service", {"services": ("nothing",)}, NotFound),
    ("an unknown technician", {"technician_id": "nobody"}, NotFound),
    ("a retired part", {"parts": (("retired", 1),)}, NotForSale),
    ("a part that is switched off", {"parts": (("off", 1),)}, NotForSale),
    ("a service that is switched off", {"services": ("off",)}, NotForSale),
    ("a part sold to order only", {"parts": (("to-order", 1),)}, PreOrderOnly),
    ("more than lies in the shop", {"parts": ((SPEAKER, 3),)}, InsufficientStock),
    ("cash for parts", {"parts": ((SPEAKER, 1),), "method": PaymentMethod.COD}, CashForServicesOnly),
    ("a down payment under the bounds", {"down_payment_percent": 29}, BadDownPayment),
    ("a down payment over the bounds", {"down_payment_percent": 51}, BadDownPayment),
    ("a workshop service at home", {"services": (TUNE,), "location": Location.ONSITE, "address": "Jl. A"}, NotOnsite),
    ("at home, but where", {"location": Location.ONSITE}, AddressMissing),
    ("a type that isn't the lines'", {"booking_type": "sparepart_only"}, TypeMismatch),
    ("a technician without the skill", {"services": (TUNE,), "technician_id": BUDI}, TechnicianUnskilled),
    ("a technician on leave", {"technician_id": CITRA}, TechnicianAway),
    ("a technician who left", {"technician_id": "left"}, NotFound),
    ("a technician who is switched off", {"technician_id": "away"}, TechnicianAway),
]


@on_one_engine
@pytest.mark.parametrize(("why", "changes", "refusal"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_an_invalid_order_changes_nothing(
    database: Database, shop: Shop, now: datetime, at: At, why: str, changes: dict[str, Any], refusal: type[Refusal]
) -> None:
    async with database.write() as session:
        plain = {"name": why, "category": "other", "brand": "-", "price": 1, "on_hand": 1}
        session.add_all(
            [
                Part(id="retired", retired_at=now, **plain),
                Part(id="off", is_available=False, **plain),
                Part(id="to-order", is_pre_order_only=True, **plain),
                Service(id="off", name=why, category="other", price=1, minutes=1, is_available=False),
                Technician(id="left", name="Left", retired_at=now),
                Technician(id="away", name="Away", is_available=False),
                Leave(technician_id=CITRA, day=TUESDAY),
            ]
        )
    with pytest.raises(refusal):
        async with database.write() as session:
            await book(session, order(at("10:00"), **changes), shop=shop, now=now)
    async with database.read() as session:
        assert (await session.scalars(select(Booking))).all() == []
    await check_books(database)


MOMENTS: list[tuple[str, str, date, tuple[str, ...], type[Refusal]]] = [
    ("before opening", "08:00", TUESDAY, (INSTALL,), OutsideHours),
    ("between two slots", "10:30", TUESDAY, (INSTALL,), NotASlot),
    ("at closing", "17:00", TUESDAY, (INSTALL,), OutsideHours),
    ("it would last past closing", "16:00", TUESDAY, (WIRE,), OutsideHours),
    ("a day's work from ten on", "10:00", TUESDAY, (FULL_DAY,), OutsideHours),
    ("Sunday", "10:00", date(2026, 11, 29), (INSTALL,), Closed),
    ("Christmas", "10:00", date(2026, 12, 25), (INSTALL,), Closed),
    ("the shop's own closure", "10:00", date(2026, 11, 26), (INSTALL,), Closed),
    ("yesterday", "10:00", date(2026, 11, 21), (INSTALL,), InThePast),
    ("a Sunday that is over", "10:00", date(2026, 11, 22), (INSTALL,), InThePast),
    ("nearer than an hour", "09:00", date(2026, 11, 23), (INSTALL,), ShortNotice),
    ("61 days ahead", "10:00", date(2027, 1, 23), (INSTALL,), TooFarAhead),
]


@on_one_engine
@pytest.mark.parametrize(("why", "clock", "day", "services", "refusal"), MOMENTS, ids=[row[0] for row in MOMENTS])
async def test_an_invalid_time_is_refused(
    database: Database,
    shop: Shop,
    now: datetime,
    at: At,
    why: str,
    clock: str,
    day: date,
    services: tuple[str, ...],
    refusal: type[Refusal],
) -> None:
    later = now + timedelta(minutes=1)  # 08:01: nine o'clock is less than the notice of an hour away
    with pytest.raises(refusal):
        async with database.write() as session:
            session.add(Closure(day=date(2026, 11, 26), reason=why))
            await book(session, order(at(clock, day), services=services), shop=shop, now=later)


async def test_a_full_day_package_fits_exactly(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        await book(session, order(at("09:00"), services=(FULL_DAY,)), shop=shop, now=now)
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY, minutes=480)
        assert [slot.taken for slot in load] == [1] * 8
        assert [slot.free for slot in load] == [True] + [False] * 7


async def test_parts_alone_take_one_slot(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("16:00"), parts=((SPEAKER, 1),)), shop=shop, now=now)
        assert made.minutes == 60
        assert made.subtotal_services == 0


async def test_onsite_jobs_cost_travel_time_and_a_fee(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        asked = order(at("10:00"), location=Location.ONSITE, latitude=-6.2, longitude=106.8)
        made = await book(session, asked, shop=shop, now=now)
        assert (made.minutes, made.onsite_fee, made.total_price) == (120, 150_000, 300_000)
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY)
        assert [slot.taken for slot in load] == [0, 1, 1, 0, 0, 0, 0, 0]


async def test_overbooking_is_refused(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        for number in (1, 2, 3):
            await book(session, order(at("11:00")), shop=shop, now=now, code=f"BK-{number}", customer=number)
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY, minutes=120)
        assert [slot.free for slot in load] == [True, False, False, True, True, True, True, False]
    with pytest.raises(SlotFull):
        async with database.write() as session:
            await book(session, order(at("10:00"), services=(WIRE,)), shop=shop, now=now, code="BK-4", customer=4)
    await check_books(database)


async def test_technicians_on_duty_limit_a_slot(database: Database, shop: Shop, now: datetime, at: At) -> None:
    friday = date(2026, 11, 27)  # Citra's day off
    async with database.write() as session:
        session.add(Leave(technician_id=BUDI, day=friday))
        await book(session, order(at("10:00", friday)), shop=shop, now=now)
        load = await availability.slots_of_day(Context(session, shop, now), friday)
        assert (load[1].taken, load[1].cap, load[1].free) == (1, 1, False)
        assert [one.id for one in await free(session, at("14:00", friday), shop, now)] == [ANDI]
    with pytest.raises(SlotFull):
        async with database.write() as session:
            await book(session, order(at("10:00", friday)), shop=shop, now=now, code="BK-2", customer=2)


async def test_half_a_day_of_leave_leaves_the_other_half(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        session.add_all(Leave(technician_id=who, day=TUESDAY, begins=time(13)) for who in (BUDI, CITRA))
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY, minutes=120)
        assert [slot.cap for slot in load] == [3, 3, 3, 3, 1, 1, 1, 1]
        await book(session, order(at("12:00"), services=(TUNE,)), shop=shop, now=now)  # into the afternoon
        await book(session, order(at("12:00"), technician_id=BUDI), shop=shop, now=now, code="BK-2", customer=2)
        assert [one.id for one in await free(session, at("14:00"), shop, now)] == [ANDI]
        with pytest.raises(TechnicianAway):
            await book(session, order(at("15:00"), technician_id=BUDI), shop=shop, now=now, code="BK-3", customer=3)
        with pytest.raises(SlotFull):
            await book(session, order(at("13:00")), shop=shop, now=now, code="BK-4", customer=4)


async def test_a_day_without_technicians_has_no_seat(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        session.add_all(Leave(technician_id=who, day=TUESDAY) for who in (ANDI, BUDI, CITRA))
        assert not any(slot.free for slot in await availability.slots_of_day(Context(session, shop, now), TUESDAY))
        with pytest.raises(NoTechnician):
            await book(session, order(at("10:00"), services=(CHECK,)), shop=shop, now=now)


async def test_a_shop_without_technicians_plans_by_bays(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        await session.execute(delete(Technician))
        await book(session, order(at("10:00"), services=(TUNE,)), shop=shop, now=now)
        assert (await availability.slots_of_day(Context(session, shop, now), TUESDAY))[1].cap == 3


async def test_any_technician_needs_the_skill_on_duty(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        session.add(Leave(technician_id=ANDI, day=TUESDAY))
        with pytest.raises(TechnicianBusy):
            await book(session, order(at("10:00"), services=(TUNE,)), shop=shop, now=now)


async def test_a_technician_has_one_job_at_a_time(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        await book(session, order(at("10:00"), services=(WIRE,), technician_id=ANDI), shop=shop, now=now)
        assert [one.id for one in await free(session, at("11:00"), shop, now)] == [BUDI, CITRA]
        assert [one.id for one in await free(session, at("12:00"), shop, now)] == [ANDI, BUDI, CITRA]
        assert await free(session, at("12:00"), shop, now, skills={"dsp"}, minutes=480) == []
        load = await availability.slots_of_day(Context(session, shop, now), TUESDAY, technician_id=ANDI)
        assert [slot.free for slot in load] == [True, False, False, True, True, True, True, True]
    with pytest.raises(TechnicianBusy):
        async with database.write() as session:
            asked = order(at("11:00"), technician_id=ANDI)
            await book(session, asked, shop=shop, now=now, code="BK-2", customer=2)
    await check_books(database)


async def test_unpaid_bookings_are_limited(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        for number in (1, 2, 3):
            await book(session, order(at(f"{9 + number}:00")), shop=shop, now=now, code=f"BK-{number}")
        with pytest.raises(TooManyUnpaid):
            await book(session, order(at("14:00")), shop=shop, now=now, code="BK-4")
    async with database.write() as session:
        first = await bookings.load(session, code="BK-1")
        first.hold_until = None  # paid
    async with database.write() as session:
        await book(session, order(at("14:00")), shop=shop, now=now, code="BK-4")


async def test_a_cash_booking_is_held_until_its_start(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("10:00"), method=PaymentMethod.COD), shop=shop, now=now)
        assert made.hold_until == at("10:00")
        await bookings.reschedule(Context(session, shop, now), made, at("15:00"), technician_id=None, actor="customer")
        assert made.hold_until == at("15:00")


async def test_an_ended_hold_blocks_nobody_before_release(
    database: Database, shop: Shop, now: datetime, at: At
) -> None:
    async with database.write() as session:
        asked = order(at("09:00"), parts=((SPEAKER, 2),), services=(FULL_DAY,), technician_id=ANDI)
        await book(session, asked, shop=shop, now=now)
    later = now + shop.hold
    async with database.write() as session:
        load = await availability.slots_of_day(Context(session, shop, later), TUESDAY, technician_id=ANDI)
        assert [(slot.taken, slot.free) for slot in load] == [(0, True)] * 8
        assert ANDI in [one.id for one in await free(session, at("10:00"), shop, later)]
        await book(session, asked, shop=shop, now=later, code="BK-2", customer=2)
    await check_books(database)
    async with database.write() as session:
        swept = await bookings.release_ended_holds(Context(session, shop, later))
        assert [booking.code for booking in swept] == ["BK-000001"]
        assert (swept[0].status, swept[0].payment_status) == (BookingStatus.PENDING, PaymentStatus.FAILED)
    await check_books(database)


async def test_release_gives_everything_back_once(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        for number in (1, 2):
            asked = order(at("10:00"), parts=((SPEAKER, 1), (AMPLIFIER, 1)), technician_id=[ANDI, BUDI][number - 1])
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)
    async with database.write() as session:
        assert await bookings.release_ended_holds(Context(session, shop, now + shop.hold - timedelta(seconds=1))) == []
        over = await bookings.release_ended_holds(Context(session, shop, now + shop.hold))
        assert [(booking.code, booking.holding, booking.hold_until) for booking in over] == [
            ("BK-1", False, None),
            ("BK-2", False, None),
        ]
        assert await bookings.release_ended_holds(Context(session, shop, now + shop.hold)) == []
    async with database.read() as session:
        assert {slot.taken for slot in await availability.slots_of_day(Context(session, shop, now), TUESDAY)} == {0}
        kinds = await session.scalars(select(BookingEvent.kind).order_by(BookingEvent.id))
        assert kinds.all() == ["created", "created", "hold_ended", "hold_ended"]
    await check_books(database)


async def test_a_retry_holds_again(database: Database, shop: Shop, now: datetime, at: At) -> None:
    later = now + shop.hold
    async with database.write() as session:
        made = await book(session, order(at("10:00"), parts=((SPEAKER, 2),), technician_id=ANDI), shop=shop, now=now)
    async with database.write() as session:
        (made,) = await bookings.release_ended_holds(Context(session, shop, later))
        await bookings.hold_again(Context(session, shop, later), made)
        assert (made.holding, made.hold_until) == (True, later + shop.hold)
        assert made.payment_status is PaymentStatus.PENDING
    await check_books(database)


async def test_a_retry_in_time_extends_the_hold(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("10:00"), technician_id=ANDI), shop=shop, now=now)
        later = now + timedelta(minutes=50)
        await bookings.hold_again(Context(session, shop, later), made)
        assert made.hold_until == later + shop.hold
    await check_books(database)


@pytest.mark.parametrize(
    ("rival", "refusal"),
    [
        ({"services": (FULL_DAY,), "technician_id": ANDI}, TechnicianBusy),
        ({"parts": ((SPEAKER, 1),)}, InsufficientStock),
        ({"services": (FULL_DAY,)}, SlotFull),
    ],
    ids=["the technician", "the last parts", "the slot"],
)
async def test_late_money_may_find_the_slot_taken(
    database: Database, shop: Shop, now: datetime, at: At, rival: dict[str, Any], refusal: type[Refusal]
) -> None:
    later = now + shop.hold
    narrow = shop if refusal is not SlotFull else shop.model_copy(update={"max_bookings_per_slot": 1})
    async with database.write() as session:
        await book(session, order(at("10:00"), parts=((SPEAKER, 2),), technician_id=ANDI), shop=shop, now=now)
        await book(session, order(at("09:00"), **rival), shop=narrow, now=later, code="BK-2", customer=2)
    with pytest.raises(refusal):
        async with database.write() as session:
            late = await bookings.load(session, code="BK-000001")
            await bookings.hold_again(Context(session, narrow, later), late)
    await check_books(database)


async def test_past_or_cancelled_is_not_held_again(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("10:00")), shop=shop, now=now)
        with pytest.raises(InThePast):
            await bookings.hold_again(Context(session, shop, at("10:00")), made)
        await bookings.cancel(Context(session, shop, now), made, reason="batal", actor="customer")
        with pytest.raises(InvalidTransition):
            await bookings.hold_again(Context(session, shop, now), made)


async def test_cancelling_frees_all_and_drops_reminders(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        asked = order(at("10:00"), parts=((SPEAKER, 2),), services=(WIRE,), technician_id=ANDI)
        made = await book(session, asked, shop=shop, now=now)
        for kind in ("reminder", "notice"):
            waiting = {"channel": "email", "address": "a@b.example", "language": "id", "body": {}, "kind": kind}
            session.add(Outbox(key=kind, booking_id=made.id, due_at=now, not_before=now, created_at=now, **waiting))
        await bookings.cancel(Context(session, shop, now), made, reason="mobil dijual", actor="customer")
    async with database.read() as session:
        gone = await bookings.load(session, code="BK-000001")
        assert (gone.status, gone.cancelled_at, gone.cancellation_reason) == ("cancelled", now, "mobil dijual")
        states = dict((await session.execute(select(Outbox.kind, Outbox.state))).all())
        assert states == {"reminder": "dropped", "notice": "due"}
        assert [slot.taken for slot in await availability.slots_of_day(Context(session, shop, now), TUESDAY)] == [0] * 8
    await check_books(database)


async def test_a_customer_cancels_only_until_work_starts(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("10:00")), shop=shop, now=now)
        made.status = BookingStatus.IN_PROGRESS
        with pytest.raises(InvalidTransition):
            await bookings.cancel(Context(session, shop, now), made, reason="batal", actor="customer")
        await bookings.cancel(Context(session, shop, now), made, reason="mobil mogok", actor="Ibu Rina")
        with pytest.raises(InvalidTransition):
            await bookings.cancel(Context(session, shop, now), made, reason="lagi", actor="Ibu Rina")


async def test_a_move_exchanges_what_is_held(database: Database, shop: Shop, now: datetime, at: At) -> None:
    """Also into hours that it partly holds itself when all other seats are taken."""
    narrow = shop.model_copy(update={"max_bookings_per_slot": 1})
    async with database.write() as session:
        asked = order(at("10:00"), parts=((SPEAKER, 2),), services=(TUNE,), technician_id=ANDI)
        made = await book(session, asked, shop=narrow, now=now)
        await bookings.reschedule(
            Context(session, narrow, now), made, at("11:00"), technician_id=ANDI, actor="customer"
        )
        assert (made.starts_at, made.hold_until) == (at("11:00"), now + shop.hold)
        load = await availability.slots_of_day(Context(session, narrow, now), TUESDAY, technician_id=ANDI)
        assert [slot.taken for slot in load] == [0, 0, 1, 1, 0, 0, 0, 0]
    await check_books(database)


@pytest.mark.parametrize(
    ("clock", "technician", "refusal"),
    [
        ("14:00", ANDI, SlotFull),
        ("09:00", BUDI, TechnicianBusy),
        ("16:00", ANDI, OutsideHours),
        ("10:30", ANDI, NotASlot),
    ],
)
async def test_a_refused_move_changes_nothing(
    database: Database, shop: Shop, now: datetime, at: At, clock: str, technician: str, refusal: type[Refusal]
) -> None:
    async with database.write() as session:
        await book(session, order(at("10:00"), services=(TUNE,), technician_id=ANDI), shop=shop, now=now)
        for number in (2, 3, 4):
            await book(session, order(at("14:00")), shop=shop, now=now, code=f"BK-{number}", customer=number)
    with pytest.raises(refusal):
        async with database.write() as session:
            made = await bookings.load(session, code="BK-000001")
            await bookings.reschedule(
                Context(session, shop, now), made, at(clock), technician_id=technician, actor="customer"
            )
    async with database.read() as session:
        kept = await bookings.load(session, code="BK-000001")
        assert (kept.starts_at, kept.technician_id) == (at("10:00"), ANDI)
    await check_books(database)


async def test_a_job_in_progress_is_not_moved(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        made = await book(session, order(at("10:00")), shop=shop, now=now)
        made.status = BookingStatus.IN_PROGRESS
        with pytest.raises(InvalidTransition):
            await bookings.reschedule(
                Context(session, shop, now), made, at("11:00"), technician_id=None, actor="customer"
            )


async def test_a_booking_with_an_ended_hold_can_move(database: Database, shop: Shop, now: datetime, at: At) -> None:
    later = now + shop.hold
    async with database.write() as session:
        for number in (1, 2):
            asked = order(at("10:00"), parts=((SPEAKER, 1),))
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)
    async with database.write() as session:
        unswept = await bookings.load(session, code="BK-1")
        await bookings.reschedule(
            Context(session, shop, later), unswept, at("15:00"), technician_id=None, actor="customer"
        )
        assert unswept.hold_until == later + shop.hold
        (swept,) = await bookings.release_ended_holds(Context(session, shop, later))
        swept.paid_amount = swept.total_price  # the money came late, and its slot was gone
        await bookings.reschedule(
            Context(session, shop, later), swept, at("16:00"), technician_id=None, actor="customer"
        )
        assert (swept.holding, swept.hold_until) == (True, None)
    await check_books(database)


async def test_open_days_skip_closed_ones(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async with database.write() as session:
        session.add(Closure(day=date(2026, 11, 25), reason="Outing karyawan"))
        days = await availability.open_days(Context(session, shop, now), minutes=60, count=6)
        assert [day.day for day in days] == [23, 24, 26, 27, 28, 30]
        evening = at("15:30", date(2026, 11, 23))
        assert (await availability.open_days(Context(session, shop, evening), minutes=60, count=1))[0].day == 24
        noon = at("11:00", date(2026, 11, 23))  # too late for a whole day's job
        assert (await availability.open_days(Context(session, shop, noon), minutes=480, count=1))[0].day == 24
        closed = [date(2026, 11, 25), date(2026, 11, 29), date(2026, 12, 25), TUESDAY]
        assert [await availability.why_closed(Context(session, shop, now), day) for day in closed] == [
            say("closed.closure", reason="Outing karyawan"),
            say("closed.weekday"),
            say("closed.holiday", name="Hari Raya Natal"),
            None,
        ]
        assert await availability.slots_of_day(Context(session, shop, now), date(2026, 11, 25)) == []


async def test_nearest_free_prefers_the_same_day(database: Database, shop: Shop, now: datetime, at: At) -> None:
    async def nearest(clock: str, minutes: int, count: int = 3, **only: Any) -> list[datetime]:
        async with database.read() as session:
            return await availability.nearest_free(Context(session, shop, now), at(clock), minutes, count=count, **only)

    async with database.write() as session:
        for number, who in enumerate((ANDI, BUDI, CITRA), 1):
            asked = order(at("11:00"), technician_id=who)
            await book(session, asked, shop=shop, now=now, code=f"BK-{number}", customer=number)
        asked = order(at("09:00", date(2026, 11, 25)), services=(FULL_DAY,), technician_id=ANDI)
        await book(session, asked, shop=shop, now=now, code="BK-4", customer=4)
    assert await nearest("11:00", 60) == [at("09:00"), at("10:00"), at("12:00")]
    assert await nearest("11:00", 480, 2) == [at("09:00", date(2026, 11, 23)), at("09:00", date(2026, 11, 25))]
    assert await nearest("11:00", 480, 2, technician_id=ANDI) == [
        at("09:00", date(2026, 11, 23)),
        at("09:00", date(2026, 11, 26)),
    ]


async def test_own_bookings_take_a_fixed_number_of_queries(
    database: Database, shop: Shop, now: datetime, at: At, statements: list[str]
) -> None:
    async with database.write() as session:
        for number in range(4):
            moment = now + number * timedelta(hours=1)
            asked = order(at("15:00"), technician_id=[ANDI, None][number % 2], services=(CHECK,))
            day = at("15:00") + timedelta(days=number)
            await book(
                session, order(day, technician_id=asked.technician_id), shop=shop, now=moment, code=f"BK-{number}"
            )
            await book(session, order(day), shop=shop, now=moment, code=f"other-{number}", customer=2)
    statements.clear()
    async with database.read() as session:
        mine = await bookings.of_customer(session, 1, limit=3)
        assert [booking.code for booking in mine] == ["BK-3", "BK-2", "BK-1"]
        assert [booking.lines[0].name for booking in mine] == ["Pasang speaker"] * 3
        assert [booking.technician and booking.technician.name for booking in mine] == [None, "Andi", None]
        assert len(statements) == 2
        assert [booking.code for booking in await bookings.of_customer(session, 1, offset=3)] == ["BK-0"]


async def test_a_turn_costs_few_statements(
    database: Database, shop: Shop, now: datetime, at: At, statements: list[str]
) -> None:
    async with database.write() as session:
        await availability.slots_of_day(Context(session, shop, now), TUESDAY, minutes=120, technician_id=ANDI)
        assert len(statements) == 2
        statements.clear()
        asked = order(at("10:00"), parts=((SPEAKER, 1), (ADAPTER, 1)), services=(INSTALL, WIRE), technician_id=ANDI)
        await book(session, asked, shop=shop, now=now)
        # SQLite writes lines one by one, PostgreSQL at once.
        counted = [each for each in statements if "INTO booking_line" not in each and "pg_advisory" not in each]
        assert len(counted) == 9


async def test_an_unknown_booking_is_not_found(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound):
            await bookings.load(session, code="BK-NOPE")
        with pytest.raises(NotFound):
            await bookings.load(session, booking_id=1)
