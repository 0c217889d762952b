"""The last messages of a customer's chat, for the person who helps them.

What the customer wrote is in the conversation's state (`State.heard`), what was written to them in the outbox.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from conversations.incoming import Incoming
from conversations.state import LONGEST_HEARD, Heard, State
from conversations.texts import render
from core.context import Context
from core.db.tables import Contact, Outbox
from core.messaging.messages import Message, Say, message_from_json, say

MOST_LISTED = 10
LOOK_BACK = timedelta(days=2)
"""How far back what was written to the customer is looked for."""
LONGEST_LINE = 160
FROM_STAFF = ("team.from_staff", "team.from_staff_photo", "team.from_staff_file", "team.letter")
"""Texts that name their writer."""


class _Line(NamedTuple):
    at: datetime
    place: int
    """Among what has the same time: the customer first."""
    number: int
    said: Say


def remember(state: State, incoming: Incoming, now: datetime) -> None:
    """Keep a customer's message with the last ones, and their name."""
    state.called = incoming.name or state.called
    text = incoming.text or ""
    if incoming.place is not None:
        text = f"https://maps.google.com/?q={incoming.place.latitude},{incoming.place.longitude}"
    kept = (*incoming.photos, *incoming.files)
    if text or incoming.media:
        state.hear(Heard(now, text[:LONGEST_HEARD], kept, max(0, len(incoming.media) - len(kept))))


async def lines(ctx: Context, contact: Contact, heard: Sequence[Heard]) -> list[Say]:
    """The last messages in both directions, the newest last."""
    found = [_Line(each.at, 0, number, _heard(ctx, each)) for number, each in enumerate(heard)]
    found += await _written(ctx, contact)
    return [line.said for line in sorted(found, key=lambda line: line[:3])[-MOST_LISTED:]]


async def _written(ctx: Context, contact: Contact) -> list[_Line]:
    # The index is the one of created_at: a chat's own rows have none.
    query = (
        select(Outbox.id, Outbox.created_at, Outbox.body, Outbox.language)
        .where(
            Outbox.created_at >= ctx.now - LOOK_BACK,
            Outbox.channel == contact.channel,
            Outbox.address == contact.address,
            Outbox.state != "dropped",
            Outbox.due_at <= ctx.now,
        )
        .order_by(Outbox.created_at.desc(), Outbox.id.desc())
        .limit(MOST_LISTED)
    )
    rows = (await ctx.session.execute(query)).all()
    return [
        _Line(row.created_at, 1, row.id, _said(ctx, row.created_at, message_from_json(row.body), row.language))
        for row in rows
    ]


def _heard(ctx: Context, heard: Heard) -> Say:
    parts: list[Say | str] = [heard.text] if heard.text else []
    if heard.media:
        parts.append(say("staff.said.media", count=len(heard.media)))
    if heard.unkept:
        parts.append(say("staff.said.unkept"))
    return say("staff.said.customer", at=ctx.shop.local(heard.at), text=_joined(parts))


def _said(ctx: Context, at: datetime, message: Message, language: str) -> Say:
    text = " ".join(" ".join(render(each, language) for each in message.says).split())
    is_staff = message.says[0].key in FROM_STAFF if message.says else False
    key = "staff.said.staff" if is_staff else "staff.said.bot"
    return say(key, at=ctx.shop.local(at), text=_short(text))


def _joined(parts: Sequence[Say | str]) -> Say | str:
    if not parts:
        return ""
    first, *rest = parts
    for part in rest:
        first = say("staff.said.both", first=first, second=part)
    return first


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1].rstrip()}…"
