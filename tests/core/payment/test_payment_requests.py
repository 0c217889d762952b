"""Asking for money: how much, under which number, by which link; and what the status of a payment follows from."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paying import CHAT, CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import select
from workshop import AMPLIFIER, CHECK, check_books, order

from core import payment
from core.context import Context
from core.db import leases
from core.db.database import Database
from core.db.tables import Outbox, PaymentRequest
from core.messaging import outbox
from core.notices import reminders
from core.payment import payment_links
from core.payment.totals import paid_and_status
from core.refusals import AlreadyPaid, BadDownPayment, InvalidTransition, MethodCannotPay, SlotFull
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import LedgerKind, PaymentMethod, PaymentStatus, RequestState

MINUTE = timedelta(minutes=1)


async def ask(database: Database, shop: Shop, now: datetime, percent: int | None = None) -> PaymentRequest:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        return await payment.request(Context(session, shop, now), booking, percent=percent)


async def settle(database: Database, shop: Shop, now: datetime, reported: dict[str, Any]) -> str:
    async with database.write() as session:
        return await payment.settle(Context(session, shop, now), reported["order_id"], reported)


async def test_a_booking_asks_for_all_of_it_under_its_own_number(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    request = await request_of(database)
    assert (request.order_id, request.amount, request.purpose) == (ORDER, PRICE, "full")
    assert (request.state, request.due_at) == (RequestState.WANTED, now)
    assert request.expires_at == now + shop.hold
    assert "bca_va" in request.channels


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("percent", "amount"), [(30, 45_000), (35, 52_500), (40, 60_000), (50, 75_000)])
async def test_a_down_payment_is_a_part_of_the_whole(
    database: Database, shop: Shop, now: datetime, percent: int, amount: int
) -> None:
    await book(database, shop, now, percent=percent)
    request = await request_of(database)
    assert (request.amount, request.purpose) == (amount, "down_payment")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("percent", [0, 29, 51, 100, -30])
async def test_a_down_payment_outside_the_shops_bounds_is_refused(
    database: Database, shop: Shop, now: datetime, percent: int
) -> None:
    await book(database, shop, now)
    with pytest.raises(BadDownPayment):
        await ask(database, shop, now, percent)


async def test_too_large_an_amount_can_be_paid_down(database: Database, shop: Shop, now: datetime) -> None:
    dear = {"method": PaymentMethod.QRIS, "services": (), "parts": ((AMPLIFIER, 5),)}
    with pytest.raises(MethodCannotPay):
        await book(database, shop, now, **dear)
    await book(database, shop, now, percent=50, **dear)
    assert (await request_of(database)).amount == 5_375_000


async def test_asking_again_returns_the_open_request(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    again = await ask(database, shop, now + 10 * MINUTE)
    assert (again.order_id, again.url) == (ORDER, f"https://pay.example/{ORDER}")


async def test_another_amount_replaces_the_request(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    new = await ask(database, shop, now + 10 * MINUTE, percent=30)
    old = await request_of(database)
    assert new.order_id == "BOOKING-A1-BK000001-2"
    assert (old.state, old.due_at) == (RequestState.CANCELLED, now + 10 * MINUTE)
    booking = await booking_of(database)
    assert booking.hold_until == new.expires_at == now + 10 * MINUTE + shop.hold


async def test_link_of_a_withdrawn_request_is_closed_unsent(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await ask(database, shop, now, percent=30)
    assert (await request_of(database)).due_at is None  # no link yet, nothing to close
    await give_link(database, ORDER, shop, now)
    old = await request_of(database)
    assert (old.state, old.token, old.due_at) == (RequestState.CANCELLED, f"tok-{ORDER}", now)
    assert await letters(database, kind="notice") == {}


async def test_link_notice_has_amount_and_expiry(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    told = await letters(database, channel=CHAT[0], address=CHAT[1])
    assert list(told) == [f"link:{ORDER}"]
    assert "Rp150.000" in told[f"link:{ORDER}"]
    assert "Sen, 23 Nov 09:00" in told[f"link:{ORDER}"]
    async with database.read() as session:
        row = (await session.scalars(select(Outbox).where(Outbox.key == f"link:{ORDER}"))).one()
    assert row.body["link"]["url"] == f"https://pay.example/{ORDER}"
    assert row.until == now + shop.hold


async def test_second_link_of_two_workers_is_sent_too(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    for name in ("first", "second", "second"):
        async with database.write() as session:
            await payment.link_made(Context(session, shop, now + MINUTE), ORDER, token=name, url=f"https://{name}")
    request = await request_of(database)
    assert (request.state, request.token, request.url) == (RequestState.OPEN, "second", "https://second")
    assert request.due_at == now + MINUTE + payment_links.POLL_INTERVAL
    async with database.read() as session:
        sent = await session.scalars(select(Outbox.body).where(Outbox.kind == "notice").order_by(Outbox.id))
        assert [body["link"]["url"] for body in sent] == ["https://first", "https://second"]


@pytest.mark.parametrize("ended", ["settlement", "expire", "deny and cancel"])
async def test_a_link_that_comes_when_all_is_over_changes_nothing(
    database: Database, shop: Shop, now: datetime, ended: str
) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    for status in ended.split(" and "):
        await settle(database, shop, now, answer(status=status))
    over, told = await request_of(database), await letters(database)
    async with database.write() as session:
        await payment.link_made(Context(session, shop, now), ORDER, token="late", url="https://late")
    request = await request_of(database)
    assert (request.state, request.due_at) == (over.state, None)
    assert await letters(database) == told


async def test_slow_worker_leaves_the_other_link_alone(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    for state in (RequestState.OPEN, RequestState.CANCELLED):
        before = await request_of(database)
        assert before.state is state
        async with database.write() as session:
            await payment.use_next_order_id(Context(session, shop, now), ORDER)
            await payment.link_failed(Context(session, shop, now), ORDER, reason="x", refused=False, jitter=0.0)
        after = await request_of(database)
        assert (after.state, after.due_at) == (state, before.due_at), "looked at, or closed, as before"
        async with database.write() as session:
            await payment.withdraw_requests(Context(session, shop, now), await bookings.load(session, code=CODE))


async def test_asking_again_skips_the_backoff_but_no_lease(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    later = now + MINUTE
    async with database.write() as session:
        await payment.link_failed(Context(session, shop, now), ORDER, reason="x", refused=False, jitter=0.0)
        ctx = Context(session, shop, now)
        await payment.request(ctx, await bookings.load(session, code=CODE), percent=None)
    assert (await request_of(database)).due_at == now
    async with database.write() as session:
        assert await payment.claim_requests(session, now=later, limit=9)
        ctx = Context(session, shop, later)
        await payment.request(ctx, await bookings.load(session, code=CODE), percent=None)
        assert await payment.claim_requests(session, now=later, limit=9) == []
    assert (await request_of(database)).due_at == later + leases.LEASE


async def test_no_link_is_sent_for_a_cancelled_booking(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await bookings.cancel(Context(session, shop, now), booking, reason="customer", actor="customer")
    await give_link(database, ORDER, shop, now)
    request = await request_of(database)
    assert (request.state, request.due_at) == (RequestState.CANCELLED, now)
    assert await letters(database, kind="notice") == {}


async def test_a_late_link_is_told_once_and_tried_again(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    for attempt in (1, 2):
        async with database.write() as session:
            await payment.link_failed(
                Context(session, shop, now + attempt * MINUTE), ORDER, reason="timeout", refused=False, jitter=0.0
            )
    request = await request_of(database)
    assert (request.attempts, request.due_at) == (2, now + 2 * MINUTE + timedelta(seconds=4))
    assert list(await letters(database)) == [f"link-late:{ORDER}"]


async def test_staff_is_told_once_when_midtrans_refuses_a_link(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    for _ in range(2):
        async with database.write() as session:
            await payment.link_failed(Context(session, shop, now), ORDER, reason="401", refused=True, jitter=0.0)
    assert len(await letters(database, kind="staff")) == 1


async def test_used_order_id_is_replaced_by_the_next(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=30)
    async with database.write() as session:
        await payment.use_next_order_id(Context(session, shop, now), ORDER)
    new = await request_of(database, "BOOKING-A1-BK000001-2")
    assert (new.state, new.amount, new.purpose, new.due_at) == (RequestState.WANTED, 45_000, "down_payment", now)
    assert (await request_of(database)).state is RequestState.CANCELLED


async def test_nothing_is_asked_for_what_is_paid(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await settle(database, shop, now, answer())
    with pytest.raises(AlreadyPaid):
        await ask(database, shop, now)


async def test_only_the_balance_follows_a_down_payment(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=40)
    await settle(database, shop, now, answer(amount=60_000))
    with pytest.raises(AlreadyPaid):
        await ask(database, shop, now, percent=30)
    rest = await ask(database, shop, now)
    assert (rest.amount, rest.purpose) == (90_000, "balance")
    assert (await booking_of(database)).hold_until is None


async def test_nothing_is_asked_for_a_cancelled_booking(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await bookings.cancel(Context(session, shop, now), booking, reason="customer", actor="customer")
    with pytest.raises(InvalidTransition):
        await ask(database, shop, now)


async def test_a_booking_whose_hold_has_ended_is_held_again_first(
    database: Database, shop: Shop, now: datetime
) -> None:
    await book(database, shop, now)
    later = now + shop.hold + MINUTE
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, shop, later), ORDER, None)
    assert not (await booking_of(database)).holding
    again = await ask(database, shop, later)
    booking = await booking_of(database)
    assert booking.holding
    assert booking.payment_status is PaymentStatus.PENDING
    assert again.expires_at == booking.hold_until == later + shop.hold
    await check_books(database)


async def test_taken_slot_refuses_a_new_request(database: Database, shop: Shop, now: datetime) -> None:
    one_seat = shop.model_copy(update={"max_bookings_per_slot": 1})
    await book(database, one_seat, now)
    later = now + shop.hold + MINUTE
    await take_the_place(database, one_seat, later)
    with pytest.raises(SlotFull):
        await ask(database, one_seat, later)
    await check_books(database)


async def take_the_place(database: Database, shop: Shop, now: datetime) -> None:
    booking = await booking_of(database)
    async with database.write() as session:
        await bookings.book(
            Context(session, shop, now),
            BookingRequest(
                order=order(booking.starts_at, services=(CHECK,)),
                customer_id=2,
                contact_id=None,
                language="id",
                code="BK-RIVAL1",
            ),
        )


async def test_two_askers_at_once_get_one_request(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    asked = await asyncio.gather(*(ask(database, shop, now, percent=30) for _ in range(4)))
    assert {request.order_id for request in asked} == {"BOOKING-A1-BK000001-2"}


async def test_what_is_due_is_taken_by_one_worker(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        (task,) = await payment.claim_requests(session, now=now, limit=10)
        assert (task.request.order_id, task.booking.code, len(task.booking.lines)) == (ORDER, CODE, 1)
    async with database.write() as session:
        assert await payment.claim_requests(session, now=now, limit=10) == []
    async with database.write() as session:
        assert len(await payment.claim_requests(session, now=now + leases.LEASE, limit=10)) == 1


# --- reminders -----------------------------------------------------------------------------------


async def test_reminders_a_day_and_two_hours_before(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)  # tomorrow at ten: 26 hours ahead
    await settle(database, shop, now, answer())
    starts = (await booking_of(database)).starts_at
    async with database.read() as session:
        rows = (await session.scalars(select(Outbox).where(Outbox.kind == "reminder").order_by(Outbox.due_at))).all()
    assert [row.due_at for row in rows] == [starts - timedelta(hours=24), starts - timedelta(hours=2)]
    assert [row.until for row in rows] == [starts - timedelta(hours=2), starts]


async def test_a_moment_that_has_gone_by_gets_no_reminder(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, starts_at=now + timedelta(hours=4))
    await settle(database, shop, now, answer())
    assert [key.split(":")[2] for key in await letters(database, kind="reminder")] == ["2h"]


async def test_moved_back_booking_keeps_its_reminders(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await settle(database, shop, now, answer())
    before = list(await letters(database, kind="reminder", state="due"))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await outbox.drop(session, booking.id)
        await reminders.schedule(Context(session, shop, now), booking)
    assert list(await letters(database, kind="reminder", state="due")) == before
    assert len(await letters(database, kind="reminder", state="dropped")) == 2


# --- where the money stands ----------------------------------------------------------------------

OPEN, PAID, FAILED, EXPIRED, CANCELLED = (
    RequestState.OPEN, RequestState.PAID, RequestState.FAILED, RequestState.EXPIRED, RequestState.CANCELLED
)  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "requests", "expected"),
    [
        pytest.param([], set(), (0, "pending"), id="nothing asked yet"),
        pytest.param([], {OPEN}, (0, "pending"), id="the link lives"),
        pytest.param([], {CANCELLED}, (0, "pending"), id="withdrawn isn't failed"),
        pytest.param([], {EXPIRED}, (0, "failed"), id="time ran out"),
        pytest.param([], {FAILED, OPEN}, (0, "pending"), id="a retry goes back to pending"),
        pytest.param([(LedgerKind.RECEIVED, 30)], {PAID}, (30, "dp_paid"), id="a part"),
        pytest.param([(LedgerKind.RECEIVED, 100)], {PAID}, (100, "paid"), id="all"),
        pytest.param(
            [(LedgerKind.RECEIVED, 30), (LedgerKind.RECEIVED, 70)], {PAID}, (100, "paid"), id="a part and the rest"
        ),
        pytest.param([(LedgerKind.RECEIVED, 100), (LedgerKind.RECEIVED, 100)], {PAID}, (200, "paid"), id="too much"),
        pytest.param([(LedgerKind.RECEIVED, 30)], {PAID, EXPIRED}, (30, "dp_paid"), id="the rest's link ran out"),
        pytest.param(
            [(LedgerKind.RECEIVED, 100), (LedgerKind.REVERSED, -100)],
            {FAILED},
            (0, "failed"),
            id="the bank took it back",
        ),
        pytest.param(
            [(LedgerKind.RECEIVED, 100), (LedgerKind.REFUNDED, -40)], {PAID}, (60, "dp_paid"), id="a part sent back"
        ),
        pytest.param(
            [(LedgerKind.RECEIVED, 100), (LedgerKind.REFUNDED, -100)], {PAID}, (0, "refunded"), id="all sent back"
        ),
        pytest.param(
            [(LedgerKind.RECEIVED, 100), (LedgerKind.CHARGED_BACK, -100)], {PAID}, (0, "failed"), id="charged back"
        ),
        pytest.param([(LedgerKind.REFUNDED, -100)], {PAID}, (0, "refunded"), id="a refund whose receipt we never saw"),
    ],
)
def test_payment_status_by_money_then_by_requests(
    entries: list[tuple[LedgerKind, int]], requests: set[RequestState], expected: tuple[int, str]
) -> None:
    assert paid_and_status(100, entries, requests) == expected


@given(
    st.lists(st.tuples(st.sampled_from(LedgerKind), st.integers(-500, 500))),
    st.sets(st.sampled_from(RequestState)),
)
def test_paid_amount_agrees_with_the_status(entries: list[tuple[LedgerKind, int]], requests: set[RequestState]) -> None:
    paid, status = paid_and_status(300, entries, requests)
    assert paid == max(0, sum(amount for _, amount in entries))
    assert (status is PaymentStatus.PAID) == (paid >= 300)
    assert (status is PaymentStatus.DP_PAID) == (0 < paid < 300)


async def test_a_place_is_never_held_past_the_start_of_its_job(database: Database, shop: Shop, now: datetime) -> None:
    long = shop.model_copy(update={"hold_minutes": 3 * 24 * 60})
    await book(database, long, now)
    booking, request = await booking_of(database), await request_of(database)
    assert booking.starts_at < now + long.hold
    assert (booking.hold_until, request.expires_at) == (booking.starts_at, booking.starts_at)


async def test_reminders_ask_for_the_rest_until_it_is_paid(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=50)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(amount=PRICE // 2))
    reminders = await letters(database, kind="reminder", state="due")
    assert len(reminders) == 2
    assert all("Sisa pembayarannya Rp75.000" in text for text in reminders.values())
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        rest = await payment.request(Context(session, shop, now), booking, percent=None)
    await give_link(database, rest.order_id, shop, now)
    async with database.write() as session:
        paid = answer(rest.order_id, amount=PRICE // 2, transaction_id="t-2")
        await payment.settle(Context(session, shop, now), rest.order_id, paid)
    reminders = await letters(database, kind="reminder", state="due")
    assert len(reminders) == 2
    assert not any("Sisa" in text for text in reminders.values())
