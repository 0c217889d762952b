"""Late money: paid, but the place went to somebody else. Another slot, or all of it back; nothing lies forgotten."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from paying import ADMIN, CHAT, CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, text_of
from sqlalchemy import event, select
from workshop import ANDI, BUDI, CITRA, SPEAKER, check_books, order
from workshop import book as just_book

from core import payment, work
from core.booking import reschedule
from core.context import Context
from core.db.database import Database
from core.db.tables import Invoice, Outbox, Refund
from core.messaging.messages import message_from_json
from core.refusals import InsufficientStock, InvalidTransition, SlotFull, TechnicianBusy
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus

TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def narrow(shop: Shop) -> Shop:
    """One bay, so that one rival is enough."""
    return shop.model_copy(update={"max_bookings_per_slot": 1})


async def late_money(
    database: Database,
    shop: Shop,
    now: datetime,
    *,
    rival: dict[str, Any] | None = None,
    percent: int | None = None,
    amount: int = PRICE,
    **asked: Any,
) -> datetime:
    """Booked, the link ran out, a rival came, and then the money; the moment it did."""
    await book(database, shop, now, percent=percent, **asked)
    await give_link(database, ORDER, shop, now)
    ended = now + shop.hold
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, shop, ended), ORDER, None)
    wanted = {"starts_at": shop.at(TUESDAY, time(10))} | (rival or {})
    async with database.write() as session:
        await just_book(session, order(**wanted), shop=shop, now=ended, code="BK-RIVAL1", customer=2)
    async with database.write() as session:
        await payment.settle(Context(session, shop, ended + MINUTE), ORDER, answer(amount=amount))
    return ended + MINUTE


async def choices(database: Database) -> list[str]:
    """What the customer can tap below the news."""
    async with database.read() as session:
        row = (await session.scalars(select(Outbox).where(Outbox.key == f"seat-gone:{ORDER}"))).one()
        return [option.id for option in message_from_json(row.body).options]


async def move(database: Database, shop: Shop, starts_at: datetime, now: datetime, technician: str | None) -> None:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await reschedule(
            Context(session, shop, now), booking, starts_at, technician_id=technician, actor=bookings.CUSTOMER
        )


# --- what is offered -----------------------------------------------------------------------------


async def test_choices_are_slots_another_time_and_a_refund(database: Database, narrow: Shop, now: datetime) -> None:
    await late_money(database, narrow, now)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.paid_amount) == ("pending", "paid", PRICE)
    assert payment.has_lost_slot(booking)
    near = [f"retake:{CODE}:2026-11-24T{clock}" for clock in ("09:00", "11:00", "12:00")]
    assert await choices(database) == [*near, f"move:{CODE}", f"money-back:{CODE}"]
    told = await letters(database)
    assert "Sel, 24 Nov 10:00 keburu terisi" in told[f"seat-gone:{ORDER}"]
    assert "• Sel, 24 Nov 09:00\n• Sel, 24 Nov 11:00" in told[f"seat-gone:{ORDER}:email"]
    assert f"staff:seat-gone:{ORDER}:telegram:{ADMIN[1]}" in told
    assert await letters(database, kind="reminder") == {}


async def test_another_technician_is_offered_at_that_time(database: Database, shop: Shop, now: datetime) -> None:
    await late_money(database, shop, now, technician_id=ANDI, rival={"technician_id": ANDI})
    offered = await choices(database)
    assert offered[:3] == [f"retake:{CODE}:2026-11-24T{clock}" for clock in ("09:00", "11:00", "12:00")]
    assert offered[3:4] == [f"retake-any:{CODE}:2026-11-24T10:00"]


async def test_sold_out_part_offers_no_slots(database: Database, shop: Shop, now: datetime) -> None:
    await late_money(
        database, shop, now, parts=((SPEAKER, 2),), amount=1_680_000, rival={"parts": ((SPEAKER, 1),), "services": ()}
    )
    assert await choices(database) == ["human", f"money-back:{CODE}"]
    told = await letters(database)
    assert "Speaker 6,5 inci keburu habis" in told[f"seat-gone:{ORDER}"]
    assert "part-nya sudah habis" in told[f"staff:seat-gone:{ORDER}:telegram:{ADMIN[1]}"]


async def test_money_after_the_appointment_offers_later_slots(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    thursday = shop.at(date(2026, 11, 26), time(9))
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, shop, now + shop.hold), ORDER, None)
    async with database.write() as session:
        await payment.settle(Context(session, shop, thursday), ORDER, answer())
    first = (await choices(database))[0]
    assert first == f"retake:{CODE}:2026-11-26T10:00"


# --- another slot --------------------------------------------------------------------------------


async def test_another_slot_confirms_the_booking(database: Database, narrow: Shop, now: datetime) -> None:
    """Past every limit: it isn't the customer's fault that it must move. Again after that, it counts."""
    strict = narrow.model_copy(update={"max_moves": 1, "move_until_hours": 48})
    later = await late_money(database, strict, now, percent=30, amount=45_000)
    to = strict.at(WEDNESDAY, time(13))
    await move(database, strict, to, later, None)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.starts_at) == ("confirmed", "dp_paid", to)
    assert (booking.holding, booking.hold_until, booking.moves) == (True, None, 0)
    async with database.read() as session:
        assert len((await session.scalars(select(Invoice))).all()) == 1
        due = await session.scalars(select(Outbox.due_at).where(Outbox.kind == "reminder").order_by(Outbox.due_at))
        assert list(due) == [to - DAY, to - timedelta(hours=2)]
        chat = (
            await session.scalars(select(Outbox).where(Outbox.key.like("placed:%"), Outbox.channel == CHAT[0]))
        ).one()
    assert "terkonfirmasi" in text_of(chat)
    assert "Sisa pembayaran Rp105.000" in text_of(chat)
    assert chat.body["document"] == {"kind": "invoice", "id": CODE}
    assert any(key.startswith("staff:placed:") for key in await letters(database, kind="staff"))
    await check_books(database)


@pytest.mark.parametrize(
    ("clock", "technician", "refusal"),
    [
        pytest.param("10:00", BUDI, SlotFull, id="the slot was taken meanwhile"),
        pytest.param("11:00", ANDI, TechnicianBusy, id="or the technician was"),
    ],
)
async def test_refused_slot_changes_nothing(
    database: Database, shop: Shop, now: datetime, clock: str, technician: str, refusal: type[Exception]
) -> None:
    later = await late_money(database, shop, now, technician_id=ANDI, rival={"technician_id": ANDI})
    async with database.write() as session:
        for number, who in enumerate((BUDI, CITRA), 2):
            asked = order(shop.at(TUESDAY, time(10)), technician_id=who)
            await just_book(session, asked, shop=shop, now=later, code=f"BK-RIVAL{number}", customer=2)
        extra = order(shop.at(TUESDAY, time(11)), technician_id=ANDI)
        (await bookings.load(session, code="BK-RIVAL1")).hold_until = None
        await just_book(session, extra, shop=shop, now=later, code="BK-RIVAL4", customer=2)
    with pytest.raises(refusal):
        await move(database, shop, shop.at(TUESDAY, time.fromisoformat(clock)), later, technician)
    assert payment.has_lost_slot(await booking_of(database))
    await check_books(database)


async def test_assignment_by_an_admin_confirms_and_invoices(database: Database, shop: Shop, now: datetime) -> None:
    later = await late_money(database, shop, now, technician_id=ANDI, rival={"technician_id": ANDI})
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await work.assign(Context(session, shop, later), booking, BUDI, actor="Ibu Rina")
    booking = await booking_of(database)
    assert (booking.status, booking.technician_id, booking.holding) == ("confirmed", BUDI, True)
    async with database.read() as session:
        assert len((await session.scalars(select(Invoice))).all()) == 1
    await check_books(database)


async def test_what_is_sold_out_takes_no_slot(database: Database, shop: Shop, now: datetime) -> None:
    later = await late_money(
        database, shop, now, parts=((SPEAKER, 2),), amount=1_680_000, rival={"parts": ((SPEAKER, 1),), "services": ()}
    )
    with pytest.raises(InsufficientStock):
        await move(database, shop, shop.at(WEDNESDAY, time(13)), later, None)
    assert payment.has_lost_slot(await booking_of(database))
    await check_books(database)


# --- the rest, asked for all the same ------------------------------------------------------------


async def request_rest(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, shop, now), booking, percent=None)


async def test_who_is_asked_for_the_rest_has_his_place_for_good(
    database: Database, narrow: Shop, now: datetime
) -> None:
    later = await late_money(database, narrow, now, percent=30, amount=45_000)
    async with database.write() as session:
        rival = await bookings.load(session, code="BK-RIVAL1")
        await bookings.cancel(Context(session, narrow, later), rival, reason="batal", actor="customer")
    await request_rest(database, narrow, later)
    booking = await booking_of(database)
    assert (booking.status, booking.holding, booking.hold_until) == ("confirmed", True, None)
    assert any(key.startswith("placed:") for key in await letters(database, channel=CHAT[0], address=CHAT[1]))
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, narrow, later + narrow.hold), f"{ORDER[:-1]}2", None)
    assert (await booking_of(database)).holding, "the rest has time"
    await check_books(database)


async def test_no_request_while_the_slot_is_taken(database: Database, narrow: Shop, now: datetime) -> None:
    later = await late_money(database, narrow, now, percent=30, amount=45_000)
    with pytest.raises(SlotFull):
        await request_rest(database, narrow, later)
    assert payment.has_lost_slot(await booking_of(database))


# --- the money back ------------------------------------------------------------------------------


async def test_refund_cancels_the_booking(database: Database, narrow: Shop, now: datetime) -> None:
    later = await late_money(database, narrow, now)
    async with database.write() as session:
        await payment.refund_lost_slot(Context(session, narrow, later), await bookings.load(session, code=CODE))
    async with database.read() as session:
        (refund,) = (await session.scalars(select(Refund))).all()
    assert (refund.amount, refund.reason) == (PRICE, "late")
    booking = await booking_of(database)
    assert (booking.status, booking.holding) == (BookingStatus.CANCELLED, False)
    told = await letters(database)
    assert "Rp150.000 kami kembalikan semuanya" in told[f"late-back:{CODE}"]
    assert f"late-back:{CODE}:email" in told
    assert f"staff:late-back:{CODE}:telegram:{ADMIN[1]}" in told
    async with database.write() as session:
        with pytest.raises(InvalidTransition):
            await payment.refund_lost_slot(Context(session, narrow, later), await bookings.load(session, code=CODE))


# --- nobody answers ------------------------------------------------------------------------------


async def test_admins_are_reminded_once_after_a_day(database: Database, narrow: Shop, now: datetime) -> None:
    later = await late_money(database, narrow, now)
    key = f"staff:still-late:{CODE}:telegram:{ADMIN[1]}"
    for moment, reminded in ((later + DAY - MINUTE, False), (later + DAY, True), (later + 2 * DAY, True)):
        async with database.write() as session:
            await payment.remind_of_lost_slots(Context(session, narrow, moment))
        assert (key in await letters(database, kind="staff")) is reminded


async def test_nobody_is_reminded_of_what_is_settled(database: Database, narrow: Shop, now: datetime) -> None:
    later = await late_money(database, narrow, now)
    await move(database, narrow, narrow.at(WEDNESDAY, time(13)), later, None)
    async with database.write() as session:
        await payment.remind_of_lost_slots(Context(session, narrow, later + 2 * DAY))
    assert not any("still-late" in key for key in await letters(database, kind="staff"))


async def test_what_waits_is_found_by_its_index(sqlite_url: str, shop: Shop, now: datetime) -> None:
    database, plans = Database(sqlite_url), []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def _explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "FROM booking" in statement:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(step[3] for step in cursor.fetchall())

    async with database.write() as session:
        await payment.remind_of_lost_slots(Context(session, shop, now))
    await database.close()
    assert plans == ["SEARCH booking USING INDEX ix_booking_without_place (status=? AND paid_at<?)"]
