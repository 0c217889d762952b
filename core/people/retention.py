"""Deletes old rows, conversation states and people who only said hello, and finds photos in use.

Each table declares which rows are old (`core.db.personal`). Each batch is a short transaction. Bookings, money and
papers stay.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    Table,
    Text,
    cast,
    delete,
    exists,
    func,
    inspect,
    not_,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core import media
from core.db.personal import Forget, Keep, columns_naming_photos, forgetful_tables, references
from core.db.tables import Base, Contact, Conversation, Customer

BATCH = 200

Emptied = Callable[[dict[str, Any]], dict[str, Any]]
"""What is kept of an old conversation's state."""


async def forget(
    session: AsyncSession,
    *,
    before: datetime | Mapping[Keep, datetime],
    emptied: Emptied,
    now: datetime,
    most: int = BATCH,
) -> int:
    """Delete at most so many old rows of each table; returns how many there were, 0 when all is done.

    `before`: older rows are old, by setting, unless their table says otherwise. Unsent messages stay.
    """
    limits = before if isinstance(before, Mapping) else dict.fromkeys(Keep, before)
    gone = await _empty(session, limits[Keep.MESSAGES], emptied, now, most)
    for table, old in forgetful_tables(Base.metadata):
        gone += await _delete(session, table, old, now - old.after if old.after else limits[old.keep], most)
    return gone + await _delete_strangers(session, limits[Keep.STRANGERS], most)


async def photos_named(session: AsyncSession) -> set[str]:
    """The random names of all stored photos that something still refers to (`media.name_of`)."""
    # One statement, so that no photo is missed that moves from one row to another meanwhile.
    found = await session.scalars(
        union_all(
            *(
                select(words).where(or_(*(words.contains(f".{ending}") for ending in media.ENDINGS)))
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


async def _delete_strangers(session: AsyncSession, before: datetime, most: int) -> int:
    """Delete customers who wrote long ago, never signed in, and to whom nothing else refers."""
    chats = select(Contact.id, Contact.customer_id).where(Contact.customer_id.in_(_strangers(before).limit(most)))
    found = (await session.execute(chats)).all()
    # Locked in the order in which a turn locks; one that is in progress keeps its chat.
    open_chats = Conversation.contact_id.in_([chat for chat, _ in found])
    locked = set(
        await session.scalars(select(Conversation.contact_id).where(open_chats).with_for_update(skip_locked=True))
    )
    known = set(await session.scalars(select(Conversation.contact_id).where(open_chats)))
    busy = {owner for chat, owner in found if chat in known - locked}
    wanted = (await session.scalars(_strangers(before).where(Customer.id.not_in(busy)).limit(most))).all()
    theirs = select(Contact.id).where(Contact.customer_id.in_(wanted))
    await session.execute(delete(Conversation).where(Conversation.contact_id.in_(theirs)))
    await session.execute(delete(Contact).where(Contact.customer_id.in_(wanted)))
    await session.execute(delete(Customer).where(Customer.id.in_(wanted)))
    return len(wanted)


def _strangers(before: datetime) -> Select[int]:
    wrote_lately = exists().where(
        Contact.customer_id == Customer.id, func.coalesce(Contact.last_seen_at, Contact.created_at) >= before
    )
    of_customer, of_chat = inspect(Customer).c.id, inspect(Contact).c.id
    used = []
    for table in set(Base.metadata.sorted_tables) - {inspect(Contact).local_table, inspect(Conversation).local_table}:
        owners = [column for column, target in references(table) if target is of_customer]
        used += [exists().where(column == Customer.id) for column in owners]
        if not owners:
            chats = (column for column, target in references(table) if target is of_chat)
            used += [exists().where(column == Contact.id, Contact.customer_id == Customer.id) for column in chats]
    return select(Customer.id).where(
        Customer.created_at < before, Customer.clerk_user.is_(None), not_(wrote_lately), *map(not_, used)
    )
