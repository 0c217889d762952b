"""Batches: what many callers ask for at the same time is done by one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.db.database import AWAY

T = TypeVar("T")


class Batcher(Generic[T]):
    """Calls `work` with all items that came in during its last call, one call at a time."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._work = work
        self._one_call = asyncio.Lock()
        self._next: tuple[list[T], asyncio.Task[None]] | None = None
        """The batch that still takes items, and the task that will do it."""

    async def do(self, item: T) -> None:
        """Have an item done and wait for it; raises what `work` raises for it."""
        if self._next is None:
            batch = list[T]()
            self._next = batch, asyncio.create_task(self._do_batch(batch))
        items, task = self._next
        items.append(item)
        try:
            # Shielded: a caller that is cancelled must not cancel the others' items.
            await asyncio.shield(task)
        except AWAY:
            raise
        except Exception:
            if len(items) == 1:
                raise
            await self._work([item])  # one item has failed the batch; the others must not fail with it

    async def _do_batch(self, items: list[T]) -> None:
        async with self._one_call:
            self._next = None
            await self._work(items)
