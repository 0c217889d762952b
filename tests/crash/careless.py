"""The negative control: a server that writes its messages after the commit, in a second transaction.

It patches what `bot.app` uses and starts like the product; the harness must catch it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from bot import app
from bot.__main__ import main as bengkel
from core.context import Context
from core.db.database import Database
from core.messaging import outbox

MOMENT = 0.3
"""Seconds between the two commits, so that a kill is likely to fall between them."""


_LATER: WeakKeyDictionary[AsyncSession, list[tuple[Callable[..., Awaitable[Any]], Context, dict[str, Any]]]]
_LATER = WeakKeyDictionary()
"""What a session's transaction is still to write."""


class Careless(Database):
    """Commits the turn first, and its messages later."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
        if later := _LATER.pop(session, None):
            await asyncio.sleep(MOMENT)
            async with super().write() as after:
                for write, ctx, values in later:
                    await write(replace(ctx, session=after), **values)


def _later(write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[bool]]:
    async def put_off(ctx: Context, **values: Any) -> bool:
        _LATER.setdefault(ctx.session, []).append((write, ctx, values))
        return True

    return put_off


def main(words: Sequence[str]) -> int:
    """Run `bengkel` with the fault."""
    app.Database = Careless  # type: ignore[misc]
    outbox.reply = _later(outbox.reply)  # type: ignore[assignment]
    outbox.enqueue = _later(outbox.enqueue)
    return bengkel(words)
