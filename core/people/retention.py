"""What nobody needs any more goes: old messages, what chats remember, repeated requests; photos that nothing names.

A batch is a short transaction of its own, so that nobody waits for it. Bookings, money and papers stay.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core import idempotency, media
from core.db.tables import AdditionalCost, Base, Conversation, IdempotencyKey, Inbound, Outbox, WorkNote
from core.media import PhotoKind

BATCH = 200
_NAMING_PHOTOS = (Conversation.state, WorkNote.photos, AdditionalCost.photo, Outbox.body)
"""In the order that a photo goes from one to the other, so that none is missed that goes on meanwhile."""

Emptied = Callable[[dict[str, Any]], dict[str, Any]]
"""What a conversation must go on remembering when all else is forgotten."""


async def forget(session: AsyncSession, *, before: datetime, emptied: Emptied, now: datetime, most: int = BATCH) -> int:
    """Forget at most so many rows of a kind that are older; how many rows there were, 0 when all is done.

    What still has to be sent stays, however old.
    """
    done = Outbox.state.in_(("sent", "failed", "dropped"))
    return (
        await _delete(session, Inbound, Inbound.received_at < before, most)
        + await _delete(session, Outbox, (Outbox.created_at < before) & (Outbox.due_at < before) & done, most)
        + await _delete(session, IdempotencyKey, IdempotencyKey.created_at < now - idempotency.KEPT, most)
        + await _empty(session, before, emptied, now, most)
    )


async def photos_named(session: AsyncSession) -> set[str]:
    """The random names of all stored photos that something still refers to (`media.name_of`)."""
    named: set[str] = set()
    for column in _NAMING_PHOTOS:
        words = cast(column, Text)
        some = or_(*(words.contains(f".{kind}") for kind in PhotoKind))
        for text in await session.scalars(select(words).where(some)):
            named |= media.named_in(text)
    return named


async def _delete(session: AsyncSession, table: type[Base], old: ColumnElement[bool], most: int) -> int:
    key = list(Base.metadata.tables[table.__tablename__].primary_key)
    batch = select(*key).where(old).limit(most)
    gone = await session.execute(delete(table).where(tuple_(*key).in_(batch)).returning(*key))
    return len(gone.all())


async def _empty(session: AsyncSession, before: datetime, emptied: Emptied, now: datetime, most: int) -> int:
    batch = select(Conversation).where(Conversation.updated_at < before).limit(most)
    conversations = (await session.scalars(batch.with_for_update(skip_locked=True))).all()
    for conversation in conversations:
        conversation.state, conversation.updated_at = emptied(conversation.state), now
    await session.flush()
    return len(conversations)
