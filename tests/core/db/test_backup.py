"""A backup is a whole database of one moment, made while others write; a broken one is never mistaken for it."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.db import backup
from core.db.backup import BackupFailed
from core.db.database import Database
from core.db.tables import Closure, Customer

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


async def _add_customers(database: Database, count: int) -> None:
    async with database.write() as session:
        session.add_all(Customer(name="x" * 500, created_at=NOON) for _ in range(count))


async def test_a_backup_holds_only_committed_rows(sqlite_url: str, tmp_path: Path) -> None:
    """Also what still lies in the write-ahead log only; and nobody who writes must wait."""
    database, target = Database(sqlite_url), tmp_path / "backups" / "first.db"
    await _add_customers(database, 3)
    async with database.write() as session:
        session.add(Customer(name="not yet", created_at=NOON))
        await session.flush()
        counts = await asyncio.to_thread(backup.back_up, _file(sqlite_url), target)
    assert counts["customer"] == 3
    assert backup.check(target) == counts
    assert list(target.parent.iterdir()) == [target], "one file, with nothing beside it"
    assert target.stat().st_mode & 0o077 == 0, "names and numbers are for its owner alone"
    await database.close()


async def test_a_backup_during_writes_is_consistent(sqlite_url: str, tmp_path: Path) -> None:
    """Each transaction writes a customer and a closed day: a copy of two moments would have more of one."""
    database, stop = Database(sqlite_url), asyncio.Event()

    async def write() -> None:
        day = NOON.date()
        while not stop.is_set():
            day += timedelta(days=1)
            async with database.write() as session:
                session.add_all([Customer(name="x" * 4000, created_at=NOON), Closure(day=day, reason="x" * 4000)])

    writing = asyncio.create_task(write())
    for number in range(3):
        counts = await asyncio.to_thread(backup.back_up, _file(sqlite_url), tmp_path / f"{number}.db")
        assert counts["customer"] == counts["closure"]
    stop.set()
    await writing
    await database.close()


async def test_a_restored_backup_is_the_database_of_then(sqlite_url: str, tmp_path: Path) -> None:
    """Stop, put the file in the database's place and remove what lies beside it, start."""
    database, live, kept = Database(sqlite_url), _file(sqlite_url), tmp_path / "kept.db"
    await _add_customers(database, 2)
    backup.back_up(live, kept)
    await _add_customers(database, 5)
    await database.close()
    for beside in ("-wal", "-shm"):
        live.with_name(live.name + beside).unlink(missing_ok=True)
    live.write_bytes(kept.read_bytes())
    again = Database(sqlite_url)
    await _add_customers(again, 1)
    async with again.read() as session:
        assert await session.scalar(select(func.count()).select_from(Customer)) == 3
        assert await session.scalar(select(func.max(Customer.id))) == 3
    await again.close()


def test_a_backup_is_never_written_over(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "kept.db").write_text("precious")
    with pytest.raises(BackupFailed, match="there already"):
        backup.back_up(_file(sqlite_url), tmp_path / "kept.db")
    assert (tmp_path / "kept.db").read_text() == "precious"


def test_a_database_that_isnt_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="no database"):
        backup.back_up(tmp_path / "none.db", tmp_path / "kept.db")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing_behind(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where the folder should be")
    with pytest.raises(BackupFailed, match="can't be copied"):
        backup.back_up(_file(sqlite_url), tmp_path / "folder" / "kept.db")


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 300, None])
def test_a_damaged_file_is_told_from_a_whole_one(damage: bytes | None, sqlite_url: str, tmp_path: Path) -> None:
    """Nothing in it, something else in it, or a page of zeros in the middle."""
    kept = tmp_path / "kept.db"
    backup.back_up(_file(sqlite_url), kept)
    content = bytearray(kept.read_bytes())
    content[8192:12288] = bytes(4096)
    kept.write_bytes(content if damage is None else damage)
    with pytest.raises(BackupFailed):
        backup.check(kept)


def test_a_row_that_refers_to_nothing_is_damage(sqlite_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    backup.back_up(_file(sqlite_url), kept)
    with sqlite3.connect(kept) as opened:
        opened.execute(
            "INSERT INTO stock_alert (contact_id, part_id, created_at) VALUES (99, 'x', '2026-11-23 03:00:00')"
        )
    opened.close()
    with pytest.raises(BackupFailed, match="stock_alert"):
        backup.check(kept)


@pytest.mark.parametrize(
    ("hours_ago", "due"),
    [
        ([], True),  # there was none
        ([23], False),
        ([24], True),
        ([30, 5], False),  # the newest one counts
        ([-5], True),  # made while the clock was wrong
    ],
)
def test_a_backup_is_due_when_the_newest_is_too_old(hours_ago: list[int], due: bool) -> None:
    names = [backup.name(NOON - timedelta(hours=ago)) for ago in hours_ago]
    assert backup.is_due([*names, "notes.txt"], every=timedelta(days=1), now=NOON) is due


def test_outdated_keeps_newest_backups_and_other_files() -> None:
    names = [backup.name(NOON - timedelta(days=ago)) for ago in (3, 0, 2, 1)]
    gone = backup.outdated([*names, "bengkel-before-the-move.db"], keep=2, now=NOON)
    assert sorted(gone) == sorted([names[0], names[2]])


def test_backups_dated_in_the_future_are_ignored() -> None:
    ahead = [backup.name(NOON + timedelta(days=later)) for later in (1, 2)]
    made = [backup.name(NOON - timedelta(days=ago)) for ago in (0, 1, 2)]
    assert backup.outdated([*ahead, *made], keep=2, now=NOON) == [made[2]]
