"""Work that only one process may do, such as polling (Telegram answers 409 to a second poller).

PostgreSQL: an advisory lock, which ends with the process that holds it; the others ask for it every few seconds.
SQLite: a lock file beside the database, since a SQLite database is served by one process.
"""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from bot.channels.telegram_polling import Pause
from bot.config import BadSettings
from core.db.database import AWAY, CheckLock, Database

CHECK_EVERY = timedelta(seconds=5)
SERVING = "serving"

Task = Callable[[], Coroutine[None, None, None]]
Lock = Callable[[str], AbstractAsyncContextManager[CheckLock | None]]

_log = logging.getLogger(__name__)


@contextmanager
def sqlite_lock(file: Path) -> Iterator[None]:
    """Lock a SQLite database for this process; raises `BadSettings` where another process has locked it."""
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadSettings(
                f"database.url: another server works on {file} already; several need PostgreSQL (docs/operations.md)."
            ) from None
        yield


@asynccontextmanager
async def marked_as_serving(database: Database, *, if_alone: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Show other processes that this one serves while the block runs; `if_alone` is called first if no other does."""
    async with database.try_lock(SERVING) as lock:
        if lock is not None:
            await if_alone()
    marked = asyncio.Event()

    async def serve() -> None:
        marked.set()
        await asyncio.Event().wait()

    marking = asyncio.create_task(_work_with(database.lock_shared, SERVING, serve, asyncio.sleep))
    await marked.wait()
    try:
        yield
    finally:
        marking.cancel()
        await asyncio.wait([marking])


async def in_one_process(database: Database, what: str, work: Task, *, pause: Pause = asyncio.sleep) -> None:
    """Do the work, until cancelled, while no other process does; take it over when that one stops or dies."""
    await _work_with(database.try_lock, what, work, pause)


async def _work_with(lock: Lock, what: str, work: Task, pause: Pause) -> None:
    """Work while the lock can be had, until cancelled."""
    while True:
        try:
            async with lock(what) as check_lock:
                if check_lock is not None:
                    _log.info("%s: done by this process", what)
                    await _work_while_locked(work, check_lock, pause)
        except AWAY as error:
            _log.warning("%s: the database is away (%s)", what, type(error).__name__)
        await pause(CHECK_EVERY.total_seconds())


async def _work_while_locked(work: Task, check_lock: CheckLock, pause: Pause) -> None:
    task = asyncio.create_task(work())
    try:
        while not task.done():
            await pause(CHECK_EVERY.total_seconds())
            await check_lock()
        await task
    finally:
        task.cancel()
