"""Links, payments and refunds of one booking in the same moment: each rupiah is asked for, entered and sent back once.

Everybody stands before the booking's lock, with what he read before it, when the race begins.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from core.context import Context
from pausing import Pause
from paying import CODE, KEY, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.payments.reconciliation_worker import Reconciler
from core.db.database import Database
from core.db.tables import LedgerEntry, PaymentRequest, Refund
from core.payment import payment_requests, refund_requests, refunds, settlement
from core.refusals import AlreadyPaid, AlreadySentBack
from core.schedule import bookings
from core.shop import Shop
from core.states import RequestState

DOWN_PAYMENT, SECOND_ORDER = 45_000, "BOOKING-A1-BK000001-2"
Deed = Callable[[AsyncSession], Awaitable[object]]


class Rivals:
    """What several processes may do to one booking, each in a transaction of its own."""

    def __init__(self, databases: list[Database], shop: Shop, now: datetime) -> None:
        self.databases, self.shop, self.now = databases, shop, now
        self.set = {"shop": shop, "now": now}

    async def race(self, *deeds: Deed) -> list[object]:
        """All at once; what each came to."""
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
            return (await payment_requests.request(session, booking, percent=percent, **self.set)).order_id

        return deed

    def link_comes(self, session: AsyncSession) -> Awaitable[object]:
        return payment_requests.link_made(session, ORDER, token="tok", url="https://pay.example/1", **self.set)

    def pays(self, order_id: str, amount: int, **how: Any) -> Deed:
        told = answer(order_id, amount=amount, transaction_id=f"t-{order_id}", payment_type="gopay") | how
        return lambda session: settlement.settle(session, order_id, told, **self.set)

    def time_is_over(self, session: AsyncSession) -> Awaitable[object]:
        """Midtrans knew of no attempt when it was asked, a moment before."""
        after = {"shop": self.shop, "now": self.now + self.shop.hold}
        return settlement.look(session, ORDER, None, asked_at=self.now, **after)

    async def owes(self, session: AsyncSession) -> object:
        booking = await bookings.load(session, code=CODE)
        return [each.amount for each in await refunds.owe(session, booking, 100_000, reason="cancelled", **self.set)]

    def transfers(self, session: AsyncSession) -> Awaitable[object]:
        return refunds.transferred(session, KEY, by="Ibu Rina", **self.set)

    def goes_back(self, session: AsyncSession) -> Awaitable[object]:
        return refund_requests.went(session, KEY, {}, amount=100_000, **self.set)


@pytest.fixture
def rivals(databases: list[Database], shop: Shop, now: datetime) -> Rivals:
    return Rivals(databases, shop, now)


async def alive(database: Database) -> Sequence[PaymentRequest]:
    async with database.read() as session:
        living = select(PaymentRequest).where(PaymentRequest.state.in_(payment_requests.ALIVE))
        return (await session.scalars(living)).all()


async def ledger(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.scalars(select(LedgerEntry).order_by(LedgerEntry.kind, LedgerEntry.reference))
        return [(row.kind, row.amount) for row in rows]


async def test_a_link_that_comes_while_another_amount_is_asked_for_is_closed(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await rivals.race(rivals.link_comes, rivals.asks(30))
    (asked,) = await alive(database)
    assert (asked.order_id, asked.amount) == (SECOND_ORDER, DOWN_PAYMENT)
    async with database.read() as session:
        withdrawn = await session.get_one(PaymentRequest, ORDER)
    assert (withdrawn.state, withdrawn.token) == (RequestState.CANCELLED, "tok")
    assert withdrawn.due_at is not None  # a worker closes its page


async def test_a_link_that_was_withdrawn_after_it_was_read_stays_withdrawn(
    postgres_url: str, shop: Shop, now: datetime
) -> None:
    """On PostgreSQL alone another process can come between the reading and the lock."""
    database = Database(postgres_url)
    await book(database, shop, now)
    async with database.write() as session:
        read = await session.get_one(PaymentRequest, ORDER)
        async with database.write() as another:
            await Rivals([database], shop, now).asks(30)(another)
        await payment_requests.link_made(
            Context(session, shop, now), read.order_id, token="tok", url="https://pay.example/1"
        )
    assert [each.order_id for each in await alive(database)] == [SECOND_ORDER]
    await database.close()


async def test_two_who_ask_for_different_amounts_leave_one_link(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.asks(30), rivals.asks(50))
    assert len(await alive(database)) == 1


async def test_a_link_paid_while_another_amount_is_asked_for_leaves_no_link_for_the_same_money(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now, percent=30)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.pays(ORDER, DOWN_PAYMENT), rivals.asks(None))
    booking = await booking_of(database)
    assert booking.paid_amount == DOWN_PAYMENT
    assert [each.amount for each in await alive(database)] in ([], [PRICE - DOWN_PAYMENT])


async def test_two_links_paid_at_once_are_both_money_and_what_is_too_much_is_owed_once(rivals: Rivals) -> None:
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


async def test_never_more_is_owed_than_came_in_whoever_asks_at_once(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE)(session)
    owed = await rivals.race(rivals.owes, rivals.owes, rivals.owes)
    assert sorted(map(str, owed)) == ["[100000]", "[50000]", "[]"]


async def test_what_is_paid_as_its_time_runs_out_stays_paid(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    await give_link(database, ORDER, rivals.shop, rivals.now)
    await rivals.race(rivals.pays(ORDER, PRICE), *[rivals.time_is_over] * 3)
    assert (await request_of(database)).state is RequestState.PAID
    assert await ledger(database) == [("received", PRICE)]


async def test_a_transfer_recorded_by_two_at_once_is_one(rivals: Rivals) -> None:
    database = rivals.databases[0]
    await book(database, rivals.shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE, payment_type="bank_transfer")(session)
        await rivals.owes(session)
    ends = await rivals.race(rivals.transfers, rivals.transfers)
    assert ends.count(AlreadySentBack) == 1
    assert await ledger(database) == [("received", PRICE), ("refunded", -100_000)]


async def test_a_refund_that_the_answer_and_a_notification_tell_at_once_is_one(rivals: Rivals) -> None:
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
    """Midtrans, by which an order's first attempt is over, and its second has paid."""

    async def status(self, reference: str) -> dict[str, Any] | None:
        told = {ORDER: answer(transaction_id="t-2"), "t-1": answer(status="expire")}
        return told.get(reference)


async def test_comparing_and_settling_do_not_wait_for_each_other_in_a_circle(rivals: Rivals) -> None:
    """One gives ended holds back and takes money in; the other takes money in and wants what ended holds gave back."""
    other = "BOOKING-A1-BK000002-1"
    database, shop, later = rivals.databases[0], rivals.shop, rivals.now + rivals.shop.hold
    await book(database, shop, rivals.now, code="BK-000002")
    async with database.write() as session:
        await settlement.look(Context(session, shop, later), other, None)
    await book(database, shop, rivals.now)
    async with database.write() as session:
        await rivals.pays(ORDER, PRICE, transaction_id="t-1", transaction_status="pending")(session)
    here, there, crowd = Database(database.url), Database(database.url), Pause(2)
    crowd.before(here.engine, "INSERT INTO ledger_entry")
    crowd.before(there.engine, "SELECT pg_advisory_xact_lock")
    midtrans: Any = TwoAttempts()
    reconciler = Reconciler(here, midtrans, shop=shop, clock=lambda: later, wake=lambda: None, per_second=math.inf)

    async def settle() -> str:
        async with there.write() as session:
            return await settlement.settle(Context(session, shop, later), other, answer(other, transaction_id="t-3"))

    page, outcome = await asyncio.gather(reconciler.page(rivals.now), settle())
    await here.close()
    await there.close()
    assert (page.findings.mended, outcome) == (1, "received")
    assert await ledger(database) == [("received", PRICE)] * 2
