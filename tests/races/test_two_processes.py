"""Two processes on one database: each message and each nightly job runs once, and one process polls."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from waiting import HANG

from bot.background.single_process import in_one_process, sqlite_lock
from bot.channels.sending import File, Outgoing
from bot.config import BadSettings
from bot.outbox.dispatch import Dispatcher
from bot.transactions import Transactions
from core.context import Context
from core.db.database import Database
from core.messaging import outbox
from core.messaging.messages import Document, message, say
from core.payment import reconciliation_run
from core.shop import Shop

REMINDERS = 12


class Phones:
    """A vendor whose calls yield to other tasks."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    async def send(self, parcel: Outgoing) -> str | None:
        self.rung.append(parcel.key)
        await asyncio.sleep(0)
        return None


async def test_each_reminder_is_sent_by_one_process(both: tuple[Database, Database], shop: Shop, now: datetime) -> None:
    keys = [f"reminder:BK-{number}" for number in range(REMINDERS)]
    async with both[0].write() as session:
        for number, key in enumerate(keys):
            await outbox.enqueue(
                Context(session, shop, now - timedelta(days=1)),
                key=key,
                channel="telegram",
                address=str(number % 5),
                language="id",
                message=message(say("notice.see_you")),
                kind="reminder",
                due_at=now,
            )
    phones = Phones()

    async def process(database: Database) -> None:
        dispatcher = Dispatcher(
            Transactions(database, shop, lambda: now), {"telegram": phones}, files=_no_file, chance=lambda: 0.0
        )
        # More runs than messages per chat: a claim by the other process blocks its chat for a while.
        for _ in range(REMINDERS):
            await dispatcher.run_once()

    await asyncio.gather(*(process(database) for database in both))
    assert sorted(phones.rung) == sorted(keys)


async def test_the_nightly_job_runs_in_one_process(both: tuple[Database, Database], shop: Shop, now: datetime) -> None:
    async def process(database: Database) -> bool:
        async with database.write() as session:
            return await reconciliation_run.claim_run(Context(session, shop, now)) is not None

    claims = [process(database) for database in both for _ in range(3)]
    assert sum(await asyncio.gather(*claims)) == 1


class Work:
    """Records which process works now, and signals when one begins."""

    def __init__(self) -> None:
        self.at_it: list[str] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()

    async def do(self, who: str) -> None:
        self.at_it.append(who)
        self.begun.put_nowait(who)
        try:
            await asyncio.Event().wait()
        finally:
            self.at_it.remove(who)


async def test_the_other_process_polls_after_a_crash(postgres_url: str) -> None:
    """Telegram answers 409 to a second poller; the lock of a dead process is released."""
    first, second, work = Database(postgres_url), Database(postgres_url), Work()
    one = asyncio.create_task(in_one_process(first, "polling", lambda: work.do("first"), pause=_a_moment))
    assert await work.begun.get() == "first"
    asked = asyncio.Semaphore(0)

    async def pause(_seconds: float) -> None:
        asked.release()
        await asyncio.sleep(0)

    other = asyncio.create_task(in_one_process(second, "polling", lambda: work.do("second"), pause=pause))
    for _ in range(3):
        await asked.acquire()
    assert work.at_it == ["first"]
    one.cancel()
    await asyncio.wait([one])
    async with asyncio.timeout(HANG):
        assert await work.begun.get() == "second"
    assert work.at_it == ["second"]
    other.cancel()
    await asyncio.wait([other])
    await first.close()
    await second.close()


async def test_polling_stops_when_the_database_is_lost(postgres_url: str) -> None:
    database, onlooker, work = Database(postgres_url), Database(postgres_url), Work()
    one = asyncio.create_task(in_one_process(database, "polling", lambda: work.do("it"), pause=_a_moment))
    await work.begun.get()
    async with onlooker.write() as session:
        holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        await session.execute(text(holders))
    async with asyncio.timeout(HANG):
        await work.begun.get()
    assert work.at_it == ["it"], "the first poller has stopped, and the second was elected"
    one.cancel()
    await asyncio.wait([one])
    await database.close()
    await onlooker.close()


def test_sqlite_serves_one_process(tmp_path: Path) -> None:
    file = tmp_path / "bengkel.db"
    with sqlite_lock(file), pytest.raises(BadSettings, match=r"^database\.url: another server"), sqlite_lock(file):
        pass
    with sqlite_lock(file):
        """The lock is free again."""


async def _a_moment(_seconds: float) -> None:
    await asyncio.sleep(0)


async def _no_file(_document: Document) -> File:
    raise AssertionError
