"""The real server with the vendors' own client libraries and the stand-ins for the vendors."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, func, select
from waiting import until

from bot import app
from bot.config import Settings
from bot.sandbox.demo import OWNER, TECHNICIAN
from bot.sandbox.phones import Person
from bot.sandbox.server import StandIns
from core.db.database import Database
from core.db.tables import Booking


class Clock:
    """The clock of the server and the stand-ins; only a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Town:
    """A shop, its people and the stand-ins for its vendors."""

    def __init__(self, there: StandIns, settings: Settings, clock: Clock) -> None:
        self.there = there
        self.settings = settings
        self.clock = clock
        self.telegram = there.world.new_customer("telegram")
        self.whatsapp = there.world.new_customer("whatsapp")
        self.owner = there.world.telegram.person(OWNER, "Ibu Rina", started=True)
        self.dedi = there.world.telegram.person(TECHNICIAN, "Dedi", started=True)

    def customer(self, channel: str) -> Person:
        return self.telegram if channel == "telegram" else self.whatsapp

    def open(self) -> AbstractAsyncContextManager[str]:
        """Run the server while the block runs."""
        return app.serving(self.settings, clock=self.clock, tick=timedelta(milliseconds=500))

    async def bookings(self) -> list[Booking]:
        database = Database(self.settings.database.url)
        async with database.read() as session:
            found = list(await session.scalars(select(Booking).order_by(Booking.id)))
        await database.close()
        return found

    async def until(self, count: Select[int], many: int) -> None:
        """Wait until a query returns this count."""
        database = Database(self.settings.database.url)

        async def is_so() -> bool:
            return await self._counted(database, count) == many

        try:
            await until(is_so)
        finally:
            await database.close()

    async def count(self, table: type[object]) -> int:
        """Number of rows of a table."""
        return await self.rows(select(func.count()).select_from(table))

    async def rows(self, count: Select[int]) -> int:
        """What a counting query returns now."""
        database = Database(self.settings.database.url)
        rows = await self._counted(database, count)
        await database.close()
        return rows

    @staticmethod
    async def _counted(database: Database, count: Select[int]) -> int:
        async with database.read() as session:
            return await session.scalar(count) or 0
