"""Customers who wait for a person: one open escalation a chat, whose card goes to the admins again until somebody acts.

    open ──> card ──> renewed after 10, 20, 40 … minutes of opening time ──> closed: taken over, replied, done

Reading and closing it needs no lock on the customer's conversation.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, or_, select, update

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Booking, Contact, Escalation
from core.messaging.messages import Say, to_json
from core.schedule.opening import after_opening_time, open_from
from core.states import CallReason

FIRST_RENEWAL = timedelta(minutes=10)
KEY = "staff:person:"
"""Prefix of the outbox keys of cards, and of what is sent with them."""
LONGEST_RENEWAL = timedelta(hours=4)
"""Of opening time: a customer who is forgotten is named at least once or twice a day."""


@dataclass(frozen=True, slots=True)
class Need:
    """Why a customer needs a person."""

    reason: CallReason
    booking: Booking | None = None
    about: Say | None = None
    """What else the admins must know."""
    media: Collection[str] = ()
    """Keys of the photos and files that belong to it."""


async def open_of(ctx: Context, contact_id: int) -> Escalation | None:
    """The open escalation of a chat, as it is in the database now."""
    found = select(Escalation).where(Escalation.contact_id == contact_id, Escalation.closed_at.is_(None))
    return (await ctx.session.scalars(found.execution_options(populate_existing=True))).one_or_none()


async def open_for(
    ctx: Context, contact: Contact, need: Need, *, wait: timedelta = FIRST_RENEWAL
) -> tuple[Escalation, bool]:
    """The chat's open escalation with this need in it, and whether the need is new.

    Its card is due again after `wait`, or when the shop opens.
    """
    opens = await open_from(ctx, ctx.now)
    renew_at = opens if opens > ctx.now else await after_opening_time(ctx, ctx.now, wait)
    booking_id, about = need.booking.id if need.booking else None, to_json(need.about) if need.about else None
    escalation = await open_of(ctx, contact.id)
    is_new = escalation is None or need.reason not in escalation.reasons
    while escalation is None:
        await insert_once(
            ctx.session,
            Escalation,
            contact_id=contact.id,
            reason=need.reason,
            reasons=[],
            booking_id=booking_id,
            about=about,
            media=[],
            since=ctx.now,
            cards=0,
            renew_at=renew_at,
        )
        escalation = await open_of(ctx, contact.id)
    if is_new:
        escalation.reason, escalation.about = need.reason, about
        escalation.reasons = [*escalation.reasons, need.reason]
        escalation.booking_id = booking_id or escalation.booking_id
        escalation.renew_at = min(escalation.renew_at, renew_at)
    return escalation, is_new


async def close(ctx: Context, contact_id: int, *, by: str) -> bool:
    """End a chat's escalation; False when none is open."""
    closed = (
        update(Escalation)
        .where(Escalation.contact_id == contact_id, Escalation.closed_at.is_(None))
        .values(closed_at=ctx.now, closed_by=by)
        .returning(Escalation.id)
        .execution_options(synchronize_session=False)
    )
    return bool((await ctx.session.scalars(closed)).all())


async def due(ctx: Context) -> Sequence[int]:
    """The contacts whose card is to be sent again now, the longest waiting first."""
    query = select(Escalation.contact_id).where(Escalation.closed_at.is_(None), Escalation.renew_at <= ctx.now)
    return (await ctx.session.scalars(query.order_by(Escalation.since))).all()


async def claim_renewal(ctx: Context, contact_id: int) -> Escalation | None:
    """The escalation whose card is due, put off by the next interval; None when another process was first."""
    escalation = await open_of(ctx, contact_id)
    if escalation is None or escalation.renew_at > ctx.now:
        return None
    again_at = await after_opening_time(ctx, ctx.now, renewal_interval(escalation.cards))
    claimed = (
        update(Escalation)
        .where(Escalation.id == escalation.id, Escalation.renew_at <= ctx.now, Escalation.closed_at.is_(None))
        .values(renew_at=again_at)
        .returning(Escalation.id)
        .execution_options(synchronize_session=False)
    )
    if await ctx.session.scalar(claimed) is None:
        return None
    return await open_of(ctx, contact_id)


def renewal_interval(cards: int) -> timedelta:
    """How much opening time goes by before the card after so many."""
    doublings = min(cards, 10)
    return min(FIRST_RENEWAL * (1 << doublings), LONGEST_RENEWAL)


async def reachable_admins(ctx: Context) -> list[tuple[str, str]]:
    """The admins' chats, without those that their channel refuses to deliver to since they last wrote."""
    return await reachable(ctx, ctx.shop.admin_addresses)


async def reachable(ctx: Context, addresses: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of these chats to which their channel delivers."""
    if not addresses:
        return []
    blocked = select(Contact.channel, Contact.address).where(
        or_(*(and_(Contact.channel == channel, Contact.address == address) for channel, address in addresses)),
        Contact.unreachable_at.is_not(None),
        or_(Contact.last_seen_at.is_(None), Contact.last_seen_at <= Contact.unreachable_at),
    )
    gone = {(channel, address) for channel, address in await ctx.session.execute(blocked)}
    return [each for each in addresses if each not in gone]
