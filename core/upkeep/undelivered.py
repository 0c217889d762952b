"""Messages that failed for good (dead letters): passed on in another way, listed for staff, and resent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context, Work
from core.db.tables import Booking, Contact, Customer, Outbox
from core.messaging.messages import Message, message_from_json, say
from core.notices.tell import tell
from core.refusals import NotFound
from core.upkeep import alarms

WANTED_FOR = timedelta(days=2)
"""How long a resent message is retried."""
_NEVER_SENT = {"attempts": 0, "unclear": 0, "parts_left": None, "vendor_id": None, "delivery": None, "error": None}
_GIVEN_UP = text("outbox.state = 'failed'")
"""Written out, not bound: a partial index is only used where its condition can be read in the query."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    row: Outbox
    name: str | None
    """The recipient's, where it is known."""


async def escalate(ctx: Context, row: Outbox, *, channels: Collection[str], unreachable: bool = False) -> None:
    """Pass a failed message on by e-mail or by the admins, or else raise an alarm.

    `channels`: the enabled ones; `unreachable`: the recipient has closed the chat, so no alarm.
    """
    passed_on = await alarms.send_by_mail(ctx, row, channels=channels) or await _tell_about_booking(ctx, row, channels)
    if not (passed_on or unreachable):
        await alarms.message_failed(ctx, row, channels=channels)


async def _tell_about_booking(ctx: Context, row: Outbox, channels: Collection[str]) -> bool:
    """E-mail a booking's message to its customer, or ask the admins to pass it on; False for any other message."""
    booking = await ctx.session.get(Booking, row.booking_id) if row.booking_id is not None else None
    if booking is None or row.kind == "staff" or row.channel == "email":
        return False
    news = message_from_json(row.body)
    if booking.email and "email" in channels:
        await tell(ctx, booking, row.key, mail=news)
        return True
    request = say("staff.unreached", reason=row.channel, name=booking.name, phone=booking.phone)
    head = say("staff.alert", code=booking.code, what=request)
    await tell(ctx, booking, f"unreached:{row.key}", admins=Message((head, *news.says)))
    return True


async def listed(session: AsyncSession, *, limit: int) -> Sequence[DeadLetter]:
    found = await session.execute(
        select(Outbox, Customer.name)
        .outerjoin(Contact, (Contact.channel == Outbox.channel) & (Contact.address == Outbox.address))
        .outerjoin(Customer, Customer.id == Contact.customer_id)
        .where(_GIVEN_UP)
        .order_by(Outbox.due_at.desc(), Outbox.id.desc())
        .limit(limit)
    )
    return [DeadLetter(row, name) for row, name in found]


async def resend(ctx: Context, *, key: str) -> None:
    """Send a failed message again; raises `NotFound` where none has that key."""
    again = (
        update(Outbox)
        .where(Outbox.key == key, _GIVEN_UP)
        .values(state="due", due_at=ctx.now, not_before=ctx.now, until=ctx.now + WANTED_FOR, **_NEVER_SENT)
        .returning(Outbox)
    )
    row = (await ctx.session.scalars(again)).one_or_none()
    if row is None:
        raise NotFound(code=key)
    ctx.effects.work.add(Work(row.channel))


async def key_of(session: AsyncSession, message_id: int) -> str:
    """Raises `NotFound`."""
    key = await session.scalar(select(Outbox.key).where(Outbox.id == message_id))
    if key is None:
        raise NotFound(code=str(message_id))
    return key
