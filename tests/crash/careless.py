"""The negative control: a server that writes its messages after the commit, in a second transaction.

It patches what `bot.app` uses and starts like the product; the harness must catch it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import app
from bot.__main__ import main as bengkel
from core.db.database import Database
from core.messaging import outbox

MOMENT = 0.3
"""Seconds between the two commits, so that a kill is likely to fall between them."""


class Careless(Database):
    """Commits the turn first, and its messages later."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
        if later := session.info.pop("later", None):
            await asyncio.sleep(MOMENT)
            async with super().write() as after:
                for write, values in later:
                    await write(after, **values)
            session.info.update(after.info)


def _later(write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[bool]]:
    async def put_off(session: AsyncSession, **values: Any) -> bool:
        session.info.setdefault("later", []).append((write, values))
        return True

    return put_off


def main(words: Sequence[str]) -> int:
    """Run `bengkel` with the fault."""
    app.Database = Careless  # type: ignore[misc]
    outbox.reply = _later(outbox.reply)  # type: ignore[assignment]
    outbox.enqueue = _later(outbox.enqueue)
    return bengkel(words)
