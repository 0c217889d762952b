"""Messages to send: written once per business key, sent at least once, in order within a chat.

enqueue ──> due ─────┐
reply ────> sending ─┴─> `outbox_claims` ──> sent, failed        dropped: no longer wanted
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Executable,
    Text,
    Update,
    bindparam,
    case,
    cast,
    exists,
    insert,
    literal_column,
    or_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core import trace
from core.context import Context, Work
from core.db.database import insert_once
from core.db.tables import Contact, Moment, Outbox
from core.messaging.messages import Message, to_json

EVER = datetime.min.replace(tzinfo=UTC)
LEASE = timedelta(seconds=20)
"""A claim ends after this unless the claimer renews it, so a crash delays a message by at most this."""
GIVE_UP_AFTER = timedelta(days=2)
"""After this a message without an `until` is no longer sent."""


async def enqueue(
    ctx: Context,
    *,
    key: str,
    channel: str,
    address: str,
    language: str,
    message: Message,
    due_at: datetime | None = None,
    until: datetime | None = None,
    kind: str = "reply",
    by_day: bool = False,
    booking_id: int | None = None,
    about: int | None = None,
) -> bool:
    """Write a message to be sent at `due_at` (None: now); False when its key was written before.

    `by_day`: within the shop's contact hours, also when it is late. `about`: the customer's contact that a message to
    staff is about.
    """
    if by_day:
        due_at = ctx.shop.contact_time(due_at or ctx.now)
    ctx.effects.work.add(Work(channel))
    return await insert_once(
        ctx.session,
        Outbox,
        key=key,
        channel=channel,
        address=address,
        language=language,
        body=to_json(message),
        booking_id=booking_id,
        about=about,
        kind=kind,
        due_at=due_at or ctx.now,
        not_before=due_at or ctx.now,
        until=until,
        by_day=by_day,
        trace=trace.current().id,
        created_at=ctx.now,
    )


async def notify(ctx: Context, contact: Contact, message: Message, *, key: str, language: str) -> bool:
    """Write a notice that nobody waits for to a contact, to be sent within the shop's contact hours.

    False when its key was written before.
    """
    return await enqueue(
        ctx,
        key=key,
        channel=contact.channel,
        address=contact.address,
        language=language,
        message=message,
        kind="notice",
        by_day=True,
    )


async def reply(ctx: Context, *, key: str, channel: str, address: str, language: str, message: Message) -> None:
    """Write the answer to a turn. Unless an earlier message to the chat is unsent, it is claimed and put into
    `ctx.effects.replies`, so that it is sent without a poll.
    """
    values = {
        "key": key,
        "channel": channel,
        "address": address,
        "language": language,
        "body": to_json(message),
        "kind": "reply",
        "trace": trace.current().id,
        "due_at": ctx.now,
        "created_at": ctx.now,
    }
    row = (await ctx.session.execute(_REPLY, values | {"now": ctx.now, "leased_until": ctx.now + LEASE})).one()
    if row.state == "sending":
        ctx.effects.replies.append(Outbox(**values | dict(row._mapping), unclear=0, shown=True))
    else:
        ctx.effects.work.add(Work(channel))


async def chat_closed(
    session: AsyncSession, *, channel: str, address: str, reason: str, now: datetime
) -> Sequence[Outbox]:
    """Mark a contact as unreachable and give up its due messages, which are returned."""
    await session.execute(
        update(Contact).where(Contact.channel == channel, Contact.address == address).values(unreachable_at=now)
    )
    given_up = await session.scalars(
        update(Outbox)
        .where(Outbox.channel == channel, Outbox.address == address, unfinished(Outbox), Outbox.due_at <= now)
        .values(state="failed", error=reason)
        .returning(Outbox)
    )
    return given_up.all()


async def drop(
    session: AsyncSession,
    booking_id: int,
    *,
    kinds: Collection[str] = ("reminder",),
    after: datetime = EVER,
) -> None:
    """Drop a booking's unsent messages of these kinds that are due after a moment; their keys may be used again."""
    await session.execute(
        update(Outbox)
        .where(Outbox.booking_id == booking_id, Outbox.kind.in_(kinds), Outbox.due_at > after, unfinished(Outbox))
        .values(state="dropped", key=Outbox.key + ":dropped:" + cast(Outbox.id, Text))
    )


async def drop_old(session: AsyncSession, *, now: datetime) -> None:
    """Drop messages past their time: nobody claims them while their channel is off."""
    unwanted = or_(Outbox.until.is_(None), Outbox.until < now)
    await session.execute(
        update(Outbox)
        .where(unfinished(Outbox), Outbox.state == "due", Outbox.due_at < now - GIVE_UP_AFTER, unwanted)
        .values(state="dropped")
    )


async def postpone(session: AsyncSession, kind: str, channel: str, address: str, *, due_at: datetime) -> None:
    """Postpone the unsent messages of a kind to a chat."""
    await session.execute(_waiting(kind, channel, address).values(due_at=due_at, not_before=due_at))


async def cancel(session: AsyncSession, kind: str, channel: str, address: str) -> None:
    """Drop the unsent messages of a kind to a chat."""
    await session.execute(_waiting(kind, channel, address).values(state="dropped"))


async def drop_keys(session: AsyncSession, channel: str, address: str, prefixes: Collection[str]) -> None:
    """Drop the unsent messages to a chat whose key begins so; their keys may be used again."""
    await session.execute(
        update(Outbox)
        .where(
            Outbox.channel == channel,
            Outbox.address == address,
            unfinished(Outbox),
            or_(*(Outbox.key.startswith(prefix, autoescape=True) for prefix in prefixes)),
        )
        .values(state="dropped", key=Outbox.key + ":dropped:" + cast(Outbox.id, Text))
    )


def _waiting(kind: str, channel: str, address: str) -> Update:
    # `unfinished` is for the index; the second condition excludes what is being sent.
    return update(Outbox).where(
        Outbox.channel == channel,
        Outbox.address == address,
        Outbox.kind == kind,
        unfinished(Outbox),
        Outbox.state == "due",
    )


def unfinished(row: type[Outbox]) -> ColumnElement[bool]:
    # Written out, not bound: the database only uses a partial index whose condition the query repeats.
    return row.state.in_([literal_column("'due'"), literal_column("'sending'")])


def _reply_statement() -> Executable:
    now = bindparam("now", type_=Moment())
    first = ~exists().where(
        unfinished(Outbox),
        Outbox.channel == bindparam("channel"),
        Outbox.address == bindparam("address"),
        Outbox.due_at <= now,
    )
    given = ("key", "channel", "address", "language", "body", "kind", "trace", "due_at", "created_at")
    return (
        insert(Outbox.metadata.tables[Outbox.__tablename__])
        .values(
            {name: bindparam(name) for name in given}
            | {
                "state": case((first, "sending"), else_="due"),
                "not_before": case((first, bindparam("leased_until", type_=Moment())), else_=now),
                "attempts": case((first, 1), else_=0),
                "shown": first,
            }
        )
        .returning(Outbox.id, Outbox.state, Outbox.attempts)
    )


# Built once: building costs more than running.
_REPLY = _reply_statement()
