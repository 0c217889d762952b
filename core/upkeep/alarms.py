"""Alarms to the admins when work is stuck: once when it begins and once when it is over.

The `Alarm` row makes one of several processes send it. Admins are told on channels that aren't stuck themselves.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import delete, select

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Alarm, Outbox
from core.messaging import outbox
from core.messaging.messages import Message, Say, message, message_from_json, say
from core.notices import escalations
from core.notices.tell import STAFF_LANGUAGE
from core.shop import Shop
from core.states import RequestState
from core.upkeep import backlog
from core.upkeep.backlog import Backlog, QueueStats

LATE = timedelta(minutes=10)
"""How long work waits before the admins are told: longer than any backoff."""
CALM = timedelta(minutes=2)
"""How short the wait must be before an alarm is over, so that it doesn't come and go."""
KEY = "alarm:"
"""Prefix of the outbox keys of alarms."""
WANTED_FOR = timedelta(hours=12)
"""How long an alarm is worth sending."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Work that may be stuck, the key of its texts, and the channel that is stuck with it."""

    name: str
    key: str
    waiting: QueueStats
    channel: str | None = None


async def watch(ctx: Context, *, channels: Collection[str]) -> tuple[list[str], list[str]]:
    """Tell the admins what got stuck and what goes on again; returns the names of both. `channels`: the enabled ones."""
    waiting = await backlog.measure(ctx.session, channels=channels, now=ctx.now)
    raised = {alarm.name: alarm for alarm in await ctx.session.scalars(select(Alarm))}
    troubles = {
        trouble.name: trouble
        for trouble in _troubles(waiting)
        if trouble.waiting.age(ctx.now) >= (CALM if trouble.name in raised else LATE)
    }
    admins = _admins(ctx.shop, channels, stuck={trouble.channel for trouble in troubles.values()})
    begun = [name for name, trouble in troubles.items() if await _raise(ctx, trouble, admins)]
    over = [name for name in raised if name not in troubles and await _end(ctx, raised[name], admins)]
    return begun, over


async def failing(ctx: Context, parts: Mapping[str, str], *, channels: Collection[str]) -> None:
    """Tell the admins which parts of a process don't work, and why: each once a day."""
    for name, why in parts.items():
        news = message(say("alarm.part.head", what=_named(f"part:{name}")), say("alarm.part.text", why=why))
        await _tell(ctx, news, _admins(ctx.shop, channels), f"part:{name}:{ctx.shop.local(ctx.now).date()}")


async def send_by_mail(ctx: Context, row: Outbox, *, channels: Collection[str]) -> bool:
    """E-mail an alarm, or the card of a waiting customer, that a chat didn't take (WhatsApp outside its 24 hours);
    False for any other message.
    """
    member = ctx.shop.member_at(row.channel, row.address)
    if not row.key.startswith((KEY, escalations.KEY)) or member is None or "email" not in channels:
        return False
    mailbox = [("email", member.email or ctx.shop.email)]
    news = replace(message_from_json(row.body), options=())
    await _tell(ctx, news, mailbox, f"{row.key.removeprefix(KEY)}:unheard", about=row.about)
    return True


async def message_failed(ctx: Context, row: Outbox, *, channels: Collection[str]) -> None:
    """Tell the admins once a day and channel that a message failed and reached nobody in another way."""
    if not row.key.startswith(KEY):
        head = say("alarm.given_up.head", channel=say(f"stuck.channel.{row.channel}"))
        key = f"given_up:{row.channel}:{ctx.shop.local(ctx.now).date()}"
        await _tell(ctx, message(head, say("alarm.given_up.text")), _admins(ctx.shop, channels), key)


def _troubles(waiting: Backlog) -> Iterator[Trouble]:
    for channel, messages in waiting.outbox.items():
        yield Trouble(f"outbox:{channel}", "vendor" if messages.tried else "outbox", messages, channel)
    links = waiting.requests.get(RequestState.WANTED, QueueStats())
    yield Trouble("links", "links", links)
    yield Trouble("payments", "payments", waiting.notifications)
    yield Trouble("reconciliation", "reconciliation", QueueStats(count=1, since=waiting.reconciliation))


def _admins(
    shop: Shop, channels: Collection[str], *, stuck: Collection[str | None] = ()
) -> Collection[tuple[str, str]]:
    """The admins' chats on channels that work; of an admin without one the mailbox, or else the stuck chats."""
    found: set[tuple[str, str]] = set()
    for member in shop.staff:
        if member.role == "admin":
            chats = [(channel, address) for channel, address in member.addresses if channel in channels]
            mailbox = [("email", member.email or shop.email)] if "email" in channels else []
            found.update([chat for chat in chats if chat[0] not in stuck] or mailbox or chats)
    return found


async def _raise(ctx: Context, trouble: Trouble, admins: Collection[tuple[str, str]]) -> bool:
    since = trouble.waiting.since or ctx.now
    is_new = await insert_once(ctx.session, Alarm, name=trouble.name, since=since)
    if is_new:
        facts = {"what": _named(trouble.name), "count": trouble.waiting.count, "since": ctx.shop.local(since)}
        news = message(say(f"alarm.{trouble.key}.head", **facts), say(f"alarm.{trouble.key}.text", **facts))
        await _tell(ctx, news, admins, f"{trouble.name}:{ctx.now.isoformat()}:begins")
    return is_new


async def _end(ctx: Context, alarm: Alarm, admins: Collection[tuple[str, str]]) -> bool:
    gone = await ctx.session.scalar(delete(Alarm).where(Alarm.name == alarm.name).returning(Alarm.name)) is not None
    if gone:
        facts = {"what": _named(alarm.name), "since": ctx.shop.local(alarm.since), "until": ctx.shop.local(ctx.now)}
        news = message(say("alarm.over.head", **facts), say("alarm.over.text", **facts))
        await _tell(ctx, news, admins, f"{alarm.name}:{ctx.now.isoformat()}:over")
    return gone


async def _tell(
    ctx: Context, news: Message, addresses: Collection[tuple[str, str]], key: str, *, about: int | None = None
) -> None:
    for channel, address in sorted(addresses):
        await outbox.enqueue(
            ctx,
            key=f"{KEY}{key}:{channel}:{address}",
            channel=channel,
            address=address,
            language=STAFF_LANGUAGE,
            message=news,
            until=ctx.now + WANTED_FOR,
            kind="staff",
            about=about,
        )


def _named(name: str) -> Say:
    return say(f"alarm.what.{name.replace(':', '.')}")
