"""Scheduled work for the owner: backups, and deleting old data.

Whether something is due is read from files and rows, so a restart neither skips nor repeats it.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot import config
from bot.background.ticker import Tick
from bot.papers.photos import Photos
from bot.transactions import Transactions
from conversations.state import State
from core import media
from core.db import backup
from core.db.backup import BackupFailed
from core.db.personal import Keep
from core.messaging import outbox
from core.messaging.messages import message, say
from core.notices.tell import tell_admins
from core.people import retention

CHECK_EVERY = timedelta(minutes=10)
FORGET_EVERY = timedelta(hours=1)
KEEP_UNREFERENCED = timedelta(days=1)
"""How old a photo without a reference must be before it is deleted: it is stored before the row that refers to it."""

_log = logging.getLogger(__name__)


def backups(settings: config.Backup, source: Path | None, transactions: Transactions) -> list[Tick]:
    """The tick that backs up the SQLite file `source`; none if backups are off or the database is PostgreSQL."""
    if settings.folder is None:
        return []
    if source is None:
        _log.warning("backup.folder is set, but PostgreSQL is backed up with pg_dump: see docs/operations.md")
        return []
    file, folder = source, settings.folder

    async def look() -> None:
        try:
            await asyncio.to_thread(_keep_backups, file, folder, settings, transactions.clock())
        except (BackupFailed, OSError) as error:
            _log.error("backup failed: %s", error)
            notice = message(say("ops.backup_failed", reason=str(error)))
            async with transactions.write() as ctx:
                # One key per day, so that admins get one notice a day.
                await tell_admins(ctx, f"backup-failed:{ctx.now:%Y-%m-%d}", notice)

    return [Tick("backup", CHECK_EVERY, look)]


def forgetting(settings: config.Privacy, transactions: Transactions, photos: Photos) -> Tick:
    """The tick that deletes old data in batches, and photos without a reference."""

    async def look() -> None:
        async with transactions.write() as ctx:
            await outbox.drop_old(ctx.session, now=ctx.now)
        keep = {
            Keep.MESSAGES: timedelta(days=settings.keep_messages_days),
            Keep.RECORDS: timedelta(days=settings.keep_records_days),
            Keep.STRANGERS: timedelta(days=settings.keep_strangers_days),
        }
        forgotten = 1
        while forgotten:
            async with transactions.write() as ctx:
                before = {what: ctx.now - days for what, days in keep.items()}
                forgotten = await retention.forget(ctx.session, before=before, emptied=_emptied, now=ctx.now)
        await _forget_photos(photos, transactions)

    return Tick("forget", FORGET_EVERY, look)


async def _forget_photos(photos: Photos, transactions: Transactions) -> None:
    stored = await photos.stored(before=transactions.clock() - KEEP_UNREFERENCED)
    if not stored:
        return
    async with transactions.read() as ctx:
        named = await retention.photos_named(ctx.session)
    await photos.delete([file for file in stored if media.named_in(file).isdisjoint(named)])


def _emptied(state: dict[str, Any]) -> dict[str, Any]:
    """An empty conversation state that keeps the prompt number, so that older buttons still count as old."""
    return State(prompt=state.get("prompt", 0)).to_json()


def _keep_backups(source: Path, folder: Path, settings: config.Backup, now: datetime) -> None:
    if not backup.is_due(_names(folder), every=timedelta(hours=settings.every_hours), now=now):
        return
    target = folder / backup.name(now)
    backup.back_up(source, target)
    _log.info("backed up to %s", target)
    for old in backup.outdated(_names(folder), keep=settings.keep, now=now):
        (folder / old).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()] if folder.is_dir() else []
