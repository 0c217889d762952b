"""Property test: any sequence of actions keeps seats, technicians and stock consistent."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from shops import MONDAY_8_AM, make_shop
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ADAPTER, ANDI, BUDI, CHECK, FULL_DAY, INSTALL, SPEAKER, WIRE, book, check_books, furnish, order

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.refusals import Refusal
from core.schedule import bookings

SHOP = make_shop(max_bookings_per_slot=2, max_unpaid_bookings=100)
TUESDAY = date(2026, 11, 24)
STARTS = st.sampled_from([SHOP.at(TUESDAY + timedelta(days=day), time(hour)) for day in (0, 1) for hour in (9, 10, 14)])
TECHNICIANS = st.sampled_from([None, None, ANDI, BUDI])
PARTS = st.sampled_from([(), (), ((SPEAKER, 1),), ((SPEAKER, 2), (ADAPTER, 3))])
LATER = st.sampled_from([0, 0, 10, 60])
WHICH = st.integers(0, 9)
SERVICES = st.sampled_from([(INSTALL,), (WIRE,), (CHECK, WIRE), (FULL_DAY,)])

Change = Callable[[AsyncSession, Booking], Awaitable[Any]]


class Workshop(RuleBasedStateMachine):
    """Bookings are made, paid, rescheduled, cancelled and expire while time passes."""

    template: Path
    file: Path

    def __init__(self) -> None:
        super().__init__()
        shutil.copy(self.template, self.file)
        self.runner = asyncio.Runner()
        self.database = Database(f"sqlite+aiosqlite:///{self.file}")
        self.now = MONDAY_8_AM
        self.booked = 0

    @initialize()
    def opens(self) -> None:
        self.runner.run(furnish(self.database, self.now))
        for technician in (ANDI, BUDI, None):
            self.comes(0, SHOP.at(TUESDAY, time(9)), technician, ((SPEAKER, 1),), (WIRE,))

    @rule(after=LATER, start=STARTS, technician=TECHNICIANS, parts=PARTS, services=SERVICES)
    def comes(self, after: int, start: datetime, technician: str | None, parts: Any, services: Any) -> None:
        async def come(session: AsyncSession) -> None:
            asked = order(start, technician_id=technician, parts=parts, services=services)
            await book(session, asked, shop=SHOP, now=self.now, code=f"BK-{self.booked + 1}")

        self.booked += self.does(after, come)

    @rule(after=LATER)
    def holds_are_swept(self, after: int) -> None:
        self.does(after, lambda session: bookings.release_ended_holds(Context(session, SHOP, self.now)))

    @rule(after=LATER, which=WHICH)
    def is_cancelled(self, after: int, which: int) -> None:
        self.changes(
            after,
            which,
            lambda session, it: bookings.cancel(Context(session, SHOP, self.now), it, reason="batal", actor="customer"),
        )

    @rule(after=LATER, which=WHICH)
    def is_tried_again(self, after: int, which: int) -> None:
        self.changes(after, which, lambda session, it: bookings.hold_again(Context(session, SHOP, self.now), it))

    @rule(after=LATER, which=WHICH)
    def is_paid(self, after: int, which: int) -> None:
        async def pay(session: AsyncSession, it: Booking) -> None:
            await bookings.hold_again(Context(session, SHOP, self.now), it)
            it.paid_amount, it.hold_until = it.total_price, None

        self.changes(after, which, pay)

    @rule(after=LATER, which=WHICH, start=STARTS, technician=TECHNICIANS)
    def moves(self, after: int, which: int, start: datetime, technician: str | None) -> None:
        self.changes(
            after,
            which,
            lambda session, it: bookings.reschedule(
                Context(session, SHOP, self.now), it, start, technician_id=technician, actor="customer"
            ),
        )

    @invariant()
    def the_books_are_right(self) -> None:
        self.runner.run(check_books(self.database))

    def changes(self, after: int, which: int, change: Change) -> None:
        async def work(session: AsyncSession) -> None:
            await change(session, await bookings.load(session, code=f"BK-{which % self.booked + 1}"))

        self.does(after, work)

    def does(self, after: int, work: Callable[[AsyncSession], Awaitable[Any]]) -> bool:
        """Run a transaction; returns False if the shop's rules refused it."""
        self.now += timedelta(minutes=after)
        try:
            self.runner.run(self.commits(work))
        except Refusal:
            return False
        return True

    async def commits(self, work: Callable[[AsyncSession], Awaitable[Any]]) -> None:
        async with self.database.write() as session:
            await work(session)

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


def test_seats_and_stock_stay_consistent(sqlite_templates: Path, tmp_path: Path) -> None:
    paths = {"template": sqlite_templates / "bare.db", "file": tmp_path / "workshop.db"}
    bounded = settings(
        max_examples=6, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(type("Workshop", (Workshop,), paths), settings=bounded)
