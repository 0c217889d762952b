"""What many callers want at the same time, done for all of them at once.

do ──> gathered, while the round before is being done ──> done with the others ──> everybody goes on
                                                              └ a bug ──> each is done alone
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from core.db.database import AWAY

T = TypeVar("T")


class _Round(NamedTuple, Generic[T]):
    """What is done at once, and the doing of it."""

    things: list[T]
    doing: asyncio.Task[None]


class Together(Generic[T]):
    """Calls `work` with all that was wanted while it was last at work, one call at a time."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._work = work
        self._alone = asyncio.Lock()
        self._gathering: _Round[T] | None = None

    async def do(self, thing: T) -> None:
        """Have it done, and wait for that; raises what `work` raises for it."""
        if self._gathering is None:
            things: list[T] = []
            self._gathering = _Round(things, asyncio.create_task(self._go(things)))
        things, doing = self._gathering
        things.append(thing)
        try:
            # Shielded: who goes away takes nothing from the others.
            await asyncio.shield(doing)
        except AWAY:
            raise
        except Exception:
            if len(things) == 1:
                raise
            await self._work([thing])  # one of them is the fault, and the others must not pay for it

    async def _go(self, things: list[T]) -> None:
        async with self._alone:
            self._gathering = None
            await self._work(things)
