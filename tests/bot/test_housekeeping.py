"""Backups come in time, old ones go, and a failing one is told once a day."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from paying import letters
from sqlalchemy import select

from bot import config, housekeeping
from bot.jobs import Tick
from core import outbox
from core.database import Database
from core.messages import message, say
from core.shop import Shop
from core.tables import Outbox


class Server:
    def __init__(self, url: str, folder: Path, shop: Shop, now: datetime) -> None:
        self.database, self.now = Database(url), now
        settings = config.Backup(folder=folder, every_hours=24, keep=2)
        source = Path(url.removeprefix("sqlite+aiosqlite:///"))
        [self.tick] = housekeeping.backups(settings, source, self.database, shop=shop, clock=lambda: self.now)

    async def look(self, *, after: timedelta = timedelta()) -> None:
        self.now += after
        await self.tick.look()


async def test_there_is_one_backup_a_day_however_often_it_is_looked_and_two_are_kept(
    sqlite_url: str, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    server = Server(sqlite_url, folder, shop, now)
    made = []
    for hours in (0, 1, 23, 24, 1, 24):
        await server.look(after=timedelta(hours=hours))
        made.append(len(list(folder.iterdir())))
    assert made == [1, 1, 2, 2, 2, 2]
    assert min(file.name for file in folder.iterdir()) == "bengkel-20261125T010000Z.db"
    await server.database.close()


async def test_the_admins_hear_once_a_day_of_a_backup_that_fails(
    sqlite_url: str, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.write_text("a file where the folder should be")
    server = Server(sqlite_url, folder, shop, now)
    for hours in (0, 1, 24):
        await server.look(after=timedelta(hours=hours))
    told = await letters(server.database, kind="staff")
    assert len(told) == 2
    assert all("Backup data gagal" in text for text in told.values())
    await server.database.close()


async def test_messages_for_a_channel_that_is_off_are_dropped_when_nobody_wants_them_any_more(
    database: Database, now: datetime
) -> None:
    for key, channel, until in (
        ("letter", "email", None),
        ("long wanted", "email", now + timedelta(days=9)),
        ("reminder to come", "telegram", None),
    ):
        async with database.write() as session:
            await outbox.enqueue(
                session,
                key=key,
                channel=channel,
                address="sari@example.com",
                language="id",
                message=message(say("notice.see_you")),
                now=now,
                due_at=now + timedelta(days=20) if key.startswith("reminder") else None,
                until=until,
            )
    for days, dropped in ((1, set()), (3, {"letter"}), (10, {"letter", "long wanted"})):
        later = now + timedelta(days=days)
        tick = housekeeping.forgetting(config.Privacy(), database, clock=lambda at=later: at)  # type: ignore[misc]
        await tick.look()
        async with database.read() as session:
            gone = await session.scalars(select(Outbox.key).where(Outbox.state == "dropped"))
            assert set(gone) == dropped


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        (None, Path("bengkel.db")),  # the owner wants none
        (Path("backups"), None),  # PostgreSQL
    ],
)
def test_without_a_folder_or_a_file_nothing_is_backed_up(
    folder: Path | None, source: Path | None, shop: Shop, now: datetime
) -> None:
    ticks: list[Tick] = housekeeping.backups(
        config.Backup(folder=folder), source, Database("sqlite+aiosqlite:///unused.db"), shop=shop, clock=lambda: now
    )
    assert ticks == []
