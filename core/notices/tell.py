"""One notice to everybody it concerns: rows in the outbox under one business key, so that a cause tells only once.

chat          the customer's chat     key
mail          the customer's e-mail   key:email
technician    their chats             staff:key:channel:address
admins        their chats             staff:key:channel:address
"""

from collections.abc import Iterable
from datetime import datetime

from core.context import Context
from core.db.tables import Booking, Contact
from core.messaging import outbox
from core.messaging.messages import Message, Say, say
from core.notices.cards import alert

STAFF_LANGUAGE = "id"
NEWS = "notice.mail.news"
UNASKED = frozenset({"reminder"})
"""Kinds of messages that a customer can stop; requests for a rating are of this kind, too."""
_PAPERS = ("invoice", "receipt", "credit_note")

Addresses = Iterable[tuple[str, str]]
"""(channel, address) pairs."""


async def tell(
    ctx: Context,
    booking: Booking,
    key: str,
    *,
    chat: Message | None = None,
    mail: Message | None = None,
    subject: str = NEWS,
    technician: Message | None = None,
    admins: Message | None = None,
    kind: str = "notice",
    waited_for: bool = True,
    due_at: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Write a booking's news to the recipients that are named; a recipient without an address is skipped.

    `subject` is the mail's; `kind`, `due_at` (now when None) and `until` are the chat message's. The customer gets
    what isn't `waited_for`, and what is due later, within the contact hours; not at all if that is after `until`.
    An admin who is the technician gets the technician's message. A customer who has stopped reminders gets none.
    """
    by_day = due_at is not None or not waited_for
    if by_day and until is not None and ctx.shop.contact_time(due_at or ctx.now) >= until:
        chat = None
    contact = (
        await ctx.session.get_one(Contact, booking.contact_id) if chat and booking.contact_id is not None else None
    )
    if chat and contact and not (kind in UNASKED and contact.customer.stopped_at):
        await outbox.enqueue(
            ctx,
            key=key,
            channel=contact.channel,
            address=contact.address,
            language=booking.language,
            message=chat,
            due_at=due_at,
            until=until,
            kind=kind,
            by_day=by_day,
            booking_id=booking.id,
        )
    if mail and booking.email:
        await outbox.enqueue(
            ctx,
            key=f"{key}:email",
            channel="email",
            address=booking.email,
            language=booking.language,
            message=_as_mail(ctx, booking, subject, mail),
            due_at=due_at,
            kind="notice",
            by_day=by_day,
            booking_id=booking.id,
        )
    if technician and booking.technician_id:
        await _tell_staff(ctx, ctx.shop.addresses_of(booking.technician_id), key, technician, booking_id=booking.id)
    if admins:
        await _tell_staff(ctx, ctx.shop.admin_addresses, key, admins, booking_id=booking.id)


async def tell_admins(
    ctx: Context, key: str, news: Message, *, about: Contact | None = None, is_urgent: bool = True
) -> None:
    """Write to every admin what is about no booking; `about` is the customer's chat it tells of.

    What isn't urgent is sent within the contact hours.
    """
    about_id = about.id if about else None
    await _tell_staff(ctx, ctx.shop.admin_addresses, key, news, about=about_id, by_day=not is_urgent)


async def alert_admins(ctx: Context, booking: Booking, key: str, what: Say) -> None:
    """Tell the admins that something about a booking needs a person."""
    await tell(ctx, booking, key, admins=alert(booking, what))


async def _tell_staff(
    ctx: Context,
    addresses: Addresses,
    key: str,
    news: Message,
    *,
    booking_id: int | None = None,
    about: int | None = None,
    by_day: bool = False,
) -> None:
    for channel, address in addresses:
        await outbox.enqueue(
            ctx,
            key=f"staff:{key}:{channel}:{address}",
            channel=channel,
            address=address,
            language=STAFF_LANGUAGE,
            message=news,
            kind="staff",
            by_day=by_day,
            booking_id=booking_id,
            about=about,
        )


def _as_mail(ctx: Context, booking: Booking, subject: str, news: Message) -> Message:
    """The message under its subject, without buttons, and with a line that names the paper attached."""
    paper = news.document.kind if news.document else None
    attached = (say(f"papers.attached.{paper}"),) if paper in _PAPERS else ()
    head = say(subject, code=booking.code, shop=ctx.shop.name)
    return Message((head, *news.says, *attached), link=news.link, document=news.document)
