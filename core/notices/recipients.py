"""Where a notice goes: the customer's chat, the customer's mail, the admins' chats, the technician's chat.

Each writes an outbox row under a key that names its cause, so that the same cause never tells twice;
where there is no such address, nothing is written.
"""

from collections.abc import Iterable
from datetime import datetime

from core.context import Context
from core.db.tables import Booking, Contact
from core.messaging import outbox
from core.messaging.messages import Message, say

STAFF_LANGUAGE = "id"
_PAPERS = ("invoice", "receipt", "credit_note")


async def chat(
    ctx: Context,
    booking: Booking,
    letter: Message,
    key: str,
    *,
    kind: str = "notice",
    due_at: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Write to the chat that the booking is spoken of in, at `due_at` (now when None)."""
    if booking.contact_id is None:
        return
    contact = await ctx.session.get_one(Contact, booking.contact_id)
    await outbox.enqueue(
        ctx.session,
        key=key,
        channel=contact.channel,
        address=contact.address,
        language=booking.language,
        message=letter,
        now=ctx.now,
        due_at=due_at,
        until=until,
        kind=kind,
        booking_id=booking.id,
    )


async def mail(ctx: Context, booking: Booking, subject: str, letter: Message, *, key: str) -> None:
    """Write to the address given with the booking, under this subject, with the message's document attached."""
    if not booking.email:
        return
    paper = letter.document.kind if letter.document else ""
    attached = (say(f"papers.attached.{paper}"),) if paper in _PAPERS else ()
    await outbox.enqueue(
        ctx.session,
        key=f"{key}:email",
        channel="email",
        address=booking.email,
        language=booking.language,
        message=Message(
            (say(subject, code=booking.code, shop=ctx.shop.name), *letter.says, *attached),
            link=letter.link,
            document=letter.document,
        ),
        now=ctx.now,
        kind="notice",
        booking_id=booking.id,
    )


async def admins(
    ctx: Context, booking: Booking | None, letter: Message, *, key: str, about: Contact | None = None
) -> None:
    """Write to every admin, of a booking or of somebody's chat."""
    await _staff(ctx, booking, letter, ctx.shop.admin_addresses, key=key, about=about)


async def technician(ctx: Context, booking: Booking, letter: Message, *, key: str) -> None:
    """Write to the booking's technician, where the staff list knows a chat of theirs."""
    addresses = ctx.shop.addresses_of(booking.technician_id) if booking.technician_id else ()
    await _staff(ctx, booking, letter, addresses, key=key)


async def _staff(
    ctx: Context,
    booking: Booking | None,
    letter: Message,
    addresses: Iterable[tuple[str, str]],
    *,
    key: str,
    about: Contact | None = None,
) -> None:
    for channel, address in addresses:
        await outbox.enqueue(
            ctx.session,
            key=f"staff:{key}:{channel}:{address}",
            channel=channel,
            address=address,
            language=STAFF_LANGUAGE,
            message=letter,
            now=ctx.now,
            kind="staff",
            booking_id=booking.id if booking else None,
            about=about.id if about else None,
        )
