"""Property test of money: any sequence of actions by customers, staff and banks keeps the books right.

The Midtrans stand-in (`till`) has the real money. Its notifications arrive late, twice, out of order, forged or never.
After each step the books must be consistent (`books`). Once everything is confirmed and reconciled, they must equal the
real money: the shop asks for exactly what is missing, and older answers change nothing.

MONEY_EXAMPLES=2000 runs more examples, with a random seed.
"""

import asyncio
import contextlib
import logging
import math
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

import pytest
from books import Books
from databases import Postgres, Sqlite, opened
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from paying import CHAT
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from till import Till, Weather
from workshop import ADAPTER, ANDI, BUDI, INSTALL, SPEAKER, WIRE, check_books, furnish, order

from bot.payments.payment_worker import PaymentWorker
from bot.payments.reconciliation_worker import Reconciler
from bot.sandbox.midtrans_account import ApiError
from bot.sandbox.midtrans_records import Transaction
from bot.transactions import Transactions
from core import payment
from core.booking import cancel, record_no_show, reschedule
from core.context import Context
from core.db.tables import Booking, Contact, PaymentNotification, PaymentRequest, Refund
from core.refusals import AlreadyPaid, Refusal
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.states import BookingStatus, PaymentMethod, RefundState, RequestState
from core.work import cash, costs, planning, progress

SHOP = make_shop(max_bookings_per_slot=2, max_unpaid_bookings=99, no_shows_tolerated=99)
LONG = int(os.environ.get("MONEY_EXAMPLES", "0"))
TUESDAY = date(2026, 11, 24)
CUSTOMERS = 2
STAFF = "Ibu Rina"

STARTS = st.sampled_from([SHOP.at(TUESDAY + timedelta(days=day), time(hour)) for day in (0, 1) for hour in (9, 10)])
METHODS = st.sampled_from(
    [PaymentMethod.TRANSFER, PaymentMethod.QRIS, PaymentMethod.CARD, PaymentMethod.DP, PaymentMethod.COD]
)
SHARES = st.sampled_from([None, 30, 50])
THINGS = st.sampled_from([((), (INSTALL,)), (((SPEAKER, 1),), (INSTALL,)), (((SPEAKER, 2), (ADAPTER, 1)), (WIRE,))])
WHICH = st.sampled_from([0, 0, 1, 2, 3])
WEATHERS = st.sampled_from([Weather.FINE, Weather.FINE, Weather.FINE, *Weather])
CARDS = st.sampled_from(["4811111111111114", "4811111111111114", "4511111111111117", "4911111111111113"])
HOWS = st.sampled_from(["pays", "pays", "chooses", "pays too little", "pays twice"])
PAUSES = st.sampled_from([timedelta(minutes=minutes) for minutes in (1, 10, 61, 60 * 20)])

Result = TypeVar("Result")
Deed = Callable[[AsyncSession], Awaitable[object]]
OnBooking = Callable[[AsyncSession, Booking], Awaitable[object]]


class Errors(logging.Handler):
    """Collects log records of level ERROR."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


class Money(RuleBasedStateMachine):
    """Bookings, links, attempts and refunds of two customers while time passes."""

    put_back: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY_8_AM
        self.runner = asyncio.Runner()
        self.way = opened(self.put_back())
        self.database = self.run(self.way.__aenter__())
        self.till = Till(lambda: self.now)
        transactions = Transactions(self.database, SHOP, lambda: self.now)
        self.collector = PaymentWorker(
            transactions,
            self.till,
            finish_url="https://shop.example/paid",
            chance=lambda: 0,
            wake_dispatch=lambda: None,
        )
        self.reconciler = Reconciler(
            transactions,
            self.till,
            wake=lambda: None,
            per_second=math.inf,
        )
        self.booked = 0
        self.bag: list[Mapping[str, Any]] = []
        """Notifications that haven't arrived yet."""
        self.sent = 0
        self.heard: set[str] = set()
        """Transaction ids of the notifications that arrived."""
        self.old_answers: list[tuple[datetime, Mapping[str, object]]] = []
        self.kept: dict[str, int] = {}
        self.books = Books()
        self.changed = True
        """Whether anything was committed since the last check of the books."""
        self.errors = Errors()
        logging.getLogger("bot").addHandler(self.errors)

    @initialize(method=METHODS, percent=SHARES, things=THINGS, card=CARDS, how=HOWS)
    def opens(self, method: PaymentMethod, percent: int | None, things: Any, card: str, how: str) -> None:
        async def open_() -> None:
            await furnish(self.database, self.now, customers=CUSTOMERS)
            async with self.database.write() as session:
                session.add(
                    Contact(channel=CHAT[0], address=CHAT[1], customer_id=1, last_seen_at=self.now, created_at=self.now)
                )

        self.run(open_())
        self.comes(0, SHOP.at(TUESDAY, time(9)), method, percent, things, Weather.FINE)
        if self.till.pages:
            self.pays(0, 0, card, how)

    # --- customers -------------------------------------------------------------------------------

    @rule(who=WHICH, start=STARTS, method=METHODS, percent=SHARES, things=THINGS, weather=WEATHERS)
    def comes(
        self, who: int, start: datetime, method: PaymentMethod, percent: int | None, things: Any, weather: Weather
    ) -> None:
        async def come(session: AsyncSession) -> None:
            (parts, services), share = things, None if method is PaymentMethod.COD else percent
            booking = await bookings.book(
                Context(session, **self.set),
                BookingRequest(
                    order=order(start, method=method, parts=parts, services=services, down_payment_percent=share),
                    customer_id=who % CUSTOMERS + 1,
                    contact_id=1 if who % CUSTOMERS == 0 else None,
                    language="id",
                    code=f"BK-{self.booked + 1:06}",
                ),
            )
            if method is not PaymentMethod.COD:
                await payment.request(Context(session, **self.set), booking, percent=share)

        self.booked += self.does(come)
        self.the_worker_works(weather)

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, percent=SHARES, weather=WEATHERS)
    def asks_for_a_link(self, which: int, percent: int | None, weather: Weather) -> None:
        self.on(which, lambda session, it: payment.request(Context(session, **self.set), it, percent=percent))
        self.the_worker_works(weather)

    @precondition(lambda self: self.till.pages)
    @rule(page=WHICH, channel=WHICH, card=CARDS, how=HOWS)
    def pays(self, page: int, channel: int, card: str, how: str) -> None:
        account, token = self.till.account, self.till.pages[-1 - page % len(self.till.pages)]
        channels = account.page(token).channels
        name = channels[channel % len(channels)].name

        async def pay() -> None:
            if how == "pays":
                await account.pay(token, name, card=card)
                return
            attempt = await account.choose(token, name)
            if how == "pays twice":
                again = await account.choose(token, name)
                await account.settle(attempt.id)
                await account.settle(again.id)
            if how == "pays too little" and attempt.status == "pending":
                attempt.amount -= 1000
                await account.settle(attempt.id)

        self.at_the_till(pay)

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, by=st.sampled_from([bookings.CUSTOMER, STAFF, "no-show", "late"]))
    def is_called_off(self, which: int, by: str) -> None:
        async def call_off(session: AsyncSession, it: Booking) -> None:
            match by:
                case "late":
                    await payment.refund_lost_slot(Context(session, **self.set), it)
                    self.kept[it.code] = 0
                case "no-show":
                    self.kept[it.code] = (await record_no_show(Context(session, **self.set), it, actor=STAFF)).kept
                case _:
                    terms = await cancel(Context(session, **self.set), it, reason="batal", actor=by)
                    self.kept[it.code] = terms.kept

        self.on(which, call_off)

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, start=STARTS, technician=st.sampled_from([None, ANDI]))
    def moves(self, which: int, start: datetime, technician: str | None) -> None:
        who = bookings.CUSTOMER
        self.on(
            which,
            lambda session, it: reschedule(
                Context(session, **self.set), it, start, technician_id=technician, actor=who
            ),
        )

    # --- staff -----------------------------------------------------------------------------------

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, amount=st.sampled_from([40_000, 2_000_000_000]))
    def staff_takes_cash(self, which: int, amount: int) -> None:
        self.on(
            which,
            lambda session, it: cash.receive_cash(
                Context(session, **self.set), it, min(amount, it.remaining), actor=STAFF
            ),
        )

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, agreed=st.booleans(), at_once=st.booleans(), amount=st.sampled_from([5_000, 75_000]))
    def something_more_costs(self, which: int, agreed: bool, at_once: bool, amount: int) -> None:
        async def add(session: AsyncSession, it: Booking) -> None:
            cost = await costs.add_cost(
                Context(session, **self.set), it, "Kabel", amount, agreed=at_once, photo=None, actor=STAFF
            )
            if not at_once:
                await costs.decide_cost(
                    Context(session, **self.set), cost.id, agreed=agreed, customer_id=it.customer_id
                )

        self.on(which, add)

    @precondition(lambda self: self.booked)
    @rule(which=WHICH, verb=st.sampled_from(["assign", "go on", "go on", "go on"]))
    def staff_works(self, which: int, verb: str) -> None:
        async def work(session: AsyncSession, it: Booking) -> None:
            if verb == "assign":
                await planning.assign(Context(session, **self.set), it, BUDI, actor=STAFF)
                return
            begun = it.status is BookingStatus.IN_PROGRESS
            await (progress.complete if begun else progress.start)(Context(session, **self.set), it, actor=STAFF)

        self.on(which, work)

    @rule(which=WHICH)
    def staff_transfers_a_refund(self, which: int) -> None:
        async def transfer(session: AsyncSession) -> None:
            by_hand = select(Refund.key).where(Refund.state == RefundState.BY_HAND).order_by(Refund.key)
            keys = (await session.scalars(by_hand)).all()
            if keys:
                await payment.record_transfer(Context(session, **self.set), keys[which % len(keys)], by=STAFF)

        self.does(transfer)

    # --- banks, and the dashboard ----------------------------------------------------------------

    @precondition(lambda self: self.till.attempts)
    @rule(which=WHICH, what=st.sampled_from(["settle", "settle", "deny", "expire", "cancel", "approve", "refuse"]))
    def something_becomes_of_an_attempt(self, which: int, what: str) -> None:
        attempt, account = self.attempt(which), self.till.account

        async def become() -> None:
            if what in ("approve", "refuse"):
                await account.review(attempt.id, accept=what == "approve")
            elif attempt.channel.group != "card" or attempt.status != "cancel":  # a voided card payment never settles
                await getattr(account, what)(attempt.id)

        self.at_the_till(become)

    @precondition(lambda self: self.till.attempts)
    @rule(which=WHICH, parts=st.sampled_from([1, 1, 2]), by=st.sampled_from(["dashboard", "cardholder's bank"]))
    def money_is_taken_back(self, which: int, parts: int, by: str) -> None:
        attempt, account, key = self.attempt(which), self.till.account, f"outside-{self.now:%d%H%M%S}"
        amount = attempt.remaining // parts

        async def take() -> None:
            if by == "dashboard":
                await account.refund(attempt.id, key, amount, "by hand")
            else:
                await account.charge_back(attempt.id, key, amount)

        self.at_the_till(take)

    # --- notifications and answers ---------------------------------------------------------------

    @precondition(lambda self: self.bag)
    @rule(which=WHICH, becomes=st.sampled_from(["it arrives", "it arrives", "it arrives twice", "it is lost"]))
    def a_notification_was_sent(self, which: int, becomes: str) -> None:
        body = self.bag[which % len(self.bag)]
        if becomes != "it arrives twice":
            self.bag.remove(body)
        if becomes != "it is lost":
            self.arrives(body)

    @precondition(lambda self: self.till.attempts)
    @rule(which=WHICH, status=st.sampled_from(["settlement", "deny", "expire", "refund", "chargeback", "pending"]))
    def a_notification_is_forged(self, which: int, status: str) -> None:
        """The signature doesn't cover the status, so a real notification with another status is accepted."""
        known = self.till.notifications
        self.arrives({**known[which % len(known)], "transaction_status": status})

    @precondition(lambda self: self.till.attempts)
    @rule(which=WHICH)
    def a_status_is_asked_by_somebody_slow(self, which: int) -> None:
        self.now += timedelta(seconds=1)
        told = self.run(self.till.told(self.attempt(which).id))
        assert told is not None
        self.old_answers.append((self.now, told))
        self.gather_notifications()

    @precondition(lambda self: self.old_answers)
    @rule(which=WHICH)
    def the_slow_answer_is_acted_on(self, which: int) -> None:
        asked_at, told = self.old_answers[which % len(self.old_answers)]
        self.does(lambda session: self.settles(session, told, asked_at=asked_at))

    @rule(weather=WEATHERS)
    def the_worker_works(self, weather: Weather) -> None:
        self.now += timedelta(seconds=1)
        self.till.weather = weather
        self.changed |= bool(self.run(self.collector.run_once()))
        self.till.weather = Weather.FINE
        self.gather_notifications()

    @rule(pause=PAUSES, sweep=st.booleans())
    def time_passes(self, pause: timedelta, sweep: bool) -> None:
        self.now += pause
        self.at_the_till(self.till.account.tick)
        if sweep:
            self.does(lambda session: bookings.release_ended_holds(Context(session, SHOP, self.now)))

    @rule()
    def everything_is_confirmed(self) -> None:
        while self.bag:
            self.arrives(self.bag.pop())
        for attempt in self.till.attempts:  # Midtrans retries, so at least one notification of each attempt arrives
            if attempt.id not in self.heard:
                self.arrives(self.till.of(attempt)[-1].body)
        self.run(self._work_off())
        page = self.run(self.reconciler.page(MONDAY_8_AM))
        assert (page.is_last, page.trouble, page.findings.left) == (True, None, 0), "reconciliation leaves a difference"
        self.gather_notifications()
        self.changed = True
        books = self.run(self._read())
        for attempt in self.till.attempts:
            assert books.of_attempt(attempt.id) == Till.money(attempt), "the ledger differs from the real money"
        for booking in books.bookings:
            if booking.status is not BookingStatus.CANCELLED:
                self.asks_for_what_is_missing(booking.code, booking.total_price - books.net(booking))
        self.what_is_older_says_nothing(books)

    def asks_for_what_is_missing(self, code: str, missing: int) -> None:
        """The shop asks for exactly the missing amount, also after an additional cost."""
        for more in (0, 50_000):
            self.now += timedelta(seconds=1)
            try:
                asked = self.run(self._would_ask(code, more))
            except AlreadyPaid:
                assert missing + more <= 0, "nothing is asked for, but money is missing"
            except Refusal:
                return  # refused for another reason than the amount
            else:
                assert asked == missing + more, "the amount asked for isn't the missing amount"

    def what_is_older_says_nothing(self, books: Books) -> None:
        """Process status answers that are older than what the shop knows."""

        async def answer(session: AsyncSession) -> None:
            for attempt in self.till.attempts:
                for sent in self.till.of(attempt):
                    if sent.body["transaction_status"] != attempt.status:
                        await self.settles(session, sent.body, asked_at=sent.at)

        self.does(answer)
        after = self.run(self._read())
        assert (after.entries, after.known) == (books.entries, books.known), "an older answer changed the books"

    # --- invariants ------------------------------------------------------------------------------

    @invariant()
    def the_books_are_right(self) -> None:
        assert not self.errors.seen
        if self.changed:
            before, self.books = self.books, self.run(self._read())
            self.books.check(before, self.kept)
            self.run(check_books(self.database))
        self.changed = False

    def teardown(self) -> None:
        try:
            if self.booked:
                self.everything_is_confirmed()
                self.the_books_are_right()
        finally:
            logging.getLogger("bot").removeHandler(self.errors)
            self.run(self.way.__aexit__(None, None, None))
            self.runner.close()

    # --- helpers ---------------------------------------------------------------------------------

    @property
    def set(self) -> dict[str, Any]:
        """Arguments that every use case takes."""
        return {"shop": SHOP, "now": self.now}

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def on(self, which: int, deed: OnBooking) -> None:
        """Run a transaction on a booking."""

        async def do(session: AsyncSession) -> None:
            await deed(session, await bookings.load(session, code=f"BK-{which % self.booked + 1:06}"))

        self.does(do)

    def does(self, deed: Deed) -> bool:
        """Run a transaction; returns False if the shop's rules refused it."""

        async def committed() -> None:
            async with self.database.write() as session:
                await deed(session)

        self.now += timedelta(seconds=1)
        try:
            self.run(committed())
        except Refusal:
            return False
        self.changed = True
        return True

    def at_the_till(self, deed: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run an action at Midtrans; ignored if Midtrans' rules refuse it."""
        self.now += timedelta(seconds=1)
        with contextlib.suppress(ApiError):
            self.run(deed())
        self.gather_notifications()

    def gather_notifications(self) -> None:
        sent = self.till.notifications
        self.bag += sent[self.sent :]
        self.sent = len(sent)

    def arrives(self, body: Mapping[str, Any]) -> None:
        self.heard.add(body["transaction_id"])
        self.does(lambda session: payment.store_notification(session, body, now=self.now))

    async def settles(
        self, session: AsyncSession, told: Mapping[str, object], *, asked_at: datetime | None = None
    ) -> None:
        order_id = str(told["order_id"])
        await payment.settle(Context(session, **self.set), order_id, told, asked_at=asked_at)

    def attempt(self, which: int) -> Transaction:
        """A payment attempt; 0 is the newest."""
        attempts = self.till.attempts
        return attempts[-1 - which % len(attempts)]

    async def _work_off(self) -> None:
        """Run the worker until nothing waits for confirmation or closing."""
        for _ in range(30):
            self.now += timedelta(seconds=1)
            if await self.collector.run_once():
                continue
            if not await self._waits():
                return
            self.now += timedelta(minutes=5)
        raise AssertionError("the worker never finishes")

    async def _waits(self) -> bool:
        async with self.database.read() as session:
            noted = await session.scalar(
                select(PaymentNotification.id).where(PaymentNotification.due_at.is_not(None)).limit(1)
            )
            closing = await session.scalar(
                select(PaymentRequest.order_id)
                .where(PaymentRequest.state == RequestState.CANCELLED, PaymentRequest.due_at.is_not(None))
                .limit(1)
            )
            return bool(noted or closing)

    async def _would_ask(self, code: str, more: int) -> int:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=code)
            booking.total_price += more
            asked = (await payment.request(Context(session, **self.set), booking, percent=None)).amount
            await session.rollback()
            return asked

    async def _read(self) -> Books:
        async with self.database.read() as session:
            return await Books.read(session)


def bounded(examples: int, steps: int, **more: Any) -> settings:
    return settings(
        max_examples=LONG or examples,
        stateful_step_count=50 if LONG else steps,
        deadline=None,
        derandomize=not LONG,
        print_blob=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )


def test_the_books_match_the_real_money(sqlite: Sqlite) -> None:
    machine = type("Money", (Money,), {"put_back": staticmethod(lambda: sqlite.put_back("bare"))})
    run_state_machine_as_test(machine, settings=bounded(9, 20))


def test_the_books_match_the_real_money_on_postgresql(postgres: Postgres) -> None:
    machine = type("Money", (Money,), {"put_back": staticmethod(lambda: postgres.put_back("bare"))})
    run_state_machine_as_test(machine, settings=bounded(2, 12))


class Naive(Money):
    """Trusts a notification without a status call and enters it every time."""

    arrived = 0

    def arrives(self, body: Mapping[str, Any]) -> None:
        async def enter(session: AsyncSession) -> None:
            request = await session.get(PaymentRequest, body["order_id"])
            if request is None or body["transaction_status"] != "settlement":
                return
            self.arrived += 1
            await payment.enter_money(
                Context(session, SHOP, self.now),
                await payment.lock_booking(session, request.booking_id),
                "received",
                request.amount,
                actor="midtrans",
                reference=f"{body['transaction_id']}:{self.arrived}",
                order_id=request.order_id,
                transaction_id=body["transaction_id"],
                method="qris",
                evidence={},
            )

        self.does(enter)


def test_control_a_notification_counted_twice_fails(sqlite: Sqlite) -> None:
    """The negative control."""
    machine = type("Naive", (Naive,), {"put_back": staticmethod(lambda: sqlite.put_back("bare"))})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=bounded(25, 25, phases=[Phase.generate]))
