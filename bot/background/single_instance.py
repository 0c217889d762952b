"""One server for a SQLite file: whoever starts then knows that all who worked on it before are gone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config import BadSettings


@contextmanager
def only_server(file: Path) -> Iterator[None]:
    """Hold the lock beside a database file, which ends with the process; raises `BadSettings` where another holds it."""
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadSettings(
                f"database.url: another server works on {file} already; several need PostgreSQL (docs/operations.md)."
            ) from None
        yield
