"""Whether every part works, and what waits: asked from outside, answered in a bounded time whatever hangs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Generic, TypeVar

from sqlalchemy import delete

from core.db.database import AWAY, Database, insert_once
from core.db.tables import Secret

PATIENCE = timedelta(seconds=2)
"""How long who asks waits for the database."""
GOOD_FOR = timedelta(milliseconds=250)
"""How long its answer is believed: anybody may ask, and each question is a commit."""
_PULSE = "pulse"

T = TypeVar("T")

Trouble = Callable[[], str | None]
"""Why a part doesn't work, None where it does."""


class Health:
    """All parts of this process; the database is asked, the others tell."""

    def __init__(self, database: Database, parts: Mapping[str, Trouble]) -> None:
        self._pulse = Asked(lambda: _takes_a_write(database), good_for=GOOD_FOR)
        self._parts = parts

    async def ready(self) -> Mapping[str, str]:
        """Which parts aren't ready, and why; empty when all are."""
        missing = {name: trouble for name, part in self._parts.items() if (trouble := part())}
        try:
            await self._pulse.answer()
        except AWAY as error:
            missing["database"] = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
        return missing

    async def close(self) -> None:
        """Wait for nothing any more."""
        await self._pulse.close()


class Asked(Generic[T]):
    """A question that may hang: who asks waits for a while only, and it is asked anew once its answer is old."""

    def __init__(
        self, ask: Callable[[], Awaitable[T]], patience: timedelta = PATIENCE, *, good_for: timedelta = timedelta()
    ) -> None:
        self._ask = ask
        self._patience = patience
        self._good_for = good_for.total_seconds()
        self._asking: asyncio.Future[T] | None = None
        self._asked_at = 0.0

    async def answer(self) -> T:
        """The answer; raises `TimeoutError` while there is none, and what the question raises."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now >= self._asked_at + self._good_for):
            self._asking, self._asked_at = asyncio.ensure_future(self._ask()), now
            # What it comes to may be nobody's business any more.
            self._asking.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        asking = self._asking
        # Not cancelled: giving a hanging connection back could hang as well.
        await asyncio.wait([asking], timeout=self._patience.total_seconds())
        if not asking.done():
            raise TimeoutError
        return asking.result()

    async def close(self) -> None:
        """Give up what still hangs; what doesn't heed that in a second is left alone."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking], timeout=1)


class Pulse:
    """Beats as long as the scheduler ticks."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest
        self._last: float | None = None

    def beat(self) -> None:
        """It has ticked."""
        self._last = asyncio.get_running_loop().time()

    def trouble(self) -> str | None:
        """Whether it has stopped."""
        if self._last is None:
            return "not running"
        silent = asyncio.get_running_loop().time() - self._last
        return "stuck" if silent > self._longest.total_seconds() else None


async def _takes_a_write(database: Database) -> None:
    """Reading may go well while the database is locked, read-only or full, and then nothing can be promised."""
    async with database.write() as session:
        # Written and taken away again: SQLite leaves a page alone whose content stays the same.
        await insert_once(session, Secret, name=_PULSE, value="")
        await session.execute(delete(Secret).where(Secret.name == _PULSE))
