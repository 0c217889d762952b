"""Money under arbitrary histories: whatever customers, staff, banks and clocks do in whatever order, the books are right.

The truth is what lies at the Midtrans stand-in (`till`); its notifications arrive late, twice, in another
order, forged or never. After each step the books must agree with themselves (`books`); whenever
everything was confirmed, with the money that is really there.

MONEY_EXAMPLES=2000 looks for longer, and elsewhere each time.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

import pytest
from books import Books
from databases import Postgres, Sqlite, opened
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from paying import CHAT
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from till import Till, Weather
from workshop import ADAPTER, ANDI, BUDI, INSTALL, SPEAKER, WIRE, check_books, furnish, order

from bot.collect import Collector
from bot.sandbox.midtrans_account import NotPossible
from bot.sandbox.midtrans_records import Transaction
from core import bookings, cancellation, late, ledger, moving, payments, refunds, settlement
from core.refusals import Refusal
from core.states import BookingStatus, CostState, PaymentMethod, RefundState, RequestState
from core.tables import AdditionalCost, Booking, Contact, PaymentNotification, PaymentRequest, Refund
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
SHARES = st.sampled_from([None, None, 30, 50])
THINGS = st.sampled_from([((), (INSTALL,)), (((SPEAKER, 1),), (INSTALL,)), (((SPEAKER, 2), (ADAPTER, 1)), (WIRE,))])
WHICH = st.integers(0, 5)
WEATHERS = st.sampled_from([Weather.FINE, Weather.FINE, Weather.FINE, *Weather])
CARDS = st.sampled_from(["4811111111111114", "4811111111111114", "4511111111111117", "4911111111111113"])
PAUSES = st.sampled_from([timedelta(minutes=minutes) for minutes in (1, 9, 61, 60 * 20, 60 * 26)])

Result = TypeVar("Result")
Deed = Callable[[AsyncSession], Awaitable[object]]
OnBooking = Callable[[AsyncSession, Booking], Awaitable[object]]


class Errors(logging.Handler):
    """What was logged as a bug."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


class Money(RuleBasedStateMachine):
    """Bookings, links, attempts and refunds of two customers while the clock runs."""

    put_back: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY_8_AM
        self.runner = asyncio.Runner()
        self.way = opened(self.put_back())
        self.database = self.run(self.way.__aenter__())
        self.till = Till(lambda: self.now)
        self.collector = Collector(
            self.database,
            self.till,
            shop=SHOP,
            finish_url="https://shop.example/paid",
            clock=lambda: self.now,
            chance=lambda: 0,
            wake_dispatch=lambda: None,
        )
        self.booked = 0
        self.bag: list[Mapping[str, Any]] = []
        """Notifications that didn't arrive yet."""
        self.sent = 0
        self.old_answers: list[tuple[datetime, Mapping[str, object]]] = []
        self.kept: dict[str, int] = {}
        self.back_outside: set[str] = set()
        """Attempts whose money a bank or the dashboard took."""
        self.books = Books()
        self.errors = Errors()
        logging.getLogger("bot.collect").addHandler(self.errors)

    @initialize()
    def opens(self) -> None:
        async def open_() -> None:
            await furnish(self.database, self.now, customers=CUSTOMERS)
            async with self.database.write() as session:
                session.add(
                    Contact(channel=CHAT[0], address=CHAT[1], customer_id=1, last_seen_at=self.now, created_at=self.now)
                )

        self.run(open_())
        self.comes(0, SHOP.at(TUESDAY, time(9)), PaymentMethod.DP, 30, ((), (INSTALL,)))
        self.the_worker_works(Weather.FINE)

    # --- customers -------------------------------------------------------------------------------

    @rule(who=WHICH, start=STARTS, method=METHODS, percent=SHARES, things=THINGS)
    def comes(self, who: int, start: datetime, method: PaymentMethod, percent: int | None, things: Any) -> None:
        async def come(session: AsyncSession) -> None:
            parts, services = things
            share = None if method is PaymentMethod.COD else percent
            asked = order(start, method=method, parts=parts, services=services, down_payment_percent=share)
            booking = await bookings.book(
                session,
                asked,
                customer_id=who % CUSTOMERS + 1,
                contact_id=1 if who % CUSTOMERS == 0 else None,
                language="id",
                shop=SHOP,
                now=self.now,
                code=f"BK-{self.booked + 1:06}",
            )
            if method is not PaymentMethod.COD:
                await payments.request(session, booking, shop=SHOP, now=self.now, percent=share)

        self.booked += self.does(come)

    @rule(which=WHICH, percent=SHARES)
    def asks_for_a_link(self, which: int, percent: int | None) -> None:
        self.on(which, lambda session, it: payments.request(session, it, shop=SHOP, now=self.now, percent=percent))

    @rule(which=WHICH, channel=WHICH)
    def chooses_how_to_pay(self, which: int, channel: int) -> None:
        self.at_the_till(lambda: self._choose(which, channel))

    @rule(which=WHICH, channel=WHICH, card=CARDS)
    def pays(self, which: int, channel: int, card: str) -> None:
        self.at_the_till(lambda: self._pay(which, channel, card))

    @rule(which=WHICH, channel=WHICH, more=st.sampled_from([-1000, 1000, 500_000]))
    def pays_another_amount(self, which: int, channel: int, more: int) -> None:
        async def pay() -> None:
            attempt = await self._choose(which, channel)
            if attempt.status == "pending":
                attempt.amount += more
                await self.till.account.settle(attempt.id)

        self.at_the_till(pay)

    @rule(which=WHICH)
    def cancels(self, which: int) -> None:
        self._call_off(which, by=bookings.CUSTOMER)

    @rule(which=WHICH, start=STARTS, technician=st.sampled_from([None, ANDI]))
    def moves(self, which: int, start: datetime, technician: str | None) -> None:
        self.on(
            which,
            lambda session, it: moving.move(
                session, it, start, technician_id=technician, actor=bookings.CUSTOMER, shop=SHOP, now=self.now
            ),
        )

    @rule(which=WHICH)
    def wants_late_money_back(self, which: int) -> None:
        async def back(session: AsyncSession, it: Booking) -> None:
            await late.give_back(session, it, shop=SHOP, now=self.now)
            self.kept[it.code] = 0

        self.on(which, back)

    @rule(which=WHICH, agreed=st.booleans())
    def decides_on_a_cost(self, which: int, agreed: bool) -> None:
        async def decide(session: AsyncSession, it: Booking) -> None:
            found = select(AdditionalCost.id).where(
                AdditionalCost.booking_id == it.id, AdditionalCost.state == CostState.PROPOSED
            )
            for cost_id in (await session.scalars(found.order_by(AdditionalCost.id).limit(1))).all():
                await costs.decide_cost(
                    session, cost_id, agreed=agreed, customer_id=it.customer_id, shop=SHOP, now=self.now
                )

        self.on(which, decide)

    # --- staff -----------------------------------------------------------------------------------

    @rule(which=WHICH)
    def staff_cancels(self, which: int) -> None:
        self._call_off(which, by=STAFF)

    @rule(which=WHICH)
    def staff_notes_a_no_show(self, which: int) -> None:
        async def stays_away(session: AsyncSession, it: Booking) -> None:
            terms = await cancellation.no_show(session, it, actor=STAFF, shop=SHOP, now=self.now)
            self.kept[it.code] = terms.kept

        self.on(which, stays_away)

    @rule(which=WHICH, amount=st.sampled_from([40_000, 2_000_000_000]))
    def staff_takes_cash(self, which: int, amount: int) -> None:
        self.on(
            which,
            lambda session, it: cash.receive_cash(
                session, it, min(amount, it.remaining), shop=SHOP, now=self.now, actor=STAFF
            ),
        )

    @rule(which=WHICH, agreed=st.booleans(), amount=st.sampled_from([5_000, 75_000]))
    def staff_adds_a_cost(self, which: int, agreed: bool, amount: int) -> None:
        self.on(
            which,
            lambda session, it: costs.add_cost(
                session, it, "Kabel", amount, agreed=agreed, photo=None, shop=SHOP, now=self.now, actor=STAFF
            ),
        )

    @rule(which=WHICH)
    def staff_begins_or_ends_the_work(self, which: int) -> None:
        async def work(session: AsyncSession, it: Booking) -> None:
            begun = it.status is BookingStatus.IN_PROGRESS
            await (progress.complete if begun else progress.start)(session, it, shop=SHOP, now=self.now, actor=STAFF)

        self.on(which, work)

    @rule(which=WHICH, technician=st.sampled_from([ANDI, BUDI]))
    def staff_assigns(self, which: int, technician: str) -> None:
        self.on(
            which, lambda session, it: planning.assign(session, it, technician, shop=SHOP, now=self.now, actor=STAFF)
        )

    @rule(which=WHICH)
    def staff_transfers_a_refund(self, which: int) -> None:
        async def transfer(session: AsyncSession) -> None:
            by_hand = select(Refund.key).where(Refund.state == RefundState.BY_HAND).order_by(Refund.key)
            keys = (await session.scalars(by_hand)).all()
            if keys:
                await refunds.transferred(session, keys[which % len(keys)], by=STAFF, shop=SHOP, now=self.now)

        self.does(transfer)

    # --- banks, and the dashboard ----------------------------------------------------------------

    @rule(which=WHICH, verb=st.sampled_from(["settle", "settle", "deny", "expire", "cancel"]))
    def something_becomes_of_an_attempt(self, which: int, verb: str) -> None:
        async def become() -> None:
            attempt = self._attempt(which)
            voided = attempt.status == "cancel" and attempt.channel.group == "card"
            if not voided:  # what was voided never settles
                await getattr(self.till.account, verb)(attempt.id)

        self.at_the_till(become)

    @rule(which=WHICH, accept=st.booleans())
    def staff_judges_a_challenged_card(self, which: int, accept: bool) -> None:
        self.at_the_till(lambda: self.till.account.judge(self._attempt(which).id, accept=accept))

    @rule(which=WHICH, all_of_it=st.booleans())
    def the_dashboard_refunds(self, which: int, all_of_it: bool) -> None:
        async def refund() -> None:
            attempt = self._attempt(which)
            amount = attempt.left if all_of_it else attempt.left // 2
            await self.till.account.refund(attempt.id, f"dashboard-{self.now:%d%H%M%S}", amount, "by hand")

        self.at_the_till(refund)

    @rule(which=WHICH, all_of_it=st.booleans())
    def the_cardholder_wants_it_back(self, which: int, all_of_it: bool) -> None:
        async def charge_back() -> None:
            attempt = self._attempt(which)
            amount = attempt.left if all_of_it else attempt.left // 2
            if attempt.channel.group == "card":
                await self.till.account.charge_back(attempt.id, f"cb-{self.now:%d%H%M%S}", amount)

        self.at_the_till(charge_back)

    # --- what arrives, and when ------------------------------------------------------------------

    @rule(which=WHICH, again=st.booleans())
    def a_notification_arrives(self, which: int, again: bool) -> None:
        if self.bag:
            body = self.bag[which % len(self.bag)]
            if not again:
                self.bag.remove(body)
            self.arrives(body)

    @rule(which=WHICH)
    def a_notification_is_lost(self, which: int) -> None:
        if self.bag:
            del self.bag[which % len(self.bag)]

    @rule(which=WHICH, status=st.sampled_from(["settlement", "deny", "expire", "refund", "chargeback", "pending"]))
    def a_notification_is_forged(self, which: int, status: str) -> None:
        """The signature doesn't cover the status, so what is made from a real one gets through."""
        known = self.till.notifications
        if known:
            self.arrives({**known[which % len(known)], "transaction_status": status})

    @rule(which=WHICH)
    def a_status_is_asked_by_somebody_slow(self, which: int) -> None:
        async def ask() -> None:
            told = await self.till.told(self._attempt(which).id)
            if told:
                self.old_answers.append((self.now, told))

        self.at_the_till(ask)

    @rule(which=WHICH)
    def the_slow_answer_is_acted_on(self, which: int) -> None:
        if self.old_answers:
            asked_at, told = self.old_answers[which % len(self.old_answers)]
            self.does(lambda session: self.settles(session, told, asked_at=asked_at))

    @rule(weather=WEATHERS)
    def the_worker_works(self, weather: Weather) -> None:
        self.now += timedelta(seconds=1)
        self.till.weather = weather
        self.run(self.collector.run_once())
        self.till.weather = Weather.FINE

    @rule(pause=PAUSES)
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause
        self.at_the_till(self.till.account.tick)

    @rule()
    def ended_holds_are_swept(self) -> None:
        async def sweep(session: AsyncSession) -> None:
            await bookings.release_ended_holds(session, now=self.now)
            await late.remind(session, shop=SHOP, now=self.now)

        self.does(sweep)

    @rule()
    def everything_is_confirmed(self) -> None:
        while self.bag:
            self.arrives(self.bag.pop())
        self.run(self._work_off())
        for attempt in self.till.attempts:  # what the nightly reconciliation asks
            told = self.run(self.till.told(attempt.id))
            assert told is not None
            self.does(lambda session, told=told: self.settles(session, told))
        self.gather_notifications()
        self.books = self.run(self._read())
        for attempt in self.till.attempts:
            assert self.books.of_attempt(attempt.id) == Till.money(attempt), "the ledger isn't the money"

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def the_books_are_right(self) -> None:
        assert not self.errors.seen
        before, self.books = self.books, self.run(self._read())
        self.books.check(before, self.kept)

    @invariant()
    def the_places_are_right(self) -> None:
        self.run(check_books(self.database))

    def teardown(self) -> None:
        try:
            if self.booked:
                self.everything_is_confirmed()
                self.the_books_are_right()
        finally:
            logging.getLogger("bot.collect").removeHandler(self.errors)
            self.run(self.way.__aexit__(None, None, None))
            self.runner.close()

    # --- helpers ---------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def on(self, which: int, deed: OnBooking) -> None:
        """Do something to a booking."""

        async def do(session: AsyncSession) -> None:
            await deed(session, await bookings.load(session, code=f"BK-{which % self.booked + 1:06}"))

        self.does(do)

    def does(self, deed: Deed) -> bool:
        """Whether the shop's rules allowed it."""

        async def committed() -> None:
            async with self.database.write() as session:
                await deed(session)

        self.now += timedelta(seconds=1)
        try:
            self.run(committed())
        except Refusal:
            return False
        return True

    def at_the_till(self, deed: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Let something happen at Midtrans, as far as its rules allow."""
        self.now += timedelta(seconds=1)
        try:
            self.run(deed())
        except (NotPossible, LookupError):
            pass
        self.gather_notifications()

    def gather_notifications(self) -> None:
        sent = self.till.notifications
        self.bag += sent[self.sent :]
        self.sent = len(sent)

    def arrives(self, body: Mapping[str, Any]) -> None:
        self.does(lambda session: settlement.note(session, body, now=self.now))

    async def settles(
        self, session: AsyncSession, told: Mapping[str, object], *, asked_at: datetime | None = None
    ) -> None:
        order_id = str(told["order_id"])
        await settlement.settle(session, order_id, told, shop=SHOP, now=self.now, asked_at=asked_at)

    def _attempt(self, which: int) -> Transaction:
        attempts = self.till.attempts
        return attempts[-1 - which % len(attempts)] if attempts else _nothing()

    async def _choose(self, which: int, channel: int) -> Transaction:
        token = self._page(which)
        channels = self.till.account.page(token).channels
        return await self.till.account.choose(token, channels[channel % len(channels)].name)

    async def _pay(self, which: int, channel: int, card: str) -> None:
        token = self._page(which)
        channels = self.till.account.page(token).channels
        await self.till.account.pay(token, channels[channel % len(channels)].name, card=card)

    def _page(self, which: int) -> str:
        return self.till.pages[-1 - which % len(self.till.pages)] if self.till.pages else _nothing()

    def _call_off(self, which: int, *, by: str) -> None:
        async def cancel(session: AsyncSession, it: Booking) -> None:
            terms = await cancellation.cancel(session, it, reason="batal", actor=by, shop=SHOP, now=self.now)
            self.kept[it.code] = terms.kept

        self.on(which, cancel)

    async def _work_off(self) -> None:
        """Let the worker work until nothing waits to be confirmed or closed."""
        for _ in range(30):
            self.now += timedelta(seconds=1)
            if await self.collector.run_once():
                continue
            if not await self._waits():
                return
            self.now += timedelta(minutes=5)
        raise AssertionError("something waits for ever")

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

    async def _read(self) -> Books:
        async with self.database.read() as session:
            return await Books.read(session)


def _nothing() -> Any:
    raise LookupError


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


def test_the_money_is_right_after_anything(sqlite: Sqlite) -> None:
    machine = type("Money", (Money,), {"put_back": staticmethod(lambda: sqlite.put_back("bare"))})
    run_state_machine_as_test(machine, settings=bounded(25, 25))


def test_the_money_is_right_on_the_other_database(postgres: Postgres) -> None:
    machine = type("Money", (Money,), {"put_back": staticmethod(lambda: postgres.put_back("bare"))})
    run_state_machine_as_test(machine, settings=bounded(3, 20))


class Naive(Money):
    """A shop that believes a notification, and enters it each time it comes."""

    arrived = 0

    def arrives(self, body: Mapping[str, Any]) -> None:
        async def enter(session: AsyncSession) -> None:
            request = await session.get(PaymentRequest, body["order_id"])
            if request is None or body["transaction_status"] != "settlement":
                return
            self.arrived += 1
            await ledger.enter(
                session,
                await payments.locked(session, request.booking_id),
                "received",
                request.amount,
                reference=f"{body['transaction_id']}:{self.arrived}",
                order_id=request.order_id,
                transaction_id=body["transaction_id"],
                method="qris",
                evidence={},
                shop=SHOP,
                now=self.now,
            )

        self.does(enter)


def test_a_shop_that_counts_a_notification_twice_is_caught(sqlite: Sqlite) -> None:
    """The negative control: the same machine, another rule."""
    machine = type("Naive", (Naive,), {"put_back": staticmethod(lambda: sqlite.put_back("bare"))})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=bounded(25, 25, phases=[Phase.generate]))
