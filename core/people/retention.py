"""Deletes old messages, conversation states and idempotency keys, and finds photos in use.

Each table declares which rows are old (`core.db.personal`). Each batch is a short transaction. Bookings, money and
papers stay.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, Text, cast, delete, or_, select, text, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from core import media
from core.db.personal import Forget, columns_naming_photos, tables_about_people
from core.db.tables import Base, Conversation
from core.media import PhotoKind

BATCH = 200

Emptied = Callable[[dict[str, Any]], dict[str, Any]]
"""What is kept of an old conversation's state."""


async def forget(session: AsyncSession, *, before: datetime, emptied: Emptied, now: datetime, most: int = BATCH) -> int:
    """Delete at most so many old rows of each table; returns how many there were, 0 when all is done.

    `before`: older rows are old, unless their table says otherwise. Unsent messages stay.
    """
    gone = await _empty(session, before, emptied, now, most)
    for table, declared in tables_about_people(Base.metadata).items():
        if (old := declared.forget) is not None:
            gone += await _delete(session, table, old, now - old.after if old.after else before, most)
    return gone


async def photos_named(session: AsyncSession) -> set[str]:
    """The random names of all stored photos that something still refers to (`media.name_of`)."""
    # One statement, so that no photo is missed that moves from one row to another meanwhile.
    found = await session.scalars(
        union_all(
            *(
                select(words).where(or_(*(words.contains(f".{kind}") for kind in PhotoKind)))
                for words in (cast(column, Text) for column in columns_naming_photos(Base.metadata))
            )
        )
    )
    return {name for text in found for name in media.named_in(text)}


async def _delete(session: AsyncSession, table: Table, old: Forget, before: datetime, most: int) -> int:
    key = list(table.primary_key)
    batch = select(*key).where(*(table.c[moment] < before for moment in old.moments), text(old.where)).limit(most)
    gone = await session.execute(delete(table).where(tuple_(*key).in_(batch)).returning(*key))
    return len(gone.all())


async def _empty(session: AsyncSession, before: datetime, emptied: Emptied, now: datetime, most: int) -> int:
    batch = select(Conversation).where(Conversation.updated_at < before).limit(most)
    conversations = (await session.scalars(batch.with_for_update(skip_locked=True))).all()
    for conversation in conversations:
        conversation.state, conversation.updated_at = emptied(conversation.state), now
    await session.flush()
    return len(conversations)
