"""Work that is done side by side, so much of it at a time, none waiting for the slowest.

begin ──> under way ──> ended: whoever began it is told, and there is room again
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, NamedTuple, TypeVar

from bot.background.loop import STUCK

T = TypeVar("T")


class _Piece(NamedTuple):
    """One piece of work, and since when by the event loop's clock it is under way."""

    task: asyncio.Task[object]
    began: float


class Crew(Generic[T]):
    """Does up to `at_once` pieces of work that come to a `T`."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._under_way: set[_Piece] = set()

    def __bool__(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    @property
    def room(self) -> int:
        """How much more can be begun."""
        return self._at_once - len(self._under_way)

    @property
    def trouble(self) -> str | None:
        """Whether something never ends, None where all is well."""
        now = asyncio.get_running_loop().time()
        hangs = any(now - piece.began > STUCK.total_seconds() for piece in self._under_way)
        return "stuck" if hangs else None

    def begin(self, work: Coroutine[None, None, T], ended: Callable[[T | BaseException], None]) -> None:
        """Begin a piece of work; `ended` gets what it came to, or what it raised, unless it was cancelled."""
        task = asyncio.create_task(work)
        piece = _Piece(task, asyncio.get_running_loop().time())
        self._under_way.add(piece)

        def end(task: asyncio.Task[T]) -> None:
            self._under_way.discard(piece)
            if not task.cancelled():
                ended(task.exception() or task.result())

        task.add_done_callback(end)

    async def one_ended(self) -> None:
        """Wait until some of what is under way has ended; not at all where nothing is."""
        if self._under_way:
            await asyncio.wait([piece.task for piece in self._under_way], return_when=asyncio.FIRST_COMPLETED)

    async def all_ended(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await self.one_ended()

    async def cancel(self) -> None:
        """Break off what is under way; nobody is told what became of it."""
        tasks = [piece.task for piece in self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
