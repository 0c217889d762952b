"""A pause widens a race: every rival is stopped just before its claim until all the others stand there too, or until
it is clear that the database won't let them come.
"""

import asyncio
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

LOCKED_OUT = 0.3
"""Seconds after which whoever hasn't come is held up by the database. Too soon, and the race is only narrower."""


class Pause:
    """Stops everyone at one point until all are there, or until those who are missing are held up elsewhere."""

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
        """Stop every connection of an engine before such a statement."""

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def _stop(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if sql.startswith(statement):
                await_only(self())
