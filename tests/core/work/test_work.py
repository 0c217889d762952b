"""The work on the car: assignment, notes, additional costs, cash, completion, ratings, and their notices."""

import asyncio
from collections.abc import Awaitable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from paying import ADMIN, CODE, PRICE, answer, book, booking_of, give_link, letters, tuesday_at_ten
from sqlalchemy import select, update
from workshop import AMPLIFIER, ANDI, BUDI, CITRA, INSTALL, SPEAKER, TUNE, check_books

from core import payment, work
from core.booking import cancel
from core.context import Context
from core.db.database import Database
from core.db.tables import (
    AdditionalCost,
    Booking,
    BookingEvent,
    LedgerEntry,
    Outbox,
    Part,
    PaymentRequest,
    Refund,
    Technician,
)
from core.messaging.messages import message_from_json
from core.papers import invoices, numbering
from core.refusals import (
    AlreadyPaid,
    AlreadyRated,
    BadAmount,
    BadPhotos,
    BadRating,
    CostDecided,
    InsufficientStock,
    InvalidTransition,
    NotBeingWorkedOn,
    NotCompleted,
    NotFound,
    NothingNoted,
    Refusal,
    StillUnpaid,
    TechnicianBusy,
    WorkshopJob,
)
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, CostState, Location, PaymentMethod, PaymentStatus, RequestState
from core.work import warranty

STAFF = "Ibu Rina"
KEY = "0123456789abcdef0123456789abcdef.jpg"
TECHNICIAN = ("telegram", "7000000002")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Andi can be reached on Telegram."""
    andi = {"name": "Andi", "role": "technician", "technician": ANDI, "telegram": 7000000002}
    return Shop.model_validate(shop.model_dump() | {"staff": [*(each.model_dump() for each in shop.staff), andi]})


class Work:
    """The verbs, each in a transaction of its own, on the booking of a code."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.shop, self.now = database, shop, now

    async def __call__(self, verb: Any, *args: Any, code: str = CODE, actor: str = STAFF, **rest: Any) -> Any:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=code)
            return await verb(Context(session, self.shop, self.now), booking, *args, actor=actor, **rest)

    async def pay(self, amount: int = PRICE, *, order: int = 1, code: str = CODE) -> None:
        number = f"BOOKING-A1-{code.replace('-', '')}-{order}"
        await give_link(self.database, number, self.shop, self.now)
        reported = answer(number, amount=amount, transaction_id=f"t-{number}")
        async with self.database.write() as session:
            assert await payment.settle(Context(session, self.shop, self.now), number, reported) == "received"

    async def cost(self, amount: int = 100_000, *, agreed: bool, photo: str | None = None) -> AdditionalCost:
        made = await self(work.add_cost, "Kabel RCA 5 m", amount, agreed=agreed, photo=photo)
        assert isinstance(made, AdditionalCost)
        return made

    async def decide(self, cost: AdditionalCost, *, agreed: bool, customer_id: int = 1) -> None:
        async with self.database.write() as session:
            await work.decide_cost(
                Context(session, self.shop, self.now), cost.id, agreed=agreed, customer_id=customer_id
            )

    async def rate(self, stars: int, comment: str | None = None, *, customer_id: int = 1) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await work.rate(Context(session, self.shop, self.now), booking, stars, comment, customer_id=customer_id)


@pytest.fixture
def on(database: Database, shop: Shop, now: datetime) -> Work:
    return Work(database, shop, now)


async def in_progress(on: Work, **asked: Any) -> None:
    """A paid job of Andi's that has begun."""
    await book(on.database, on.shop, on.now, technician_id=ANDI, **asked)
    await on.pay((await booking_of(on.database)).total_price)
    await on(work.start)


async def completed(on: Work, **asked: Any) -> None:
    await in_progress(on, **asked)
    await on(work.complete)


async def events(database: Database) -> list[tuple[str, str]]:
    async with database.read() as session:
        found = await session.scalars(select(BookingEvent).order_by(BookingEvent.id))
        return [(event.kind, event.actor) for event in found]


async def raw(database: Database, key: str) -> Outbox:
    async with database.read() as session:
        return (await session.scalars(select(Outbox).where(Outbox.key == key))).one()


async def stock_of(database: Database, part_id: str) -> tuple[int, int]:
    async with database.read() as session:
        part = await session.get_one(Part, part_id)
        return part.on_hand, part.reserved


# --- who does it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [PaymentMethod.TRANSFER, PaymentMethod.COD])
async def test_assigning_confirms_a_pending_booking(on: Work, method: PaymentMethod) -> None:
    await book(on.database, on.shop, on.now, method=method)
    await on(work.assign, BUDI)
    booking = await booking_of(on.database)
    assert (booking.status, booking.hold_until) == (BookingStatus.CONFIRMED, None)
    assert (booking.technician_id, booking.payment_status) == (BUDI, PaymentStatus.PENDING)
    assert (await events(on.database))[-2:] == [("assigned", STAFF), ("confirmed", STAFF)]
    await check_books(on.database)


async def test_assigning_notifies_customer_and_technician(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    await on(work.assign, ANDI)
    (told,) = (await letters(on.database, channel="telegram", address="5001", kind="notice")).values()
    assert "Andi" in told
    assert "terkonfirmasi" in told
    (job,) = (await letters(on.database, address=TECHNICIAN[1])).values()
    assert "Tugas baru" in job
    assert "Avanza" in job
    assert len(await letters(on.database, kind="reminder")) == 2


async def test_a_busy_technician_is_not_free(on: Work) -> None:
    await book(on.database, on.shop, on.now, code="BK-000002", technician_id=BUDI)
    await book(on.database, on.shop, on.now)
    async with on.database.read() as session:
        booking = await bookings.load(session, code=CODE)
        assert [each.id for each in await work.free_for(Context(session, on.shop, on.now), booking)] == [ANDI, CITRA]
    with pytest.raises(TechnicianBusy):
        await on(work.assign, BUDI)
    assert (await booking_of(on.database)).status is BookingStatus.PENDING


@pytest.mark.parametrize(
    ("technician", "why"),
    [
        (BUDI, TechnicianBusy),  # can't tune a DSP
        ("siapa", NotFound),  # nobody of that name
    ],
)
async def test_assigning_an_unfit_technician_is_refused(on: Work, technician: str, why: type[Refusal]) -> None:
    await book(on.database, on.shop, on.now, services=(TUNE,))
    with pytest.raises(why):
        await on(work.assign, technician)


async def test_the_assigned_technician_counts_as_free(on: Work) -> None:
    await book(on.database, on.shop, on.now, technician_id=ANDI)
    async with on.database.read() as session:
        booking = await bookings.load(session, code=CODE)
        assert ANDI in [each.id for each in await work.free_for(Context(session, on.shop, on.now), booking)]
    await on(work.assign, ANDI)
    assert (await booking_of(on.database)).status is BookingStatus.CONFIRMED


async def test_reassigning_frees_and_notifies_the_first(on: Work) -> None:
    await book(on.database, on.shop, on.now, technician_id=ANDI)
    await on(work.assign, ANDI)
    await on(work.assign, BUDI)
    await check_books(on.database)
    told = "\n".join((await letters(on.database, address=TECHNICIAN[1])).values())
    assert "dialihkan" in told
    await book(on.database, on.shop, on.now, code="BK-000002", technician_id=ANDI)  # Andi is free again
    await check_books(on.database)


async def test_two_assignments_at_once_give_one_job(on: Work) -> None:
    for code, technician in ((CODE, ANDI), ("BK-000002", BUDI)):
        await book(on.database, on.shop, on.now, code=code, technician_id=technician)
    ends = await at_once(on(work.assign, CITRA), on(work.assign, CITRA, code="BK-000002"))
    assert sorted(ends) == ["TechnicianBusy", "done"]
    await check_books(on.database)


async def test_assigning_the_same_technician_changes_nothing(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    await on(work.assign, ANDI)
    before = await events(on.database)
    await on(work.assign, ANDI)
    assert await events(on.database) == before


async def test_assigning_after_the_hold_ended_holds_again(on: Work) -> None:
    await book(on.database, on.shop, on.now, parts=((SPEAKER, 2),), services=(INSTALL,))
    on.now += on.shop.hold
    async with on.database.write() as session:
        await bookings.release_ended_holds(Context(session, on.shop, on.now))
    await on(work.assign, ANDI)
    booking = await booking_of(on.database)
    assert (booking.status, booking.holding) == (BookingStatus.CONFIRMED, True)
    assert await stock_of(on.database, SPEAKER) == (2, 2)
    await check_books(on.database)


async def test_assigning_is_refused_when_parts_are_sold(on: Work) -> None:
    await book(on.database, on.shop, on.now, parts=((SPEAKER, 2),), services=(INSTALL,))
    on.now += on.shop.hold
    await book(on.database, on.shop, on.now, code="BK-000002", parts=((SPEAKER, 2),), services=(INSTALL,))
    with pytest.raises(InsufficientStock):
        await on(work.assign, ANDI)
    assert (await booking_of(on.database)).status is BookingStatus.PENDING
    await check_books(on.database)


async def test_an_ended_hold_frees_its_technician(on: Work) -> None:
    await book(on.database, on.shop, on.now, code="BK-000002", technician_id=ANDI)
    on.now += on.shop.hold
    await book(on.database, on.shop, on.now)
    await on(work.assign, ANDI)
    await check_books(on.database)
    assert not (await booking_of(on.database, "BK-000002")).holding


@pytest.mark.parametrize("over", [BookingStatus.COMPLETED, BookingStatus.CANCELLED])
async def test_finished_bookings_are_not_assigned(on: Work, over: BookingStatus) -> None:
    await in_progress(on)
    if over is BookingStatus.CANCELLED:
        await on(cancel, reason="")
    else:
        await on(work.move_status, over)
    with pytest.raises(InvalidTransition):
        await on(work.assign, BUDI)


async def test_the_agenda_lists_the_days_jobs_in_order(on: Work) -> None:
    tuesday = tuesday_at_ten(on.shop, on.now)
    for code, starts_at in (
        ("BK-000003", tuesday + timedelta(hours=3)),
        ("BK-000001", tuesday),
        ("BK-000002", tuesday + timedelta(days=1)),
    ):
        await book(on.database, on.shop, on.now, code=code, starts_at=starts_at, technician_id=ANDI)
        await on(work.assign, ANDI, code=code)
    await on(cancel, code="BK-000003", reason="hujan")
    await book(
        on.database, on.shop, on.now, code="BK-000004", starts_at=tuesday + timedelta(hours=4), technician_id=ANDI
    )
    await on(work.assign, ANDI, code="BK-000004")
    async with on.database.read() as session:
        jobs = await work.agenda(Context(session, on.shop, on.now), ANDI, tuesday.date())
        assert [(job.code, job.lines[0].name) for job in jobs] == [
            ("BK-000001", "Pasang speaker"),
            ("BK-000004", "Pasang speaker"),
        ]


# --- the job itself ------------------------------------------------------------------------------


async def test_starting_a_job_ends_its_reminders(on: Work) -> None:
    await in_progress(on)
    assert (await booking_of(on.database)).status is BookingStatus.IN_PROGRESS
    assert "Toyota Avanza" in (await letters(on.database))[f"started:{CODE}"]
    assert await letters(on.database, kind="reminder", state="due") == {}


async def test_an_unconfirmed_job_cannot_start(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    with pytest.raises(InvalidTransition):
        await on(work.start)


async def test_on_my_way_is_for_onsite_jobs_and_told_once(on: Work) -> None:
    await book(on.database, on.shop, on.now, location=Location.ONSITE, address="Jl. Melati 3", technician_id=ANDI)
    await on(work.assign, ANDI)
    for _ in range(2):
        await on(work.on_my_way)
    told = [text for key, text in (await letters(on.database)).items() if key.startswith("on-my-way")]
    assert told == [f"Andi sedang dalam perjalanan ke tempat Kakak untuk booking {CODE}. Sampai ketemu sebentar lagi!"]

    await book(on.database, on.shop, on.now, code="BK-000002")
    with pytest.raises(WorkshopJob):
        await on(work.on_my_way, code="BK-000002")


async def test_a_note_reaches_the_customer_with_its_photos(on: Work) -> None:
    await in_progress(on)
    note = await on(work.add_note, "Bracket sudah terpasang", photos=[KEY, "https://foto.example/2.jpg"], actor="Andi")
    first, second = await raw(on.database, f"note:{note.id}:0"), await raw(on.database, f"note:{note.id}:1")
    shown, linked = message_from_json(first.body), message_from_json(second.body)
    assert "Bracket sudah terpasang" in (await letters(on.database))[first.key]
    assert shown.document is not None
    assert (shown.document.kind, shown.document.id) == ("photo", KEY)
    assert linked.link is not None
    assert linked.link.url == "https://foto.example/2.jpg"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("text", "photos", "why"),
    [
        ("", [], NothingNoted),
        ("  \n", [], NothingNoted),
        ("x", ["../../etc/passwd"], BadPhotos),  # a path is no key
        ("x", ["http://foto.example/1.jpg"], BadPhotos),  # in the clear
        ("x", ["javascript:alert(1)"], BadPhotos),
        ("x", ["https://rina:rahasia@foto.example/1.jpg"], BadPhotos),  # somebody's password
        ("x", [KEY] * 11, BadPhotos),
    ],
)
async def test_an_empty_note_is_refused(on: Work, text: str, photos: list[str], why: type[Refusal]) -> None:
    await in_progress(on)
    with pytest.raises(why):
        await on(work.add_note, text, photos=photos)


async def test_a_pending_booking_takes_no_note(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    with pytest.raises(NotBeingWorkedOn):
        await on(work.add_note, "halo", photos=[])


# --- what it costs on top ------------------------------------------------------------------------


async def test_an_agreed_cost_raises_the_total(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=True)
    booking = await booking_of(on.database)
    assert (booking.additional_costs, booking.total_price, booking.remaining) == (100_000, 250_000, 100_000)
    assert booking.payment_status is PaymentStatus.DP_PAID
    assert [(line.name, line.total) for line in booking.lines][1:] == [("Kabel RCA 5 m", 100_000)]
    async with on.database.read() as session:
        request = await session.get_one(PaymentRequest, "BOOKING-A1-BK000001-2")
    assert (request.amount, request.state) == (100_000, RequestState.WANTED)
    assert "Link pembayarannya segera menyusul" in (await letters(on.database))[f"cost:{cost.id}"]
    await on.pay(100_000, order=2)
    assert (await booking_of(on.database)).payment_status is PaymentStatus.PAID
    assert "sisa pembayaran" in (await letters(on.database))["link:BOOKING-A1-BK000001-2"]


async def test_a_proposed_cost_asks_and_bills_nothing(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False, photo=KEY)
    asked = message_from_json((await raw(on.database, f"cost:{cost.id}")).body)
    assert [option.id for option in asked.options] == [f"cost-yes:{cost.id}", f"cost-no:{cost.id}"]
    assert asked.document is not None
    assert asked.document.id == KEY
    assert (await booking_of(on.database)).total_price == PRICE


@pytest.mark.parametrize(
    ("agreed", "total", "state", "heard"),
    [(True, 250_000, CostState.AGREED, "setuju"), (False, 150_000, CostState.REFUSED, "Jangan dikerjakan")],
)
async def test_staff_is_told_of_a_decided_cost(
    on: Work, *, agreed: bool, total: int, state: CostState, heard: str
) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    await on.decide(cost, agreed=agreed)
    booking = await booking_of(on.database)
    assert booking.total_price == total
    async with on.database.read() as session:
        assert [each.state for each in (await work.history(session, booking)).costs] == [state]
    for _, address in (TECHNICIAN, ADMIN):
        assert any(heard in text for text in (await letters(on.database, address=address)).values())


async def test_a_cost_is_decided_once(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    await on.decide(cost, agreed=False)
    for agreed in (True, False):
        with pytest.raises(CostDecided):
            await on.decide(cost, agreed=agreed)
    assert (await booking_of(on.database)).total_price == PRICE


async def test_only_the_customer_decides_a_cost(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    with pytest.raises(NotFound):
        await on.decide(cost, agreed=True, customer_id=2)


async def test_a_cancelled_bookings_cost_is_never_billed(on: Work) -> None:
    await book(on.database, on.shop, on.now, method=PaymentMethod.COD)
    await on(work.assign, ANDI)
    cost = await on.cost(agreed=False)
    async with on.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await bookings.cancel(Context(session, on.shop, on.now), booking, reason="", actor=bookings.CUSTOMER)
    with pytest.raises(NotBeingWorkedOn):
        await on.decide(cost, agreed=True)


async def test_two_taps_at_once_bill_a_cost_once(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    ends = await at_once(*(on.decide(cost, agreed=True) for _ in range(4)))
    assert sorted(ends) == ["CostDecided"] * 3 + ["done"]
    assert (await booking_of(on.database)).total_price == 250_000


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("amount", [0, -5_000, 1_000_000_001])
async def test_an_impossible_amount_is_refused(on: Work, amount: int) -> None:
    await in_progress(on)
    with pytest.raises(BadAmount):
        await on.cost(amount, agreed=True)


async def test_costs_are_added_only_to_live_jobs(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    with pytest.raises(NotBeingWorkedOn):
        await on.cost(agreed=True)
    await on.pay()
    await on(work.start)
    await on(work.complete)
    with pytest.raises(NotBeingWorkedOn):
        await on.cost(agreed=True)


async def test_a_cost_without_payment_channel_is_paid_on_site(on: Work) -> None:
    await book(on.database, on.shop, on.now, method=PaymentMethod.COD, technician_id=ANDI)
    await on(work.assign, ANDI)
    cost = await on.cost(5_000, agreed=True)
    assert (await booking_of(on.database)).remaining == PRICE + 5_000
    assert "dibayar di tempat" in (await letters(on.database))[f"cost:{cost.id}"]


async def test_an_admin_asks_a_customer_without_a_chat(on: Work) -> None:
    await in_progress(on)
    async with on.database.write() as session:
        await session.execute(update(Booking).values(contact_id=None))
    cost = await on.cost(agreed=False)
    assert "telepon" in (await letters(on.database))[f"staff:cost:{cost.id}:telegram:7000000001"]


async def test_a_cost_is_taxed_as_the_booking_is(on: Work) -> None:
    on.shop = Shop.model_validate(on.shop.model_dump() | {"charge_ppn": True})
    await in_progress(on)
    await on.cost(100_000, agreed=True)
    booking = await booking_of(on.database)
    assert (booking.tax_base, booking.tax_amount, booking.total_price) == (229_167, 27_500, 277_500)


# --- cash ----------------------------------------------------------------------------------------


async def test_cash_is_entered_with_the_staff_member(on: Work) -> None:
    await in_progress(on)
    await on.cost(agreed=True)
    await on(work.receive_cash, 60_000, actor="Andi")
    assert (await booking_of(on.database)).payment_status is PaymentStatus.DP_PAID
    await on(work.receive_cash, 40_000, actor="Andi")
    assert (await booking_of(on.database)).payment_status is PaymentStatus.PAID
    async with on.database.read() as session:
        entries = (await session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "cash"))).all()
        wanted = await session.get_one(PaymentRequest, "BOOKING-A1-BK000001-2")
    assert [(entry.amount, entry.evidence, entry.at) for entry in entries] == [
        (60_000, {"taken_by": "Andi"}, on.now),
        (40_000, {"taken_by": "Andi"}, on.now),
    ]
    assert wanted.state is RequestState.CANCELLED  # nobody pays the same rest twice


async def test_cash_confirms_a_pending_booking(on: Work) -> None:
    await book(on.database, on.shop, on.now, method=PaymentMethod.COD)
    await on(work.receive_cash, PRICE)
    booking = await booking_of(on.database)
    assert (booking.status, booking.hold_until) == (BookingStatus.CONFIRMED, None)
    told = message_from_json((await raw(on.database, f"cash:{CODE}:1")).body)
    assert told.document is not None
    assert told.document.id == CODE


@pytest.mark.parametrize("amount", [0, -1, PRICE + 1])
async def test_more_cash_than_remains_is_refused(on: Work, amount: int) -> None:
    await book(on.database, on.shop, on.now, method=PaymentMethod.COD)
    with pytest.raises(BadAmount):
        await on(work.receive_cash, amount)


async def test_a_paid_booking_takes_no_cash(on: Work) -> None:
    await in_progress(on)
    with pytest.raises(AlreadyPaid):
        await on(work.receive_cash, 1)


# --- done ----------------------------------------------------------------------------------------


async def test_an_unpaid_job_is_not_completed(on: Work) -> None:
    await in_progress(on)
    await on.cost(agreed=True)
    with pytest.raises(StillUnpaid) as refused:
        await on(work.complete)
    assert refused.value.params == {"remaining": 100_000}
    await on(work.receive_cash, 100_000)
    await on(work.complete)
    assert (await booking_of(on.database)).status is BookingStatus.COMPLETED


async def test_completion_does_all_of_step_four(on: Work) -> None:
    await in_progress(on, parts=((SPEAKER, 2), (AMPLIFIER, 1)), services=(INSTALL,))
    assert await stock_of(on.database, SPEAKER) == (2, 2)
    on.now += timedelta(days=1, hours=4)
    await on(work.complete, actor="Andi")
    booking = await booking_of(on.database)
    assert (booking.status, booking.completed_at, booking.holding) == (BookingStatus.COMPLETED, on.now, False)
    assert await stock_of(on.database, SPEAKER) == (0, 0)
    assert await stock_of(on.database, AMPLIFIER) == (4, 0)
    assert [line.warranty_until for line in booking.lines] == [date(2027, 11, 24), date(2027, 5, 24), None]
    assert booking.warranty_until == date(2027, 11, 24)
    async with on.database.read() as session:
        assert (await session.get_one(Technician, ANDI)).total_jobs == 1
    await check_books(on.database)


async def test_completion_sends_warranty_invoice_and_rating(on: Work) -> None:
    await completed(on, parts=((SPEAKER, 1),), services=(INSTALL,))
    card = await raw(on.database, f"completed:{CODE}:{CODE}")
    told = (await letters(on.database))[card.key]
    assert "Speaker 6,5 inci: sampai Selasa, 23 November 2027" in told
    assert "Pasang speaker" not in told  # no warranty on it
    assert message_from_json(card.body).document is not None
    question = await raw(on.database, f"rate:{CODE}")
    assert question.due_at == on.now + timedelta(days=1)
    assert [option.id for option in message_from_json(question.body).options] == [
        f"rate:{CODE}:{stars}" for stars in (5, 4, 3, 2, 1)
    ]
    mailed = await letters(on.database, channel="email")
    assert f"completed:{CODE}:{CODE}:email" in mailed


async def test_completion_refuses_undecided_costs(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    await on(work.complete)
    with pytest.raises(CostDecided):
        await on.decide(cost, agreed=True)
    assert (await booking_of(on.database)).total_price == PRICE


async def test_invoices_sum_up_to_the_total_at_completion(on: Work) -> None:
    await in_progress(on)
    await on.cost(100_000, agreed=True)
    await on.cost(25_000, agreed=True)
    await on(work.receive_cash, 125_000)
    await on(work.complete)
    async with on.database.read() as session:
        first, paid_first = await invoices.load(session, CODE)
        second, paid_second = await invoices.load(session, f"{CODE}.2")
        with pytest.raises(NotFound):
            await invoices.load(session, f"{CODE}.3")
    assert (first.total, second.total) == (PRICE, 125_000)
    assert (second.number, second.supplements) == ("INV/2026/00002", "INV/2026/00001")
    assert [line.total for line in second.lines] == [100_000, 25_000]
    assert [[each.amount for each in paid] for paid in (paid_first, paid_second)] == [[PRICE], [125_000]]
    sent = await raw(on.database, f"completed:{CODE}:{CODE}.2")
    assert "biaya tambahan" in (await letters(on.database))[sent.key]


async def test_a_cash_job_has_one_invoice(on: Work) -> None:
    await book(on.database, on.shop, on.now, method=PaymentMethod.COD, technician_id=ANDI)
    await on(work.assign, ANDI)
    await on(work.start)
    await on.cost(50_000, agreed=True)
    await on(work.receive_cash, PRICE + 50_000)
    await on(work.complete)
    async with on.database.read() as session:
        facts, _ = await invoices.load(session, CODE)
        booking = await bookings.load(session, code=CODE)
        assert (await numbering.of_booking(session, booking)).invoices == [CODE]
    assert (facts.total, facts.additional_costs) == (200_000, 50_000)


async def test_two_completions_at_once_count_once(on: Work) -> None:
    await in_progress(on, parts=((SPEAKER, 1),), services=(INSTALL,))
    ends = await at_once(*(on(work.complete, actor=who) for who in ("Andi", "Budi", "Rina")))
    assert sorted(ends) == ["InvalidTransition"] * 2 + ["done"]
    assert await stock_of(on.database, SPEAKER) == (1, 0)
    async with on.database.read() as session:
        assert (await session.get_one(Technician, ANDI)).total_jobs == 1
    await check_books(on.database)


async def test_two_jobs_completed_at_once_both_count(on: Work) -> None:
    codes = ["BK-000001", "BK-000002", "BK-000003"]
    for number, code in enumerate(codes):
        starts_at = tuesday_at_ten(on.shop, on.now) + timedelta(hours=number)
        await book(
            on.database, on.shop, on.now, code=code, starts_at=starts_at, technician_id=ANDI, parts=((AMPLIFIER, 1),),
            services=(INSTALL,),
        )  # fmt: skip
        await on.pay((await booking_of(on.database, code)).total_price, code=code)
        await on(work.start, code=code)
    assert await at_once(*(on(work.complete, code=code) for code in codes)) == ["done"] * 3
    async with on.database.read() as session:
        assert (await session.get_one(Technician, ANDI)).total_jobs == 3
    assert await stock_of(on.database, AMPLIFIER) == (2, 0)
    await check_books(on.database)


async def test_a_job_is_either_completed_or_cancelled(on: Work) -> None:
    await in_progress(on, parts=((SPEAKER, 1),), services=(INSTALL,))
    ends = await at_once(on(work.complete), on(cancel, reason="salah mobil"))
    assert sorted(ends) == ["InvalidTransition", "done"]
    status = (await booking_of(on.database)).status
    assert await stock_of(on.database, SPEAKER) == ((1, 0) if status is BookingStatus.COMPLETED else (2, 0))
    await check_books(on.database)


async def test_stock_follows_sales_and_reservations(on: Work) -> None:
    await in_progress(on, parts=((AMPLIFIER, 2),), services=(INSTALL,))
    await book(on.database, on.shop, on.now, code="BK-000002", parts=((AMPLIFIER, 1),), services=(INSTALL,))
    await on(work.complete)
    assert await stock_of(on.database, AMPLIFIER) == (3, 1)
    await on(cancel, code="BK-000002", reason="")
    assert await stock_of(on.database, AMPLIFIER) == (3, 0)


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),  # February has no 31st
        (date(2027, 8, 31), 6, date(2028, 2, 29)),  # except in a leap year, the 29th
        (date(2026, 12, 15), 1, date(2027, 1, 15)),  # over the year's end
        (date(2026, 12, 15), 24, date(2028, 12, 15)),
    ],
)
def test_a_warranty_ends_on_the_same_day_of_the_month(begins: date, months: int, ends: date) -> None:
    assert warranty.ends(begins, months) == ends
    assert warranty.days_left(ends, ends) == 1
    assert warranty.days_left(ends, ends + timedelta(days=1)) == 0


# --- cancelled by staff --------------------------------------------------------------------------


async def test_staff_cancels_with_a_reason_and_a_refund(on: Work) -> None:
    await in_progress(on)
    cost = await on.cost(agreed=False)
    await on(cancel, reason="Alat kami rusak")
    booking = await booking_of(on.database)
    assert (booking.status, booking.cancellation_reason) == (BookingStatus.CANCELLED, "Alat kami rusak")
    told = (await letters(on.database))[f"cancelled:{CODE}"]
    assert "Alat kami rusak" in told
    assert "Rp150.000" in told
    async with on.database.read() as session:
        (refund,) = (await session.scalars(select(Refund))).all()
        assert (refund.amount, refund.reason) == (150_000, "cancelled")
    with pytest.raises(CostDecided):
        await on.decide(cost, agreed=True)
    await check_books(on.database)


async def test_cancelling_ends_the_payment_link(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    await on(cancel, reason="")
    async with on.database.read() as session:
        assert (await session.scalars(select(PaymentRequest.state))).all() == [RequestState.CANCELLED]
    assert "Alasannya" not in (await letters(on.database))[f"cancelled:{CODE}"]


async def test_a_completed_job_is_not_cancelled(on: Work) -> None:
    await completed(on)
    with pytest.raises(InvalidTransition):
        await on(cancel, reason="")


@pytest.mark.parametrize("status", [BookingStatus.PENDING, BookingStatus.CONFIRMED])
async def test_move_status_refuses_pending_and_confirmed(on: Work, status: BookingStatus) -> None:
    await book(on.database, on.shop, on.now)
    with pytest.raises(InvalidTransition):
        await on(work.move_status, status)


async def test_move_status_starts_and_completes(on: Work) -> None:
    await book(on.database, on.shop, on.now, technician_id=ANDI)
    await on.pay()
    await on(work.move_status, BookingStatus.IN_PROGRESS)
    await on(work.move_status, BookingStatus.COMPLETED)
    booking = await booking_of(on.database)
    assert (booking.status, booking.completed_at) == (BookingStatus.COMPLETED, on.now)


# --- afterwards ----------------------------------------------------------------------------------


async def test_a_rating_counts_for_the_technician_once(on: Work) -> None:
    await completed(on)
    await on.rate(4, "Rapi")
    with pytest.raises(AlreadyRated):
        await on.rate(5)
    async with on.database.read() as session:
        andi = await session.get_one(Technician, ANDI)
        assert (andi.rating_sum, andi.rating_count) == (4, 1)
    assert await letters(on.database, kind="reminder", state="due") == {}  # nobody is asked for it any more


async def test_a_comment_may_follow_the_stars_once(on: Work) -> None:
    await completed(on)
    await on.rate(5)
    async with on.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await work.comment_on(session, booking, "Suaranya mantap", customer_id=1)
        with pytest.raises(AlreadyRated):
            await work.comment_on(session, booking, "Eh, tidak", customer_id=1)
        with pytest.raises(NotFound):
            await work.comment_on(session, booking, "Saya siapa?", customer_id=2)
        rating = (await work.history(session, booking)).rating
        assert rating is not None
        assert rating.comment == "Suaranya mantap"


@pytest.mark.parametrize(
    ("stars", "customer", "why"),
    [(0, 1, BadRating), (6, 1, BadRating), (-1, 1, BadRating), (5, 2, NotFound)],
)
async def test_ratings_that_do_not_count(on: Work, stars: int, customer: int, why: type[Refusal]) -> None:
    await completed(on)
    with pytest.raises(why):
        await on.rate(stars, customer_id=customer)


async def test_only_a_completed_job_is_rated(on: Work) -> None:
    await in_progress(on)
    with pytest.raises(NotCompleted):
        await on.rate(5)


async def test_taps_on_several_stars_at_once_are_one_rating(on: Work) -> None:
    await completed(on)
    ends = await at_once(*(on.rate(stars) for stars in (1, 3, 5)))
    assert sorted(ends) == ["AlreadyRated"] * 2 + ["done"]
    async with on.database.read() as session:
        assert (await session.get_one(Technician, ANDI)).rating_count == 1


async def test_history_is_in_order_and_hides_internals(on: Work) -> None:
    await in_progress(on)
    await on(work.add_note, "Kabel lama putus", photos=[KEY], actor="Andi")
    await on.decide(await on.cost(agreed=False), agreed=True)
    await on(work.receive_cash, 100_000)
    await on(work.complete)
    await on.rate(5, "Mantap")
    async with on.database.read() as session:
        past = await work.history(session, await bookings.load(session, code=CODE))
    assert [event.kind for event in past.events] == [
        "created",
        "received",
        "confirmed",
        "started",
        "note",
        "cost_proposed",
        "cost_agreed",
        "cash",
        "completed",
        "rated",
    ]
    assert [note.photos for note in past.notes] == [[KEY]]
    assert [(payment.kind, payment.amount) for payment in past.payments] == [("received", PRICE), ("cash", 100_000)]
    assert past.papers == [CODE, f"{CODE}.2"]
    assert past.rating is not None
    assert past.rating.stars == 5


async def test_notes_of_several_bookings(on: Work) -> None:
    await in_progress(on)
    await on(work.add_note, "Satu", photos=[])
    await on(work.add_note, "Dua", photos=[])
    async with on.database.read() as session:
        notes = await work.notes_of(session, [1, 2])
    assert [note.text for note in notes[1]] == ["Satu", "Dua"]


async def at_once(*steps: Awaitable[object]) -> list[str]:
    """Run these at once; for each "done", or the refusal's name."""
    ends = await asyncio.gather(*steps, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Refusal):
            raise end
    return [type(end).__name__ if isinstance(end, Refusal) else "done" for end in ends]


async def test_a_refund_under_way_pays_for_nothing(on: Work) -> None:
    await book(on.database, on.shop, on.now)
    await on.pay()
    async with on.database.write() as session:
        twice = answer(transaction_id="t-2")
        await payment.settle(Context(session, on.shop, on.now), twice["order_id"], twice)
    await on(work.start)
    await on.cost(agreed=True)
    booking = await booking_of(on.database)
    assert (booking.going_back, booking.remaining, booking.payment_status) == (PRICE, 100_000, PaymentStatus.DP_PAID)
    with pytest.raises(StillUnpaid):
        await on(work.complete)
    await on(work.receive_cash, 100_000)
    await on(work.complete)
    booking = await booking_of(on.database)
    assert (booking.remaining, booking.payment_status) == (0, PaymentStatus.PAID)
