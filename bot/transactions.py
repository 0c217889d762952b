"""Transactions at the current time, as the background workers open them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from core.context import Context
from core.db.database import Database
from core.shop import Shop


@dataclass(slots=True)
class Transactions:
    database: Database
    shop: Shop
    """The settings now: admins change them while the server runs."""
    clock: Callable[[], datetime]

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Context]:
        """A transaction: committed at the end of the block, rolled back when it raises."""
        async with self.database.write() as session:
            yield Context(session, self.shop, self.clock())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Context]:
        """A session to read with; the database refuses its writes."""
        async with self.database.read() as session:
            yield Context(session, self.shop, self.clock())
