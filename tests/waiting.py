"""Waiting in a test: for something that is said, never for a time in which it should be done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session

Result = TypeVar("Result")

HANG = 120
"""Seconds. It only turns a hang into a failure; a machine that is busy gets there before."""


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so in the database; it is asked again after each commit of this process."""
    await result(is_so, bool)


async def result(ask: Callable[[], Awaitable[Result]], is_good: Callable[[Result], bool]) -> Result:
    """The first good result; it is asked for again after each commit of this process."""
    async with committing() as committed, asyncio.timeout(HANG):
        while not is_good(found := await ask()):
            await committed.wait()
            committed.clear()
    return found


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
