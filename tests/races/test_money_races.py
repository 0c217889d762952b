"""Concurrent payment requests, payments and refunds of one booking: each is requested, entered and refunded once.

Each rival has read its data and waits for the booking's lock when the race begins.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from pausing import Pause
from paying import CODE, KEY, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.payments.reconciliation_worker import Reconciler
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import LedgerEntry, PaymentRequest, Refund
from core.payment.totals import OPEN_STATES
from core.refusals import AlreadyPaid, AlreadySentBack
from core.schedule import bookings
from core.shop import Shop
from core.states import RequestState

DOWN_PAYMENT, SECOND_ORDER = 45_000, "BOOKING-A1-BK000001-2"
Deed = Callable[[AsyncSession], Awaitable[object]]


class Rivals:
    """Actions on one booking by several processes, each in its own transaction."""

    def __init__(self, databases: list[Database], shop: Shop, now: datetime) -> None:
        self.databases, self.shop, self.now = databases, shop, now
        self.set = {"shop": shop, "now": now}

    async def race(self, *deeds: Deed) -> list[object]:
        """Run all at once; returns each result or the class of its refusal."""
        crowd = Pause(len(deeds))
        for database in self.databases:
            crowd.before(database.engine, "SELECT booking.")
        return await asyncio.gather(*(self._do(deed, number) for number, deed in enumerate(deeds)))

    async def _do(self, deed: Deed, number: int) -> object:
        try:
            async with self.databases[number % len(self.databases)].write() as session:
                return await deed(session)
        except (AlreadyPaid, AlreadySentBack) as refusal:
            return type(refusal)

    def asks(self, percent: int | None) -> Deed:
        async def deed(session: AsyncSession) -> object:
            booking = await bookings.load(session, code=CODE)
            return (await payment.request(Context(session, **self.set), booking, percent=percent)).order_id

        return deed

    def link_comes(self, session: AsyncSession) -> Awaitable[object]:
        return payment.link_made(Context(session, **self.set), ORDER, token="tok", url="https://pay.example/1")

    def pays(self, order_id: str, amount: int, **how: Any) -> Deed:
        told = answer(order_id, amount=amount, transaction_id=f"t-{order_id}", payment_type="gopay") | how
        return lambda session: payment.settle(Context(session, **self.set), order_id, told)

    def time_is_over(self, session: AsyncSession) -> Awaitable[object]:
        """Midtrans answered a moment before that there is no attempt."""
        after = Context(session, self.shop, self.now + self.shop.hold)
        return payment.settle_or_expire(after, ORDER, None, asked_at=self.now)

    async def owes(self, session: AsyncSession) -> object:
        booking = await bookings.load(session, code=CODE)
        return [
            each.amount
            for each in await payment.refund(Context(session, **self.set), booking, 100_000, reason="cancelled")
        ]

    def transfers(self, session: AsyncSession) -> Awaitable[object]:
        return payment.record_transfer(Context(session, **self.set), KEY, by="Ibu Rina")

    def goes_back(self, session: AsyncSession) -> Awaitable[object]:
        return payment.refund_sent(Context(session, **self.set), KEY, {}, amount=100_000)


@pytest.fixture
def rivals(databases: list[Database], shop: Shop, now: datetime) -> Rivals:
    return Rivals(databases, shop, now)


async def alive(database: Database) -> Sequence[PaymentRequest]:
    async with database.read() as session:
        living = select(PaymentRequest).where(PaymentRequest.state.in_(OPEN_STATES))
        return (await session.scalars(living)).all()


async def ledger(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.scalars(select(LedgerEntry).order_by(LedgerEntry.kind, LedgerEntry.reference))
        return [(row.kind, row.amount) for row in rows]


async def test_a_link_for_a_replaced_request_is_closed(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await rivals.race(rivals.link_comes, rivals.asks(30))
    (asked,) = await alive(database)
    assert (asked.order_id, asked.amount) == (SECOND_ORDER, DOWN_PAYMENT)
    async with database.read() as session:
        withdrawn = await session.get_one(PaymentRequest, ORDER)
    assert (withdrawn.state, withdrawn.token) == (RequestState.CANCELLED, "tok")
    assert withdrawn.due_at is not None  # a worker closes its page


async def test_a_request_withdrawn_after_the_read_stays_so(postgres_url: str, shop: Shop, now: datetime) -> None:
    """Only on PostgreSQL another process can commit between the read and the lock."""
    database = Database(postgres_url)
    await book(database, shop, now)
    async with database.write() as session:
        read = await session.get_one(PaymentRequest, ORDER)
        async with database.write() as another:
            await Rivals([database], shop, now).asks(30)(another)
        await payment.link_made(Context(session, shop, now), read.order_id, token="tok", url="https://pay.example/1")
    assert [each.order_id for each in await alive(database)] == [SECOND_ORDER]
    await database.close()


async def test_two_requests_for_different_amounts_leave_one(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.asks(30), rivals.asks(50))
    assert len(await alive(database)) == 1


async def test_no_request_asks_for_money_that_was_just_paid(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now, percent=30)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.pays(ORDER, DOWN_PAYMENT), rivals.asks(None))
    booking = await booking_of(database)
    assert booking.paid_amount == DOWN_PAYMENT
    assert [each.amount for each in await alive(database)] in ([], [PRICE - DOWN_PAYMENT])


async def test_two_links_paid_at_once_owe_one_refund(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now, percent=30)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.asks(None)(session)
    paid = [rivals.pays(ORDER, DOWN_PAYMENT), rivals.pays(SECOND_ORDER, PRICE)]
    await rivals.race(*paid, *paid)
    assert await ledger(database) == [("received", DOWN_PAYMENT), ("received", PRICE)]
    async with database.read() as session:
        owed = await session.scalar(select(func.sum(Refund.amount)))
    assert owed == DOWN_PAYMENT
    assert await alive(database) == []


async def test_concurrent_refunds_never_exceed_the_payment(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE)(session)
    owed = await rivals.race(rivals.owes, rivals.owes, rivals.owes)
    assert sorted(map(str, owed)) == ["[100000]", "[50000]", "[]"]


async def test_a_payment_beats_a_concurrent_expiry(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.pays(ORDER, PRICE), *[rivals.time_is_over] * 3)
    assert (await request_of(database)).state is RequestState.PAID
    assert await ledger(database) == [("received", PRICE)]


async def test_a_transfer_recorded_twice_at_once_is_one(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE, payment_type="bank_transfer")(session)
        await rivals.owes(session)
    ends = await rivals.race(rivals.transfers, rivals.transfers)
    assert ends.count(AlreadySentBack) == 1
    assert await ledger(database) == [("received", PRICE), ("refunded", -100_000)]


async def test_a_refund_reported_twice_at_once_is_one(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE)(session)
        await rivals.owes(session)
    back = {"refunds": [{"refund_key": KEY, "refund_amount": "100000.00"}]}
    told = rivals.pays(ORDER, PRICE, transaction_status="partial_refund", **back)
    await rivals.race(rivals.goes_back, told, rivals.goes_back, told)
    assert await ledger(database) == [("received", PRICE), ("refunded", -100_000)]
    assert not any("refund-twice" in key for key in await letters(database))


class TwoAttempts:
    """A Midtrans where the order's first attempt expired and the second was paid."""

    async def status(self, reference: str) -> dict[str, Any] | None:
        told = {ORDER: answer(transaction_id="t-2"), "t-1": answer(status="expire")}
        return told.get(reference)


async def test_reconciling_and_settling_dont_deadlock(rivals: Rivals) -> None:
    """One releases expired holds and enters money; the other enters money and needs the released places."""
    other = "BOOKING-A1-BK000002-1"
    database, shop, later = rivals.databases[0], rivals.shop, rivals.now + rivals.shop.hold
    await book(database, shop, rivals.now, code="BK-000002")
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, shop, later), other, None)
    await book(database, shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE, transaction_id="t-1", transaction_status="pending")(session)
    here, there, crowd = Database(database.url), Database(database.url), Pause(2)
    crowd.before(here.engine, "INSERT INTO ledger_entry")
    crowd.before(there.engine, "SELECT pg_advisory_xact_lock")
    midtrans: Any = TwoAttempts()
    reconciler = Reconciler(Transactions(here, shop, lambda: later), midtrans, wake=lambda: None, per_second=math.inf)

    async def settle() -> str:
        async with there.write() as session:
            return await payment.settle(Context(session, shop, later), other, answer(other, transaction_id="t-3"))

    page, outcome = await asyncio.gather(reconciler.page(rivals.now), settle())
    await here.close()
    await there.close()
    assert (page.findings.mended, outcome) == (1, "received")
    assert await ledger(database) == [("received", PRICE)] * 2
