"""A bounded number of tasks side by side, so that none waits for the slowest."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from bot.background.loop import STUCK_AFTER

T = TypeVar("T")


class TaskPool(Generic[T]):
    """Runs up to `size` tasks at a time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._started: dict[asyncio.Task[T], float] = {}
        """When each running task was started, by the event loop's clock."""

    def __bool__(self) -> bool:
        """Whether any task runs."""
        return bool(self._started)

    @property
    def free(self) -> int:
        """How many more tasks can be started."""
        return self._size - len(self._started)

    @property
    def trouble(self) -> str | None:
        now = asyncio.get_running_loop().time()
        return "stuck" if any(now - at > STUCK_AFTER.total_seconds() for at in self._started.values()) else None

    def start(self, work: Coroutine[None, None, T], ended: Callable[[T | BaseException], None]) -> None:
        """Start a task; `ended` gets its result or the error it raised, and isn't called if it was cancelled."""

        def end(task: asyncio.Task[T]) -> None:
            self._started.pop(task, None)
            if not task.cancelled():
                ended(task.exception() or task.result())

        task = asyncio.create_task(work)
        self._started[task] = asyncio.get_running_loop().time()
        task.add_done_callback(end)

    async def wait_for_one(self) -> None:
        """Wait until a task has ended; returns at once if none runs."""
        if self._started:
            await asyncio.wait(self._started, return_when=asyncio.FIRST_COMPLETED)

    async def wait_for_all(self) -> None:
        while self._started:
            await self.wait_for_one()

    async def cancel(self) -> None:
        tasks = list(self._started)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
