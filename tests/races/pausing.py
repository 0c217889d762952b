"""A pause widens a race: it stops every rival just before its claim until all of them are there, or until a timeout,
because the database may block the others.
"""

import asyncio
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

HELD_JOBS = "SELECT booking.id, booking.starts_at, booking.ends_at"
"""The statement by which a booking looks for what overlaps its time, just before it takes that time."""
LOCKED_OUT = 0.3
"""Seconds to wait for rivals that the database may be blocking. A shorter wait only makes the race narrower."""


class Pause:
    """Stops every caller until `everyone` has arrived, or until the timeout: the missing ones may wait for a lock."""

    def __init__(self, everyone: int, *, patience: float = LOCKED_OUT) -> None:
        self._missing = everyone
        self._patience = patience
        self._go = asyncio.Event()

    async def __call__(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self._go.set()
        try:
            async with asyncio.timeout(self._patience):
                await self._go.wait()
        except TimeoutError:
            self._go.set()

    def before(self, engine: AsyncEngine, statement: str) -> None:
        """Stop every connection of an engine before statements that start like this."""

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def _stop(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if sql.startswith(statement):
                await_only(self())
