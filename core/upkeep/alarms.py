"""What the admins hear when something outside stands still: once when it begins, once when it is over.

    tick ── backlog ── late? ──> an Alarm row that wasn't there ──> told     (one of several processes makes the row)
                         └ no ──> the row is taken away ──> told that it is over

Whoever can't be reached on a channel that is itself late is told on another one, at last by e-mail.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Alarm, Outbox
from core.messaging import outbox
from core.messaging.messages import Message, Say, message, message_from_json, say
from core.notices.tell import STAFF_LANGUAGE
from core.shop import Shop, StaffMember
from core.states import RequestState
from core.upkeep import backlog
from core.upkeep.backlog import Backlog, QueueStats

LATE = timedelta(minutes=10)
"""How long something waits before the admins are told: longer than any pause between two tries."""
CALM = timedelta(minutes=2)
"""How short the wait must be before it counts as over, so that an alarm doesn't come and go."""
KEY = "alarm:"
"""How the outbox keys of alarms begin."""
WANTED_FOR = timedelta(hours=12)
"""How long the news itself is worth sending."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that waits too long: its name, what it is called in the texts, and the channel it blocks."""

    name: str
    key: str
    waiting: QueueStats
    channel: str | None = None


async def watch(ctx: Context, *, channels: Collection[str]) -> tuple[list[str], list[str]]:
    """Tell the admins what has begun and what is over; the names of both. `channels`: those that are on."""
    waiting = await backlog.measure(ctx.session, channels=channels, now=ctx.now)
    raised = {alarm.name: alarm for alarm in await ctx.session.scalars(select(Alarm))}
    troubles = {trouble.name: trouble for trouble in _troubles(waiting, ctx.now) if _goes_on(trouble, raised, ctx.now)}
    down = {trouble.channel for trouble in troubles.values()}
    reached = _admins(ctx.shop, channels, down)
    begun = [name for name, trouble in troubles.items() if await _raise(ctx, trouble, reached)]
    over = [name for name in raised if name not in troubles and await _end(ctx, raised[name], reached)]
    return begun, over


async def failing(ctx: Context, parts: Mapping[str, str], *, channels: Collection[str]) -> None:
    """Tell the admins which parts of a process don't work, and why: each once a day, whoever else sees it too."""
    reached = _admins(ctx.shop, channels, ())
    for name, why in parts.items():
        told = message(say("alarm.part.head", what=_named(f"part:{name}")), say("alarm.part.text", why=why))
        await _tell(ctx, told, reached, f"part:{name}:{ctx.shop.local(ctx.now).date()}")


async def send_by_mail(ctx: Context, row: Outbox, *, channels: Collection[str]) -> bool:
    """E-mail an alarm that a chat can't take (WhatsApp outside its 24 hours); False for any other message."""
    member = ctx.shop.member_at(row.channel, row.address)
    if not row.key.startswith(KEY) or member is None or "email" not in channels:
        return False
    mailbox = [("email", member.email or ctx.shop.email)]
    await _tell(ctx, message_from_json(row.body), mailbox, f"{row.key.removeprefix(KEY)}:unheard")
    return True


async def message_failed(ctx: Context, row: Outbox, *, channels: Collection[str]) -> None:
    """Tell the admins that a message failed and was told no other way: once a day for each channel."""
    if row.key.startswith(KEY):
        return
    reached = _admins(ctx.shop, channels, ())
    head = say("alarm.given_up.head", channel=say(f"stuck.channel.{row.channel}"))
    told = message(head, say("alarm.given_up.text"))
    await _tell(ctx, told, reached, f"given_up:{row.channel}:{ctx.shop.local(ctx.now).date()}")


def _troubles(waiting: Backlog, now: datetime) -> Iterator[Trouble]:
    for channel, messages in waiting.outbox.items():
        yield Trouble(f"outbox:{channel}", "vendor" if messages.tried else "outbox", messages, channel)
    links = waiting.requests.get(RequestState.WANTED, QueueStats())
    yield Trouble("links", "links", links)
    yield Trouble("payments", "payments", waiting.notifications)
    yield Trouble("reconciliation", "reconciliation", QueueStats(count=1, since=waiting.reconciliation))


def _goes_on(trouble: Trouble, raised: Collection[str], now: datetime) -> bool:
    return trouble.waiting.age(now) >= (CALM if trouble.name in raised else LATE)


def _admins(shop: Shop, channels: Collection[str], down: Collection[str | None]) -> list[tuple[str, str]]:
    """Where the admins can be told."""
    return [way for member in shop.staff if member.role == "admin" for way in _ways(member, shop, channels, down)]


def _ways(
    member: StaffMember, shop: Shop, channels: Collection[str], down: Collection[str | None]
) -> list[tuple[str, str]]:
    """Where an admin can be told now; where nothing works, everywhere, for later."""
    chats = [(channel, address) for channel, address in member.addresses if channel in channels]
    working = [(channel, address) for channel, address in chats if channel not in down]
    if working or "email" not in channels:
        return working or chats
    return [("email", member.email or shop.email)]


async def _raise(ctx: Context, trouble: Trouble, reached: Collection[tuple[str, str]]) -> bool:
    since = trouble.waiting.since or ctx.now
    is_new = await insert_once(ctx.session, Alarm, name=trouble.name, since=since)
    if is_new:
        facts = {"what": _named(trouble.name), "count": trouble.waiting.count, "since": ctx.shop.local(since)}
        told = message(say(f"alarm.{trouble.key}.head", **facts), say(f"alarm.{trouble.key}.text", **facts))
        await _tell(ctx, told, reached, f"{trouble.name}:{ctx.now.isoformat()}:begins")
    return is_new


async def _end(ctx: Context, alarm: Alarm, reached: Collection[tuple[str, str]]) -> bool:
    gone = await ctx.session.scalar(delete(Alarm).where(Alarm.name == alarm.name).returning(Alarm.name)) is not None
    if gone:
        facts = {"what": _named(alarm.name), "since": ctx.shop.local(alarm.since), "until": ctx.shop.local(ctx.now)}
        told = message(say("alarm.over.head", **facts), say("alarm.over.text", **facts))
        await _tell(ctx, told, reached, f"{alarm.name}:{ctx.now.isoformat()}:over")
    return gone


async def _tell(ctx: Context, told: Message, reached: Collection[tuple[str, str]], key: str) -> None:
    for channel, address in sorted(set(reached)):
        await outbox.enqueue(
            ctx,
            key=f"{KEY}{key}:{channel}:{address}",
            channel=channel,
            address=address,
            language=STAFF_LANGUAGE,
            message=told,
            until=ctx.now + WANTED_FOR,
            kind="staff",
        )


def _named(name: str) -> Say:
    return say(f"alarm.what.{name.replace(':', '.')}")
