"""Property test: no sequence of bookings, clocks and new settings overbooks the shop, a technician or the stock."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ADAPTER, ANDI, BUDI, CHECK, FULL_DAY, INSTALL, SPEAKER, WIRE, book, check_books, furnish, order

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.refusals import Refusal
from core.schedule import bookings, occupancy, slots
from core.schedule.occupancy import Job

SHOP = make_shop(max_bookings_per_slot=2, max_unpaid_bookings=100)
TUESDAY = date(2026, 11, 24)
DAYS = (TUESDAY, TUESDAY + timedelta(days=1))
SLOTS = st.integers(0, 13)
NEW_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "slot_minutes": st.sampled_from([15, 30, 45, 50, 60]),
        "max_bookings_per_slot": st.integers(1, 3),
        "opening_hours": st.sampled_from(["09:00-17:00", "08:30-16:00", "10:10-18:00"]).map(
            lambda hours: {"tuesday": hours, "wednesday": hours}
        ),
        "timezone": st.sampled_from(["Asia/Jakarta", "Asia/Makassar"]),
    },
)
TECHNICIANS = st.sampled_from([None, None, ANDI, BUDI])
PARTS = st.sampled_from([(), (), ((SPEAKER, 1),), ((SPEAKER, 2), (ADAPTER, 3))])
LATER = st.sampled_from([0, 0, 10, 60])
WHICH = st.integers(0, 9)
SERVICES = st.sampled_from([(INSTALL,), (WIRE,), (CHECK, WIRE), (FULL_DAY,)])

Change = Callable[[AsyncSession, Booking], Awaitable[Any]]


@dataclass(frozen=True)
class NumberedJob(Job):
    booking_id: int = 0


class Workshop(RuleBasedStateMachine):
    """Bookings are made, paid, rescheduled, cancelled and expire while time passes and the owner changes the settings."""

    template: Path
    file: Path

    def __init__(self) -> None:
        super().__init__()
        shutil.copy(self.template, self.file)
        self.runner = asyncio.Runner()
        self.database = Database(f"sqlite+aiosqlite:///{self.file}")
        self.shop, self.now = SHOP, MONDAY_8_AM
        self.booked = 0

    @initialize()
    def opens(self) -> None:
        self.runner.run(furnish(self.database, self.now))
        for technician in (ANDI, BUDI, None):
            self.comes(0, 0, technician, ((SPEAKER, 1),), (WIRE,))

    @rule(after=LATER, slot=SLOTS, technician=TECHNICIANS, parts=PARTS, services=SERVICES)
    def comes(self, after: int, slot: int, technician: str | None, parts: Any, services: Any) -> None:
        async def come(session: AsyncSession) -> None:
            asked = order(self.slot(slot), technician_id=technician, parts=parts, services=services)
            await book(session, asked, shop=self.shop, now=self.now, code=f"BK-{self.booked + 1}")

        self.booked += self.does(after, come)

    @rule(after=LATER)
    def holds_are_swept(self, after: int) -> None:
        self.does(after, lambda session: bookings.release_ended_holds(Context(session, self.shop, self.now)))

    @rule(after=LATER, which=WHICH)
    def is_cancelled(self, after: int, which: int) -> None:
        self.changes(
            after,
            which,
            lambda session, it: bookings.cancel(
                Context(session, self.shop, self.now), it, reason="batal", actor="customer"
            ),
        )

    @rule(after=LATER, which=WHICH)
    def is_tried_again(self, after: int, which: int) -> None:
        self.changes(after, which, lambda session, it: bookings.hold_again(Context(session, self.shop, self.now), it))

    @rule(after=LATER, which=WHICH)
    def is_paid(self, after: int, which: int) -> None:
        async def pay(session: AsyncSession, it: Booking) -> None:
            await bookings.hold_again(Context(session, self.shop, self.now), it)
            it.paid_amount, it.hold_until = it.total_price, None

        self.changes(after, which, pay)

    @rule(after=LATER, which=WHICH, slot=SLOTS, technician=TECHNICIANS)
    def moves(self, after: int, which: int, slot: int, technician: str | None) -> None:
        self.changes(
            after,
            which,
            lambda session, it: bookings.reschedule(
                Context(session, self.shop, self.now), it, self.slot(slot), technician_id=technician, actor="customer"
            ),
        )

    @rule(changes=NEW_SETTINGS)
    def the_settings_change(self, changes: dict[str, Any]) -> None:
        self.shop = SHOP.model_validate(SHOP.model_dump() | changes)

    @invariant()
    def the_books_are_right(self) -> None:
        self.runner.run(check_books(self.database))

    def slot(self, number: int) -> datetime:
        """One of the starts of two days, by the settings of now."""
        starts = [start for day in DAYS for start in slots.starts(day, self.shop)]
        return starts[number * len(starts) // 14]

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
            before = await self.held(session)
            await work(session)
            after = await self.held(session)
        for job in after - before:
            assert occupancy.peak(after, job.starts_at, job.ends_at) <= self.shop.max_bookings_per_slot

    async def held(self, session: AsyncSession) -> set[NumberedJob]:
        await session.flush()
        held = await session.scalars(select(Booking).where(Booking.holding))
        return {NumberedJob(each.starts_at, each.ends_at, each.technician_id, each.id) for each in held}

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


def test_nothing_is_overbooked_in_any_order(sqlite_templates: Path, tmp_path: Path) -> None:
    paths = {"template": sqlite_templates / "bare.db", "file": tmp_path / "workshop.db"}
    bounded = settings(
        max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(type("Workshop", (Workshop,), paths), settings=bounded)
