"""What Midtrans reports and what it does to the request, the booking and the ledger: each row of the table, with its reason."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import (
    ADMIN,
    CHAT,
    CODE,
    ORDER,
    PRICE,
    answer,
    book,
    booking_of,
    give_link,
    letters,
    request_of,
    tuesday_at_ten,
)
from sqlalchemy import func, select
from workshop import CHECK, check_books, order

from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Invoice, LedgerEntry, Outbox, PaymentNotification, Refund
from core.notices import booking_notices
from core.payment.midtrans_status import Meaning, meaning, read_status
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import BookingStatus, Outcome, PaymentMethod, PaymentStatus, RequestState

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND_ORDER = "BOOKING-A1-BK000001-2"


async def settle(database: Database, shop: Shop, now: datetime, reported: dict[str, Any], order_id: str = "") -> str:
    async with database.write() as session:
        return await payment.settle(Context(session, shop, now), order_id or reported["order_id"], reported)


async def settle_or_expire(
    database: Database, shop: Shop, now: datetime, reported: dict[str, Any] | None, order_id: str = ORDER
) -> str:
    async with database.write() as session:
        return await payment.settle_or_expire(Context(session, shop, now), order_id, reported)


async def ledger(database: Database, booking_id: int = 1) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.execute(
            select(LedgerEntry.kind, LedgerEntry.amount).filter_by(booking_id=booking_id).order_by(LedgerEntry.id)
        )
        return [(kind, amount) for kind, amount in rows]


async def open_request(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    await book(database, shop, now, **asked)
    await give_link(database, ORDER, shop, now)


CARD = {"payment_type": "credit_card"}
CAPTURED = {"transaction_status": "capture", "fraud_status": "accept"} | CARD
PART_BACK = {"transaction_status": "partial_refund", "refunds": [{"refund_key": "r1", "refund_amount": "50000.00"}]}
BOTH_BACK = {
    "transaction_status": "refund",
    "refunds": [*PART_BACK["refunds"], {"refund_key": "r2", "refund_amount": "100000.00"}],
}
OPEN, PAID, FAILED, EXPIRED = RequestState.OPEN, RequestState.PAID, RequestState.FAILED, RequestState.EXPIRED
Result = tuple[RequestState, list[int]]
UNPAID: Result = (OPEN, [])
RECEIVED = (PAID, [PRICE])
TAKEN, PART = (PAID, [PRICE, -PRICE]), (PAID, [PRICE, -50_000])
TWICE = (PAID, [PRICE, PRICE])
"""A second attempt paid, too: all of that is owed back."""


#   reported, then what stands of it: alone, before its settlement, after its settlement, beside another attempt
STATUSES: dict[str, tuple[dict[str, Any], Result, Result, Result, Result]] = {
    "settlement: money": ({"transaction_status": "settlement"}, RECEIVED, RECEIVED, RECEIVED, TWICE),
    "in capitals, as some send it": ({"transaction_status": "SETTLEMENT"}, RECEIVED, RECEIVED, RECEIVED, TWICE),
    "an accepted card; its settlement is the same money": (CAPTURED, RECEIVED, RECEIVED, RECEIVED, TWICE),
    "a card nobody checked": ({"transaction_status": "capture"} | CARD, RECEIVED, RECEIVED, RECEIVED, TWICE),
    "pending": ({"transaction_status": "pending"}, UNPAID, RECEIVED, RECEIVED, RECEIVED),
    "authorized isn't captured": ({"transaction_status": "authorize"} | CARD, UNPAID, RECEIVED, RECEIVED, RECEIVED),
    "held by the fraud check": (CAPTURED | {"fraud_status": "challenge"}, UNPAID, RECEIVED, RECEIVED, RECEIVED),
    "deny: open for a retry; after money, taken back": ({"transaction_status": "deny"}, UNPAID, RECEIVED, (FAILED, [PRICE, -PRICE]), RECEIVED),
    "ran out; money overrides it": ({"transaction_status": "expire"}, (EXPIRED, []), RECEIVED, RECEIVED, RECEIVED),
    "cancelled; money overrides it": ({"transaction_status": "cancel"}, (FAILED, []), RECEIVED, RECEIVED, RECEIVED),
    "a charged card that is voided": ({"transaction_status": "cancel"} | CARD, (FAILED, []), RECEIVED, TAKEN, RECEIVED),
    "failed; money overrides it": ({"transaction_status": "failure"}, (FAILED, []), RECEIVED, RECEIVED, RECEIVED),
    "a part is sent back, once by its key": (PART_BACK, PART, PART, PART, (PAID, [PRICE, PRICE, -50_000])),
    "all of it, in two parts": (BOTH_BACK, (PAID, [PRICE, -50_000, -100_000]), (PAID, [PRICE, -50_000, -100_000]), (PAID, [PRICE, -50_000, -100_000]), (PAID, [PRICE, PRICE, -50_000, -100_000])),
    "a refund that lists nothing is all of it": ({"transaction_status": "refund"}, TAKEN, TAKEN, TAKEN, (PAID, [PRICE, PRICE, -PRICE])),
    "charged back": ({"transaction_status": "chargeback"}, TAKEN, TAKEN, TAKEN, (PAID, [PRICE, PRICE, -PRICE])),
    "a part charged back, nobody says how much: staff looks": ({"transaction_status": "partial_chargeback"}, RECEIVED, RECEIVED, RECEIVED, TWICE),
    "a status nobody knows": ({"transaction_status": "teleported"}, UNPAID, RECEIVED, RECEIVED, RECEIVED),
    "no status at all": ({"transaction_status": ""}, UNPAID, RECEIVED, RECEIVED, RECEIVED),
}  # fmt: skip


def _statuses() -> Iterator[Any]:
    """Each on SQLite; on PostgreSQL the first with each effect, because the database sees only that."""
    effects: list[tuple[Result, ...]] = []
    for name, (reported, *effect) in STATUSES.items():
        yield pytest.param("sqlite", reported, effect, id=f"sqlite-{name}")
        if tuple(effect) not in effects:
            yield pytest.param("postgres", reported, effect, id=f"postgres-{name}")
            effects.append(tuple(effect))


@pytest.mark.parametrize(("database", "reported", "effect"), [*_statuses()], indirect=["database"])
async def test_what_a_status_does(
    database: Database, shop: Shop, now: datetime, reported: dict[str, Any], effect: Sequence[Result]
) -> None:
    """Every message comes twice; the settlement it precedes or follows is of the same attempt, or of another one."""
    roomy = shop.model_copy(update={"max_unpaid_bookings": 9})
    settled = {key: value for key, value in reported.items() if key == "payment_type"}
    orders = [
        [reported],
        [reported, settled],
        [settled, reported],
        [settled | {"transaction_id": "another"}, reported],
    ]
    for number, (told, (state, entries)) in enumerate(zip(orders, effect, strict=True), 1):
        code, order_id = f"BK-00000{number}", f"BOOKING-A1-BK00000{number}-1"
        await book(database, roomy, now, code=code, starts_at=tuesday_at_ten(shop, now) + number * HOUR)
        await give_link(database, order_id, roomy, now)
        for minute, one in enumerate([each for each in told for _ in range(2)]):
            own = {"transaction_id": f"{order_id}.{one.get('transaction_id', 'it')}"}
            await settle(database, roomy, now + minute * MINUTE, answer(order_id) | one | own)
        await check(database, code, order_id, state, entries)
    await check_books(database)


async def check(database: Database, code: str, order_id: str, state: RequestState, entries: list[int]) -> None:
    """The request's state, the ledger, and what follows from it: what is paid, and what is owed beyond the price."""
    booking = await booking_of(database, code)
    assert (await request_of(database, order_id)).state is state
    assert [amount for _, amount in await ledger(database, booking.id)] == entries
    assert booking.paid_amount == sum(entries)
    assert booking.going_back == max(0, sum(entries) - PRICE)
    paid = {PRICE: "paid", 0: {OPEN: "pending"}.get(state, "failed")}.get(sum(entries), "dp_paid")
    if sum(entries) > PRICE:
        paid = "paid"
    if sum(entries) == 0 and "refunded" in [kind for kind, _ in await ledger(database, booking.id)]:
        paid = "refunded"
    assert booking.payment_status == paid


@pytest.mark.parametrize(
    ("reported", "state", "entries", "outcome"),
    [
        pytest.param(answer(amount=PRICE - 1), FAILED, [PRICE - 1], "another amount", id="too little: money all the same"),
        pytest.param(answer(currency="USD"), OPEN, [], "wrong amount", id="no rupiah can't be entered"),
        pytest.param(answer(gross_amount="many"), OPEN, [], "wrong amount", id="nor what is no number"),
        pytest.param(answer(amount=-PRICE), OPEN, [], "wrong amount", id="nor what is negative"),
    ],
)  # fmt: skip
async def test_other_amounts_are_entered_but_confirm_nothing(
    database: Database, shop: Shop, now: datetime, reported: dict[str, Any], state: RequestState, entries: list[int], outcome: str
) -> None:  # fmt: skip
    await open_request(database, shop, now)
    assert await settle(database, shop, now, reported) == outcome
    assert await settle(database, shop, now, reported) in ("received before", "wrong amount")
    booking = await booking_of(database)
    assert (booking.status, booking.paid_amount) == ("pending", sum(entries))
    assert (await request_of(database)).state is state
    assert [amount for _, amount in await ledger(database)] == entries
    assert booking.going_back == max(0, sum(entries) - PRICE)
    assert f"staff:wrong-amount:t-1:{ORDER}:telegram:{ADMIN[1]}" in await letters(database, kind="staff")


@pytest.mark.parametrize(
    ("told", "alerts"),
    [
        pytest.param(answer(status="capture", fraud_status="challenge"), "challenge", id="a person must decide"),
        pytest.param(answer() | {"order_id": "BOOKING-A1-BK000009-1"}, "wrong-order", id="another order's transaction"),
    ],
)
async def test_staff_is_told_once_of_what_cannot_be_entered(
    database: Database, shop: Shop, now: datetime, told: dict[str, Any], alerts: str
) -> None:
    await open_request(database, shop, now)
    for _ in range(2):
        await settle(database, shop, now, told, ORDER)
    assert list(await letters(database, kind="staff")) == [f"staff:{alerts}:{ORDER}:telegram:{ADMIN[1]}"]
    assert await ledger(database) == []


async def test_payment_confirms_and_is_announced_once(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    for _ in range(3):
        await settle(database, shop, now, answer(amount=45_000))
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_at, booking.hold_until) == (PaymentStatus.DP_PAID, now, None)
    chat = await letters(database, channel=CHAT[0], address=CHAT[1], kind="notice")
    mail = await letters(database, channel="email", address="sari@example.com")
    staff = await letters(database, kind="staff")
    assert list(chat) == [f"link:{ORDER}", f"paid:{ORDER}"]
    assert list(mail) == [f"paid:{ORDER}:email"]
    assert list(staff) == [f"staff:paid:{ORDER}:telegram:{ADMIN[1]}"]
    assert "Rp45.000" in chat[f"paid:{ORDER}"]
    assert "Sisa pembayaran Rp105.000" in chat[f"paid:{ORDER}"]
    assert mail[f"paid:{ORDER}:email"].startswith(f"Booking {CODE} terkonfirmasi")
    assert "+6281234567890" in staff[f"staff:paid:{ORDER}:telegram:{ADMIN[1]}"]
    assert "DP: 30%" in staff[f"staff:paid:{ORDER}:telegram:{ADMIN[1]}"]
    async with database.read() as session:
        rows = (await session.scalars(select(Outbox).where(Outbox.key.like("paid:%")))).all()
        assert [row.body["document"] for row in rows] == 2 * [{"kind": "invoice", "id": CODE}]
        assert await session.scalar(select(func.count()).select_from(Invoice)) == 1


async def test_the_rest_is_received_without_confirming_again(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    await settle(database, shop, now, answer(amount=45_000))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, shop, now), booking, percent=None)
    await settle(database, shop, now, answer(SECOND_ORDER, amount=105_000, transaction_id="t-2"))
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_amount) == (PaymentStatus.PAID, PRICE)
    told = (await letters(database, channel=CHAT[0], address=CHAT[1]))[f"paid:{SECOND_ORDER}"]
    assert "lunas" in told
    assert "terkonfirmasi" not in told
    assert len(await letters(database, kind="reminder", state="due")) == 2


async def test_two_paid_requests_are_an_overpayment(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, shop, now), booking, percent=None)
    await settle(database, shop, now, answer(SECOND_ORDER, transaction_id="t-2"))
    await settle(database, shop, now, answer(amount=45_000))
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_amount) == (PaymentStatus.PAID, 195_000)
    assert "Rp45.000" in (await letters(database))[f"staff:overpaid:t-1:telegram:{ADMIN[1]}"]
    assert "otomatis" in (await letters(database, channel=CHAT[0], address=CHAT[1]))["overpaid:t-1"]
    assert await owed(database) == [(ORDER, "t-1", 45_000, "overpaid")]


async def test_second_payment_of_a_request_is_refunded(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    for _ in range(2):
        await settle(database, shop, now, answer(amount=45_000))
        await settle(database, shop, now, answer(amount=45_000, transaction_id="t-2"))
    assert await ledger(database) == 2 * [("received", 45_000)]
    assert await owed(database) == [(ORDER, "t-2", 45_000, "overpaid")]
    async with database.write() as session:  # what is on its way back pays for nothing
        booking = await bookings.load(session, code=CODE)
        asked = await payment.request(Context(session, shop, now), booking, percent=None)
    assert asked.amount == 105_000


async def owed(database: Database) -> list[tuple[str | None, str | None, int, str]]:
    async with database.read() as session:
        rows = await session.scalars(select(Refund).order_by(Refund.key))
        return [(row.order_id, row.transaction_id, row.amount, row.reason) for row in rows]


async def test_bank_can_reverse_and_pay_again(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    for status in ("settlement", "deny", "deny", "settlement", "settlement"):
        await settle(database, shop, now, answer(status=status))
    assert await ledger(database) == [("received", PRICE), ("reversed", -PRICE), ("received", PRICE)]


async def test_older_status_answer_is_ignored(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    await settle(database, shop, now, answer())
    await settle(database, shop, now + 2 * MINUTE, answer(status="deny"))
    assert await settle(database, shop, now + MINUTE, answer()) == "out of date"
    assert await ledger(database) == [("received", PRICE), ("reversed", -PRICE)]


async def test_money_for_one_amount_withdraws_the_other_link(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, shop, now), booking, percent=None)
    await give_link(database, SECOND_ORDER, shop, now)
    await settle(database, shop, now, answer(amount=45_000))
    other = await request_of(database, SECOND_ORDER)
    assert (other.state, other.due_at) == (RequestState.CANCELLED, now)


# --- late money ----------------------------------------------------------------------------------


async def test_late_money_takes_its_place_again_where_it_is_free(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    later = now + shop.hold
    assert await settle_or_expire(database, shop, later, None) == "expired"
    assert not (await booking_of(database)).holding
    await settle(database, shop, later + MINUTE, answer())
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("confirmed", "paid", True)
    assert booking.hold_until is None
    await check_books(database)


async def test_late_money_for_a_taken_slot_offers_others(database: Database, shop: Shop, now: datetime) -> None:
    one_seat = shop.model_copy(update={"max_bookings_per_slot": 1})
    await open_request(database, one_seat, now)
    later = now + shop.hold
    await settle_or_expire(database, one_seat, later, None)
    await take_the_place(database, one_seat, later)
    await settle(database, one_seat, later + MINUTE, answer())
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("pending", "paid", False)
    assert booking.paid_amount == PRICE
    assert f"seat-gone:{ORDER}" in await letters(database, channel=CHAT[0], address=CHAT[1])
    assert f"staff:seat-gone:{ORDER}:telegram:{ADMIN[1]}" in await letters(database)
    assert await letters(database, kind="reminder") == {}
    await check_books(database)


async def take_the_place(database: Database, shop: Shop, now: datetime) -> None:
    booking = await booking_of(database)
    async with database.write() as session:
        rival = order(booking.starts_at, services=(CHECK,))
        await bookings.book(
            Context(session, shop, now),
            BookingRequest(order=rival, customer_id=2, contact_id=None, language="id", code="BK-RIVAL1"),
        )


async def test_money_after_a_cancellation_is_refunded_by_staff(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await bookings.cancel(Context(session, shop, now), booking, reason="customer", actor="customer")
    await settle(database, shop, now, answer())
    assert (await booking_of(database)).status is BookingStatus.CANCELLED
    assert await ledger(database) == [("received", PRICE)]
    told = await letters(database)
    assert f"paid-after-cancel:{ORDER}" in told
    assert f"staff:paid-after-cancel:{ORDER}:telegram:{ADMIN[1]}" in told
    assert await owed(database) == [(ORDER, "t-1", PRICE, "late")]


# --- time runs out -------------------------------------------------------------------------------


async def test_expired_request_is_announced_once(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    later = now + shop.hold
    for _ in range(2):
        await settle_or_expire(database, shop, later, answer(status="pending"))
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("pending", "failed", False)
    assert (await request_of(database)).due_at is None
    async with database.read() as session:
        (row,) = await session.scalars(select(Outbox).where(Outbox.key.like("ended:%")))
    assert row.body["options"][0]["id"] == f"pay:{CODE}"
    assert await letters(database, kind="staff") == {}
    await check_books(database)


async def test_the_last_status_call_finds_the_money(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    assert await settle_or_expire(database, shop, now + shop.hold, answer()) == "received"
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


async def test_the_rest_may_run_out_without_harm_to_the_booking(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    await settle(database, shop, now, answer(amount=45_000))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, shop, now), booking, percent=None)
    await settle_or_expire(database, shop, now + shop.hold, None, SECOND_ORDER)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("confirmed", "dp_paid", True)
    assert "Jadwalnya tetap aman" in (await letters(database))[f"ended:{SECOND_ORDER}"]


async def test_request_stays_open_while_an_attempt_waits(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    await settle(database, shop, now, answer(status="pending", transaction_id="t-2"))
    assert await settle(database, shop, now, answer(status="expire")) == "another attempt lives"
    assert (await request_of(database)).state is RequestState.OPEN


async def test_unconfirmed_attempt_keeps_nothing_open(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        await payment.store_notification(session, answer(status="pending", transaction_id="forged"), now=now)
    assert await settle(database, shop, now, answer(status="expire")) == "ended"


@pytest.mark.parametrize(
    ("confirmed", "noted", "asked"),
    [
        pytest.param({}, {"t-2": "settlement"}, ["t-2"], id="an older attempt settled late"),
        pytest.param({"t-2": "expire"}, {"t-2": "settlement"}, ["t-2"], id="though it was known as over"),
        pytest.param({"t-2": "expire"}, {"t-2": "expire"}, [], id="over, as was known"),
        pytest.param({"t-2": "partial_refund"}, {"t-2": "partial_refund"}, ["t-2"], id="perhaps another refund"),
        pytest.param({"t-2": "pending"}, {}, ["t-2"], id="it waits"),
        pytest.param({"t-2": "settlement"}, {}, [], id="paid, and no news"),
        pytest.param({}, {"t-1": "settlement"}, [], id="the newest was asked about already"),
        pytest.param({}, {"../../v1/x": "settlement", "a b": "deny", "": "deny"}, [], id="no transaction's name"),
    ],
)
async def test_which_attempts_are_asked_about_beside_the_newest(
    database: Database, shop: Shop, now: datetime, confirmed: dict[str, str], noted: dict[str, str], asked: list[str]
) -> None:
    await open_request(database, shop, now)
    for name, status in confirmed.items():
        await settle(database, shop, now, answer(status=status, transaction_id=name))
    async with database.write() as session:
        for name, status in noted.items():
            await payment.store_notification(session, answer(status=status, transaction_id=name), now=now)
        assert await payment.other_attempts(session, ORDER, answer(status="pending")) == asked


# --- notifications -------------------------------------------------------------------------------


async def test_a_notification_is_kept_once_and_confirmed_once(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    for _ in range(3):
        async with database.write() as session:
            await payment.store_notification(session, answer(), now=now)
    async with database.write() as session:
        assert await payment.claim_notifications(session, now=now, limit=10) == [ORDER]
    async with database.write() as session:
        assert await payment.claim_notifications(session, now=now, limit=10) == []
        await payment.notifications_settled(session, ORDER, outcomes=[Outcome.RECEIVED], claimed_at=now)
    async with database.read() as session:
        (kept,) = (await session.scalars(select(PaymentNotification))).all()
    assert (kept.outcome, kept.due_at) == ("received", None)


async def test_notification_during_the_status_call_stays_due(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        await payment.store_notification(session, answer(status="pending"), now=now)
        await payment.claim_notifications(session, now=now, limit=10)
    async with database.write() as session:
        await payment.store_notification(session, answer(), now=now + MINUTE)
        await payment.notifications_settled(session, ORDER, outcomes=[Outcome.WAITING], claimed_at=now)
    async with database.write() as session:
        assert await payment.claim_notifications(session, now=now + MINUTE, limit=10) == [ORDER]


async def test_an_order_that_is_not_ours_moves_no_money(database: Database, shop: Shop, now: datetime) -> None:
    unknown = "BOOKING-B2-BK000001-1"
    async with database.write() as session:
        assert await payment.store_notification(session, answer(unknown), now=now)
        assert await payment.settle(Context(session, shop, now), unknown, answer()) == "another order"
        assert await payment.settle(Context(session, shop, now), unknown, answer(unknown)) == "unknown order"
    assert await ledger(database) == []


async def test_cash_is_confirmed_at_once_and_reminded_of(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, method=PaymentMethod.COD)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await booking_notices.booked(Context(session, shop, now), booking)
    told = await letters(database)
    assert "tunai" in told[f"reserved:{CODE}"]
    assert f"reserved:{CODE}:email" in told
    assert f"staff:booked:{CODE}:telegram:{ADMIN[1]}" in told
    assert len(await letters(database, kind="reminder")) == 2


async def test_ended_cash_hold_is_announced_beside_an_expired_link(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    await book(database, shop, now, code="BK-CASH01", method=PaymentMethod.COD)
    start = tuesday_at_ten(shop, now)
    await settle_or_expire(database, shop, start, None)
    assert not (await booking_of(database, "BK-CASH01")).holding
    async with database.write() as session:  # as the clock does, every minute
        await payment.end_holds(Context(session, shop, start + MINUTE))
    assert {f"ended:{ORDER}", "reservation-ended:BK-CASH01"} <= set(await letters(database, channel=CHAT[0]))


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fraud", "expected"),
    [
        ("settlement", "accept", Meaning.RECEIVED),
        ("settlement", "challenge", Meaning.RECEIVED),
        ("capture", "accept", Meaning.RECEIVED),
        ("capture", "", Meaning.RECEIVED),
        ("capture", "challenge", Meaning.CHALLENGED),
        ("capture", "deny", Meaning.DENIED),
        ("capture", "maybe", Meaning.UNKNOWN),
        ("deny", "", Meaning.DENIED),
        ("pending", "", Meaning.WAITING),
        ("authorize", "accept", Meaning.WAITING),
        ("expire", "", Meaning.ENDED),
        ("cancel", "", Meaning.ENDED),
        ("failure", "", Meaning.ENDED),
        ("refund", "", Meaning.REFUNDED),
        ("partial_refund", "", Meaning.REFUNDED),
        ("chargeback", "", Meaning.CHARGED_BACK),
        ("partial_chargeback", "", Meaning.CHARGED_BACK),
        ("", "", Meaning.UNKNOWN),
    ],
)
def test_what_a_status_means(status: str, fraud: str, expected: Meaning) -> None:
    assert meaning(status, fraud) is expected


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("150000.00", 150_000),
        ("150000", 150_000),
        (150_000, 150_000),
        ("150000.50", None),
        ("Infinity", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_an_amount_is_whole_rupiah_or_none(written: object, amount: int | None) -> None:
    assert read_status(answer(gross_amount=written)).amount == amount


async def test_an_entry_has_its_evidence(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        await payment.store_notification(session, answer(), now=now)
    await settle(database, shop, now, answer(settlement_time="2026-11-23 08:00:00"))
    async with database.read() as session:
        (entry,) = await session.scalars(select(LedgerEntry))
        (notified,) = await session.scalars(select(PaymentNotification))
    assert entry.evidence["settlement_time"] == "2026-11-23 08:00:00"
    assert entry.evidence["notifications"] == [notified.id]


def test_the_signature_is_not_kept_as_evidence() -> None:
    assert "signature_key" not in read_status(answer(signature_key="abc")).evidence
