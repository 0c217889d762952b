"""Waiting in a test: for something that is said, never for a time in which it should be done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session

HANG = 120
"""Seconds. It only turns a hang into a failure; a machine that is busy gets there before."""


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so in the database; it is asked again after each commit of this process."""
    async with committing() as committed, asyncio.timeout(HANG):
        while not await is_so():
            await committed.wait()
            committed.clear()


@asynccontextmanager
async def committing() -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever a session of this process has committed."""
    committed = asyncio.Event()

    def note(_: Session) -> None:
        committed.set()

    event.listen(Session, "after_commit", note)
    try:
        yield committed
    finally:
        event.remove(Session, "after_commit", note)
