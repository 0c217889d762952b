"""What Midtrans reports and what it does to the request, the booking and the ledger: each row of the table, with its reason."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import ADMIN, CHAT, CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import func, select
from workshop import CHECK, check_books, order

from core import bookings, notices, payments, settlement
from core.attempts import Meaning, meaning, read
from core.database import Database
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, PaymentStatus, RequestState
from core.tables import Invoice, LedgerEntry, Outbox, PaymentNotification

MINUTE = timedelta(minutes=1)
SECOND_ORDER = "BOOKING-A1-BK000001-2"


async def settle(database: Database, shop: Shop, now: datetime, reported: dict[str, Any], order_id: str = "") -> str:
    async with database.write() as session:
        return await settlement.settle(session, order_id or reported["order_id"], reported, shop=shop, now=now)


async def look(
    database: Database, shop: Shop, now: datetime, reported: dict[str, Any] | None, order_id: str = ORDER
) -> str:
    async with database.write() as session:
        return await settlement.look(session, order_id, reported, shop=shop, now=now)


async def ledger(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.execute(select(LedgerEntry.kind, LedgerEntry.amount).order_by(LedgerEntry.id))
        return [(kind, amount) for kind, amount in rows]


async def open_request(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    await book(database, shop, now, **asked)
    await give_link(database, ORDER, shop, now)


CARD = {"payment_type": "credit_card"}
PAID = ("paid", "confirmed", RequestState.PAID)
UNPAID = ("pending", "pending", RequestState.OPEN)
ENDED = ("failed", "pending", RequestState.FAILED)


@pytest.mark.parametrize(
    ("told", "payment", "booking", "state", "entries"),
    [
        pytest.param([answer()], *PAID, [PRICE], id="settlement: money is there"),
        pytest.param([answer(status="SETTLEMENT")], *PAID, [PRICE], id="in capitals, as some acquirers send it"),
        pytest.param([answer(status="capture", fraud_status="accept", **CARD)], *PAID, [PRICE], id="an accepted card"),
        pytest.param([answer(status="capture", **CARD)], *PAID, [PRICE], id="a card without a fraud check"),
        pytest.param(
            [answer(status="capture", fraud_status="accept", **CARD), answer(**CARD)],
            *PAID, [PRICE], id="settlement after capture is the same money",
        ),
        pytest.param([answer(), answer()], *PAID, [PRICE], id="told twice, entered once"),
        pytest.param([answer(), answer(status="pending")], *PAID, [PRICE], id="pending after settlement: disorder"),
        pytest.param(
            [answer(status="deny"), answer(transaction_id="t-2")],
            *PAID, [PRICE], id="a denied attempt, then another that pays on the same page",
        ),
        pytest.param(
            [answer(), answer(status="deny", transaction_id="t-2")],
            *PAID, [PRICE], id="another attempt is denied after the money came",
        ),
        pytest.param(
            [answer(), answer(status="expire", transaction_id="t-2")],
            *PAID, [PRICE], id="another attempt runs out after the money came",
        ),
        pytest.param([answer(status="expire"), answer()], *PAID, [PRICE], id="money overrides an expiry"),
        pytest.param([answer(status="cancel"), answer()], *PAID, [PRICE], id="money overrides a cancellation"),
        pytest.param([answer(status="pending")], *UNPAID, [], id="pending changes nothing"),
        pytest.param([answer(status="authorize", **CARD)], *UNPAID, [], id="authorized isn't captured"),
        pytest.param([answer(status="capture", fraud_status="challenge", **CARD)], *UNPAID, [], id="held by the check"),
        pytest.param([answer(status="deny")], *UNPAID, [], id="denied: the customer may retry on the same page"),
        pytest.param([answer(status="cancel")], *ENDED, [], id="cancelled"),
        pytest.param([answer(status="failure")], *ENDED, [], id="failed"),
        pytest.param(
            [answer(status="expire")], "failed", "pending", RequestState.EXPIRED, [], id="ran out at Midtrans"
        ),
        pytest.param([answer(status="teleported")], *UNPAID, [], id="a status nobody knows"),
        pytest.param([answer(status="")], *UNPAID, [], id="no status at all"),
        pytest.param(
            [answer(), answer(status="deny")],
            "failed", "confirmed", RequestState.FAILED, [PRICE, -PRICE], id="the bank takes back what it had settled",
        ),
        pytest.param(
            [answer(), answer(status="deny"), answer(status="deny")],
            "failed", "confirmed", RequestState.FAILED, [PRICE, -PRICE], id="taken back once, told twice",
        ),
        pytest.param(
            [answer(), answer(status="partial_refund", refunds=[{"refund_key": "r1", "refund_amount": "50000.00"}])],
            "dp_paid", "confirmed", RequestState.PAID, [PRICE, -50_000], id="a part is sent back",
        ),
        pytest.param(
            [
                answer(),
                answer(status="partial_refund", refunds=[{"refund_key": "r1", "refund_amount": "50000.00"}]),
                answer(status="partial_refund", refunds=[{"refund_key": "r1", "refund_amount": "50000.00"}]),
                answer(
                    status="refund",
                    refunds=[
                        {"refund_key": "r1", "refund_amount": "50000.00"},
                        {"refund_key": "r2", "refund_amount": "100000.00"},
                    ],
                ),
            ],
            "refunded", "confirmed", RequestState.PAID, [PRICE, -50_000, -100_000], id="each refund once by its key",
        ),
        pytest.param(
            [answer(), answer(status="refund")],
            "refunded", "confirmed", RequestState.PAID, [PRICE, -PRICE], id="a refund that lists nothing is all of it",
        ),
        pytest.param(
            [answer(), answer(status="chargeback"), answer(status="chargeback")],
            "failed", "confirmed", RequestState.PAID, [PRICE, -PRICE], id="charged back once",
        ),
        pytest.param([answer(amount=PRICE - 1)], *UNPAID, [], id="another amount isn't this request's money"),
        pytest.param([answer(currency="USD")], *UNPAID, [], id="nor is another currency"),
        pytest.param([answer(gross_amount="many")], *UNPAID, [], id="nor what is no number"),
    ],
)  # fmt: skip
async def test_what_a_status_does(
    database: Database,
    shop: Shop,
    now: datetime,
    told: list[dict[str, Any]],
    payment: str,
    booking: str,
    state: RequestState,
    entries: list[int],
) -> None:
    await open_request(database, shop, now)
    for minute, reported in enumerate(told, 1):
        await settle(database, shop, now + minute * MINUTE, reported)
    after = await booking_of(database)
    assert (after.payment_status, after.status) == (payment, booking)
    assert (await request_of(database)).state is state
    assert [amount for _, amount in await ledger(database)] == entries
    assert after.paid_amount == max(0, sum(entries))
    await check_books(database)


@pytest.mark.parametrize(
    ("told", "alerts"),
    [
        pytest.param(answer(status="capture", fraud_status="challenge"), "challenge", id="a person must decide"),
        pytest.param(answer(amount=1), "wrong-amount", id="another amount"),
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


async def test_money_confirms_the_booking_and_everybody_hears_of_it_once(
    database: Database, shop: Shop, now: datetime
) -> None:
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
        await payments.request(session, booking, shop=shop, now=now, percent=None)
    await settle(database, shop, now, answer(SECOND_ORDER, amount=105_000, transaction_id="t-2"))
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_amount) == (PaymentStatus.PAID, PRICE)
    told = (await letters(database, channel=CHAT[0], address=CHAT[1]))[f"paid:{SECOND_ORDER}"]
    assert "lunas" in told
    assert "terkonfirmasi" not in told
    assert len(await letters(database, kind="reminder")) == 2


async def test_two_requests_both_paid_are_an_overpayment_that_staff_hears_of(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now, percent=30)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payments.request(session, booking, shop=shop, now=now, percent=None)
    await settle(database, shop, now, answer(SECOND_ORDER, transaction_id="t-2"))
    await settle(database, shop, now, answer(amount=45_000))
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_amount) == (PaymentStatus.PAID, 195_000)
    assert "Rp45.000" in (await letters(database))[f"staff:overpaid:{ORDER}:telegram:{ADMIN[1]}"]
    assert f"overpaid:{ORDER}" in await letters(database, channel=CHAT[0], address=CHAT[1])


async def test_one_request_paid_by_two_attempts_is_entered_once_and_staff_looks(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    await settle(database, shop, now, answer())
    assert await settle(database, shop, now, answer(transaction_id="t-2")) == "second payment"
    assert await ledger(database) == [("received", PRICE)]
    assert any("second-payment" in key for key in await letters(database, kind="staff"))


async def test_money_for_one_amount_withdraws_the_other_link(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payments.request(session, booking, shop=shop, now=now, percent=None)
    await give_link(database, SECOND_ORDER, shop, now)
    await settle(database, shop, now, answer(amount=45_000))
    other = await request_of(database, SECOND_ORDER)
    assert (other.state, other.due_at) == (RequestState.CANCELLED, now)


# --- late money ----------------------------------------------------------------------------------


async def test_late_money_takes_its_place_again_where_it_is_free(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    later = now + shop.hold
    assert await look(database, shop, later, None) == "expired"
    assert not (await booking_of(database)).holding
    await settle(database, shop, later + MINUTE, answer())
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("confirmed", "paid", True)
    assert booking.hold_until is None
    await check_books(database)


async def test_late_money_whose_place_is_taken_is_kept_and_other_slots_are_shown(
    database: Database, shop: Shop, now: datetime
) -> None:
    one_seat = shop.model_copy(update={"max_bookings_per_slot": 1})
    await open_request(database, one_seat, now)
    later = now + shop.hold
    await look(database, one_seat, later, None)
    await take_the_place(database, one_seat, later)
    await settle(database, one_seat, later + MINUTE, answer())
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("pending", "paid", False)
    assert booking.paid_amount == PRICE
    told = (await letters(database, channel=CHAT[0], address=CHAT[1]))[f"seat-gone:{ORDER}"]
    assert told.count("•") == 3
    assert f"staff:seat-gone:{ORDER}:telegram:{ADMIN[1]}" in await letters(database)
    assert await letters(database, kind="reminder") == {}
    await check_books(database)


async def take_the_place(database: Database, shop: Shop, now: datetime) -> None:
    booking = await booking_of(database)
    async with database.write() as session:
        rival = order(booking.starts_at, services=(CHECK,))
        await bookings.book(
            session, rival, customer_id=2, contact_id=None, language="id", shop=shop, now=now, code="BK-RIVAL1"
        )


async def test_money_after_a_cancellation_is_kept_and_staff_sends_it_back(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await bookings.cancel(session, booking, reason="customer", actor="customer", now=now)
    await settle(database, shop, now, answer())
    assert (await booking_of(database)).status is BookingStatus.CANCELLED
    assert await ledger(database) == [("received", PRICE)]
    told = await letters(database)
    assert f"paid-after-cancel:{ORDER}" in told
    assert f"staff:paid-after-cancel:{ORDER}:telegram:{ADMIN[1]}" in told


# --- time runs out -------------------------------------------------------------------------------


async def test_a_request_whose_time_ran_out_expires_and_the_customer_is_told_once(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    later = now + shop.hold
    for _ in range(2):
        await look(database, shop, later, answer(status="pending"))
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
    assert await look(database, shop, now + shop.hold, answer()) == "received"
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


async def test_the_rest_may_run_out_without_harm_to_the_booking(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now, percent=30)
    await settle(database, shop, now, answer(amount=45_000))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payments.request(session, booking, shop=shop, now=now, percent=None)
    await look(database, shop, now + shop.hold, None, SECOND_ORDER)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.holding) == ("confirmed", "dp_paid", True)
    assert "Jadwalnya tetap aman" in (await letters(database))[f"ended:{SECOND_ORDER}"]


async def test_a_request_stays_open_while_another_attempt_of_it_waits(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        await settlement.note(session, answer(status="pending", transaction_id="t-2"), now=now)
    assert await settle(database, shop, now, answer(status="expire")) == "another attempt lives"
    assert (await request_of(database)).state is RequestState.OPEN


# --- notifications -------------------------------------------------------------------------------


async def test_a_notification_is_kept_once_and_confirmed_once(database: Database, shop: Shop, now: datetime) -> None:
    await open_request(database, shop, now)
    for _ in range(3):
        async with database.write() as session:
            await settlement.note(session, answer(), now=now)
    async with database.write() as session:
        assert await settlement.claim(session, now=now, limit=10) == [ORDER]
    async with database.write() as session:
        assert await settlement.claim(session, now=now, limit=10) == []
        await settlement.answered(session, ORDER, outcome="received", claimed_at=now)
    async with database.read() as session:
        (kept,) = (await session.scalars(select(PaymentNotification))).all()
    assert (kept.outcome, kept.due_at) == ("received", None)


async def test_a_notification_that_came_during_the_status_call_is_asked_about_again(
    database: Database, shop: Shop, now: datetime
) -> None:
    await open_request(database, shop, now)
    async with database.write() as session:
        await settlement.note(session, answer(status="pending"), now=now)
        await settlement.claim(session, now=now, limit=10)
    async with database.write() as session:
        await settlement.note(session, answer(), now=now + MINUTE)
        await settlement.answered(session, ORDER, outcome="waiting", claimed_at=now)
    async with database.write() as session:
        assert await settlement.claim(session, now=now + MINUTE, limit=10) == [ORDER]


async def test_an_order_that_is_not_ours_is_not_kept(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        assert not await settlement.note(session, answer("BOOKING-B2-BK000001-1"), now=now)
        assert await settlement.settle(session, "BOOKING-B2-BK000001-1", answer(), shop=shop, now=now) == "nothing"


async def test_cash_is_confirmed_at_once_and_reminded_of(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, method=PaymentMethod.COD)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await notices.booked(session, booking, shop=shop, now=now)
    told = await letters(database)
    assert "tunai" in told[f"reserved:{CODE}"]
    assert f"reserved:{CODE}:email" in told
    assert f"staff:booked:{CODE}:telegram:{ADMIN[1]}" in told
    assert len(await letters(database, kind="reminder")) == 2


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
    assert read(answer(gross_amount=written)).amount == amount


def test_the_signature_is_not_kept_as_evidence() -> None:
    assert "signature_key" not in read(answer(signature_key="abc")).evidence
