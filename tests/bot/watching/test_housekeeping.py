"""Backups on time, old ones removed, failures reported once a day; unneeded data is deleted."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from paying import ADMIN, book, letters
from shops import make_shop
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import config
from bot.background.ticker import Tick
from bot.papers.photos import Photos
from bot.transactions import Transactions
from bot.watching import housekeeping
from core import media
from core.context import Context
from core.db.database import Database
from core.db.tables import AdditionalCost, Conversation, Outbox, WorkNote
from core.messaging import outbox
from core.messaging.messages import Document, message, say
from core.shop import Shop


class Server:
    def __init__(self, url: str, folder: Path, shop: Shop, now: datetime) -> None:
        self.database, self.now = Database(url), now
        settings = config.Backup(folder=folder, every_hours=24, keep=2)
        source = Path(url.removeprefix("sqlite+aiosqlite:///"))
        [self.tick] = housekeeping.backups(settings, source, Transactions(self.database, shop, lambda: self.now))

    async def look(self, *, after: timedelta = timedelta()) -> None:
        self.now += after
        await self.tick.check()


async def test_one_backup_a_day_and_two_are_kept(sqlite_url: str, shop: Shop, now: datetime, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    server = Server(sqlite_url, folder, shop, now)
    made = []
    for hours in (0, 1, 23, 24, 1, 24):
        await server.look(after=timedelta(hours=hours))
        made.append(len(list(folder.iterdir())))
    assert made == [1, 1, 2, 2, 2, 2]
    assert min(file.name for file in folder.iterdir()) == "bengkel-20261125T010000Z.db"
    await server.database.close()


async def test_admins_hear_of_failed_backup_once_a_day(
    sqlite_url: str, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.write_text("a file where the folder should be")
    server = Server(sqlite_url, folder, shop, now)
    for hours in (0, 1, 24):
        await server.look(after=timedelta(hours=hours))
    notices = await letters(server.database, kind="staff")
    assert len(notices) == 2
    assert all("Backup data gagal" in text for text in notices.values())
    await server.database.close()


async def test_old_messages_for_disabled_channel_are_dropped(database: Database, now: datetime, tmp_path: Path) -> None:
    for key, channel, until in (
        ("letter", "email", None),
        ("long wanted", "email", now + timedelta(days=9)),
        ("reminder to come", "telegram", None),
    ):
        async with database.write() as session:
            await outbox.enqueue(
                Context(session, make_shop(), now),
                key=key,
                channel=channel,
                address="sari@example.com",
                language="id",
                message=message(say("notice.see_you")),
                due_at=now + timedelta(days=20) if key.startswith("reminder") else None,
                until=until,
            )
    for days, dropped in ((1, set()), (3, {"letter"}), (10, {"letter", "long wanted"})):
        later = now + timedelta(days=days)
        await forget(database, tmp_path, later)
        async with database.read() as session:
            gone = await session.scalars(select(Outbox.key).where(Outbox.state == "dropped"))
            assert set(gone) == dropped


async def forget(database: Database, folder: Path, now: datetime) -> None:
    photos = Photos(folder, lambda: "")
    await housekeeping.forgetting(config.Privacy(), Transactions(database, make_shop(), lambda: now), photos).check()


def write_file(folder: Path, name: str, at: datetime) -> None:
    """A file with that modification time."""
    file = folder / name
    file.write_bytes(b"")
    os.utime(file, (at.timestamp(), at.timestamp()))


async def send_photo(session: AsyncSession, photo: str, now: datetime) -> None:
    """Queue a customer's photo for the admin."""
    await outbox.enqueue(
        Context(session, make_shop(), now),
        key="k",
        channel=ADMIN[0],
        address=ADMIN[1],
        language="id",
        message=message(say("team.from_customer_photo", name="Sari"), document=Document("photo", photo)),
    )


def files_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def test_only_unreferenced_photos_are_deleted(
    database: Database, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    """A photo is stored before its reference is committed, so young photos always stay."""
    in_note, of_cost, in_draft, sent, forgotten, young = (f"{number:032x}.jpg" for number in range(6))
    yesterday = now - timedelta(days=2)
    for photo in (in_note, of_cost, in_draft, sent, forgotten):
        for name in (photo, media.thumbnail_key(photo)):
            write_file(tmp_path, name, yesterday)
    write_file(tmp_path, young, now - timedelta(hours=1))
    write_file(tmp_path, f".{7:032x}.png", yesterday)  # the server was killed while writing it
    write_file(tmp_path, "logo.png", yesterday)
    await book(database, shop, now)
    async with database.write() as session:
        draft = {"answers": [["words", []], ["photos", [in_draft]]]}
        session.add_all(
            [
                WorkNote(booking_id=1, at=now, author="Andi", text="", photos=["https://x.example/a.jpg", in_note]),
                AdditionalCost(booking_id=1, description="Kabel", amount=1, photo=of_cost, proposed_by="Andi", proposed_at=now),
                Conversation(contact_id=1, state=draft, updated_at=now),
            ]
        )  # fmt: skip
        await send_photo(session, sent, now)
    await forget(database, tmp_path, now)
    kept = {name for photo in (in_note, of_cost, in_draft, sent) for name in (photo, media.thumbnail_key(photo))}
    assert files_in(tmp_path) == kept | {young, "logo.png"}


async def test_photo_is_deleted_with_its_last_message(database: Database, now: datetime, tmp_path: Path) -> None:
    photo, year = f"{1:032x}.jpg", timedelta(days=366)
    write_file(tmp_path, photo, now)
    async with database.write() as session:
        await send_photo(session, photo, now)
        await session.execute(update(Outbox).values(state="sent"))
    left = []
    for later in (timedelta(days=2), year):
        await forget(database, tmp_path, now + later)
        left.append(files_in(tmp_path))
    assert left == [{photo}, set()]


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        (None, Path("bengkel.db")),  # backups are off
        (Path("backups"), None),  # PostgreSQL
    ],
)
def test_no_backup_without_folder_or_file(folder: Path | None, source: Path | None, shop: Shop, now: datetime) -> None:
    transactions = Transactions(Database("sqlite+aiosqlite:///unused.db"), shop, lambda: now)
    ticks: list[Tick] = housekeeping.backups(config.Backup(folder=folder), source, transactions)
    assert ticks == []
