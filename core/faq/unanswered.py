"""Questions that nobody could answer: counted by topic, and answered once for all who asked.

remember ──> a row per customer and topic ── open_topics ──> an admin answers ── learn ──> the FAQ, and everybody who asked
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, cast, delete, func, select

from core.context import Context
from core.db.database import insert_into
from core.db.tables import Contact, Faq, Unanswered
from core.faq.entries import MOST_SPELLINGS, new_id
from core.messaging import outbox
from core.messaging.messages import message, say
from core.notices import escalations
from core.states import CallReason

STILL_THERE = timedelta(minutes=15)
"""A customer who wrote so shortly ago waits for the answer: it is sent at any hour."""
MOST_TOPICS = 500
"""How many open topics a new question is compared with."""
_TIMES = cast(func.sum(Unanswered.count), BigInteger)
"""PostgreSQL sums whole numbers to a decimal, which JSON doesn't know."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An open question."""

    name: str
    """Its words that count, sorted."""
    text: str
    """As somebody asked it."""
    count: int
    """How often it was asked."""
    people: int


async def remember(ctx: Context, contact: Contact, topic: str, text: str) -> None:
    """Count a question of this customer."""
    insert = insert_into(ctx.session, Unanswered).values(
        contact_id=contact.id, topic=topic, text=text, count=1, asked_at=ctx.now
    )
    again = {"count": Unanswered.count + 1, "text": text, "asked_at": ctx.now}
    await ctx.session.execute(insert.on_conflict_do_update(index_elements=["contact_id", "topic"], set_=again))


async def topic_names(ctx: Context) -> Sequence[str]:
    """The newest open topics."""
    newest = select(Unanswered.topic).group_by(Unanswered.topic).order_by(func.max(Unanswered.asked_at).desc())
    return (await ctx.session.scalars(newest.limit(MOST_TOPICS))).all()


async def open_topics(ctx: Context, *, limit: int) -> list[Topic]:
    """The open questions, those asked most often first."""
    query = (
        select(Unanswered.topic, func.min(Unanswered.text), _TIMES, func.count())
        .group_by(Unanswered.topic)
        .order_by(_TIMES.desc(), func.max(Unanswered.asked_at).desc(), Unanswered.topic)
        .limit(limit)
    )
    return [Topic(*row) for row in await ctx.session.execute(query)]


async def topic(ctx: Context, name: str) -> Topic | None:
    """An open question; None once it was answered or forgotten."""
    query = select(func.min(Unanswered.text), _TIMES, func.count())
    text, count, people = (await ctx.session.execute(query.where(Unanswered.topic == name))).one()
    return Topic(name, text, count, people) if people else None


async def drop(ctx: Context, name: str) -> None:
    """Forget a question that needs no answer."""
    await ctx.session.execute(delete(Unanswered).where(Unanswered.topic == name))


async def learn(ctx: Context, name: str, answer: str, *, by: str) -> int:
    """Put the answer into the FAQ and send it to everybody who asked; returns how many those are.

    Who only waited for a person because the bot didn't understand waits no more.
    """
    asked = delete(Unanswered).where(Unanswered.topic == name).returning(Unanswered)
    rows = sorted((await ctx.session.scalars(asked)).all(), key=lambda row: row.id)
    if not rows:
        return 0
    texts = list(dict.fromkeys(row.text for row in rows))
    taken = (await ctx.session.scalars(select(Faq.id))).all()
    entry = Faq(
        id=new_id(texts[0], taken),
        question=texts[0],
        spellings=texts[1 : MOST_SPELLINGS + 1],
        answer=answer,
        changed_at=ctx.now,
    )
    ctx.session.add(entry)
    for row in rows:
        await _tell(ctx, row, answer, by=by)
    return len(rows)


async def _tell(ctx: Context, row: Unanswered, answer: str, *, by: str) -> None:
    contact = await ctx.session.get_one(Contact, row.contact_id)
    escalation = await escalations.open_of(ctx, contact.id)
    waits = escalation is not None or _is_there(contact, ctx.now)
    await outbox.enqueue(
        ctx,
        key=f"faq:{contact.id}:{row.topic}:{row.asked_at.isoformat()}",
        channel=contact.channel,
        address=contact.address,
        language=contact.language,
        message=message(say("faq.answered", question=row.text, answer=answer)),
        due_at=None if waits else ctx.shop.contact_time(ctx.now),
        kind="notice",
        about=contact.id,
    )
    if escalation is not None and escalation.reason is CallReason.MISSES:
        await escalations.close(ctx, contact.id, by=by)


def _is_there(contact: Contact, now: datetime) -> bool:
    return contact.last_seen_at is not None and now - contact.last_seen_at <= STILL_THERE
