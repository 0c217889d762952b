"""Backups of a SQLite database while it is in use: whole files, each checked by opening it.

    source ── back_up ──> .unfinished ── check ──> bengkel-20261123T010000Z.db
    folder ── is_due? ──> back_up ── outdated ──> deleted

All of this blocks: a server calls it on a thread. PostgreSQL has pg_dump.
"""

import os
import re
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

Counts = Mapping[str, int]
"""Rows by table."""

_NAME = re.compile(r"bengkel-(\d{8}T\d{6}Z)\.db")
_STAMP = "%Y%m%dT%H%M%SZ"


class BackupFailed(Exception):
    """Why there is no backup, in a sentence."""


def back_up(source: Path, target: Path) -> Counts:
    """Copy a snapshot of a database into a new file; returns its row counts. Raises `BackupFailed`, without a file."""
    if not source.exists():
        raise BackupFailed(f"There is no database {source}.")
    if target.exists():
        raise BackupFailed(f"{target} is there already; backups are never written over.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _copy_checked(source, target)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{source} can't be copied to {target}: {error}.") from error


def check(file: Path) -> Counts:
    """Check a backup's integrity; raises `BackupFailed`."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            found = opened.execute("PRAGMA integrity_check").fetchone()[0]
            dangling = opened.execute("PRAGMA foreign_key_check").fetchone()
            if found != "ok" or dangling:
                raise BackupFailed(f"{file} is damaged: {dangling or found}.")
            counts = _count(opened)
    except sqlite3.Error as error:
        raise BackupFailed(f"{file} is no whole database: {error}.") from error
    if not counts:
        raise BackupFailed(f"{file} is empty.")
    return counts


def name(now: datetime) -> str:
    return f"bengkel-{now.astimezone(UTC):{_STAMP}}.db"


def is_due(names: Collection[str], *, every: timedelta, now: datetime) -> bool:
    """Whether the newest of these backups is too old; those from the future are ignored."""
    return not any(now - every < moment <= now for moment in _moments(names).values())


def outdated(names: Collection[str], *, keep: int, now: datetime) -> list[str]:
    """The backups to delete when only the newest are kept; other files stay, and backups from the future."""
    past = [name for name, moment in _moments(names).items() if moment <= now]
    return sorted(past, reverse=True)[keep:]


def _moments(names: Collection[str]) -> Mapping[str, datetime]:
    matches = {name: match for name in names if (match := _NAME.fullmatch(name))}
    return {name: datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC) for name, match in matches.items()}


def _copy_checked(source: Path, target: Path) -> Counts:
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        counts = _copy(source, unfinished)
        if check(unfinished) != counts:
            raise BackupFailed(f"The copy of {source} doesn't hold what the database holds.")
        os.replace(unfinished, target)
        _sync_folder(target.parent)
        return counts
    finally:
        unfinished.unlink(missing_ok=True)


def _copy(source: Path, unfinished: Path) -> Counts:
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)  # customers' names and numbers are in it
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(unfinished)) as copy:
        # Counted and copied in one read transaction: writers go on beside it.
        live.execute("BEGIN")
        counts = _count(live)
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with no -wal beside it
    return counts


def _count(opened: sqlite3.Connection) -> Counts:
    tables = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return {table: opened.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for (table,) in tables}  # noqa: S608 # nosemgrep: no-sql-from-strings


def _sync_folder(folder: Path) -> None:
    """Flush the new name to disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
