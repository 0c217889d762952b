"""A customer gets to a person: the admins' card, what is true to tell the customer, and the card again until somebody acts.

call ──> escalation (`core.notices.escalations`) ── card with the last messages, photos, voice ──> every admin
   └───> what the customer is told: soon, from when on, or the shop's number where no admin can be reached
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from conversations import last_messages
from conversations.state import Heard, State
from conversations.turn import Turn
from conversations.understand import Understanding
from conversations.understand.acts import Act
from conversations.understand.intents import Intent
from core import media as stored
from core.context import Context
from core.db.tables import Booking, Contact, Conversation, Escalation
from core.messaging import outbox
from core.messaging.messages import Document, Message, Option, Say, message, message_from_json, say
from core.notices import escalations
from core.notices.cards import block
from core.notices.escalations import Need
from core.notices.tell import STAFF_LANGUAGE
from core.schedule import bookings
from core.schedule.opening import open_from
from core.states import BookingStatus, CallReason, PaymentStatus

MOST_UNASKED = 3
"""Of a customer's last messages, how many with photos or files are stored while nobody helps them: each costs work."""
MOST_MEDIA = 20
"""Photos and files that go to the admins until one of them acts, so that nobody can flood them."""
LATEST = 20
"""How many of a customer's bookings are looked at."""
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
_DONE_FIRST = (CallReason.COMPLAINT, CallReason.CLAIM)
"""Reasons that are about work that was done, if there is any."""


async def call(
    turn: Turn,
    reason: CallReason,
    booking: Booking | None = None,
    media: Collection[str] = (),
    about: Say | None = None,
) -> Say:
    """Call a person to this chat; returns what is true to tell the customer.

    `booking`: None: the customer's one that fits. `media`: keys of photos and files that belong to it, beside those of
    the last messages. `about`: what else the admins must know, such as the part and the car of an unknown fit.

    A new need sends the card at once, new photos are sent on; the same need again waits for the card's renewal.
    """
    ctx = turn.ctx
    booking = booking or await _fitting_booking(turn, reason)
    escalation, is_new = await escalations.open_for(ctx, turn.contact, Need(reason, booking, about))
    turn.state.waits = True
    admins = await escalations.reachable_admins(ctx)
    heard = [*turn.state.heard, Heard(ctx.now, media=tuple(media))]
    if is_new:
        await _send_card(ctx, escalation, turn.contact, turn.state, admins)
    await _send_media(ctx, escalation, turn.contact, turn.state, _keys(heard), admins)
    promise = await _told(turn, admins)
    return say(f"person.lead.{reason}", told=promise) if admins else promise


async def pass_media(turn: Turn) -> Say | None:
    """Send a waiting customer's photos or files on to the admins; returns what to tell the customer, None if there are none.

    For a message that isn't itself a new need.
    """
    kept = (*turn.incoming.photos, *turn.incoming.files)
    escalation = await escalations.open_of(turn.ctx, turn.contact.id) if turn.state.waits and kept else None
    if escalation is None:
        return None
    admins = await escalations.reachable_admins(turn.ctx)
    await _send_media(turn.ctx, escalation, turn.contact, turn.state, kept, admins)
    promise = await _told(turn, admins)
    return say("person.media", told=promise) if admins else promise


def reason_of(understood: Understanding) -> CallReason | None:
    """The need for a person that a line says in itself: a claim, another complaint, a payment by transfer."""
    complaints = [act.topic for act in understood.acts if act.act is Act.COMPLAIN]
    if complaints:
        return CallReason.CLAIM if Intent.WARRANTY in complaints else CallReason.COMPLAINT
    return CallReason.PROOF if Intent.PAID in understood.topics else None


def waiting_for_person(turn: Turn) -> bool:
    """Whether this customer waits for a person: the bot then answers only what it is asked."""
    return turn.state.waits


async def told(turn: Turn) -> Say:
    """When a waiting customer will get an answer, or the shop's number; said when they ask again."""
    return await _told(turn, await escalations.reachable_admins(turn.ctx))


async def refresh(turn: Turn) -> None:
    """Forget that the customer waits once an admin took over, replied or marked it done."""
    if turn.state.waits and await escalations.open_of(turn.ctx, turn.contact.id) is None:
        turn.state.waits = False


def wants_media(state: State) -> bool:
    """Whether a customer's photos and files are stored: all while somebody helps or should, else a few."""
    if state.human is not None or state.writer is not None or state.waits:
        return True
    return sum(bool(each.media or each.unkept) for each in state.heard) < MOST_UNASKED


async def renew(ctx: Context, contact_id: int) -> bool:
    """Send the card of a customer who still waits once more, if it is due; the contacts are `escalations.due`."""
    escalation = await escalations.claim_renewal(ctx, contact_id)
    if escalation is None:
        return False
    contact = await ctx.session.get_one(Contact, contact_id)
    kept = await ctx.session.scalar(select(Conversation.state).where(Conversation.contact_id == contact_id))
    state, admins = State.from_json(kept or {}, now=ctx.now), await escalations.reachable_admins(ctx)
    await _send_card(ctx, escalation, contact, state, admins)
    await _send_media(ctx, escalation, contact, state, _keys(state.heard), admins)
    return True


def options(contact_id: int) -> tuple[Option, ...]:
    """The buttons on the card of a waiting customer."""
    return (
        Option(f"take:{contact_id}", say("staff.take_over")),
        Option(f"answer:{contact_id}", say("staff.answer")),
        Option(f"helped:{contact_id}", say("staff.helped")),
    )


def name_of(contact: Contact, state: State) -> str:
    """What to call a customer before staff."""
    return contact.customer.name or state.called or contact.customer.phone or _address(contact)


# --- the card ----------------------------------------------------------------------------------


async def _send_card(
    ctx: Context, escalation: Escalation, contact: Contact, state: State, admins: Iterable[tuple[str, str]]
) -> None:
    escalation.cards += 1
    card = await _card(ctx, escalation, contact, state)
    await _send(ctx, escalation, contact, admins, card, f"card:{escalation.cards}")


async def _send_media(
    ctx: Context,
    escalation: Escalation,
    contact: Contact,
    state: State,
    keys: Sequence[str],
    admins: Collection[tuple[str, str]],
) -> None:
    """Send the photos and files that the admins haven't got."""
    news = [key for key in keys if key not in escalation.media][: MOST_MEDIA - len(escalation.media)]
    if not news or not admins:
        return
    escalation.media = [*escalation.media, *news]
    name = name_of(contact, state)
    for key in news:
        is_photo = stored.is_key(key)
        kind = "photo" if is_photo else "voice" if stored.file_kind_of_key(key).is_voice else "file"
        document = Document("photo" if is_photo else "file", key)
        shown = Message((say(f"staff.sent.{kind}", name=name),), document=document)
        await _send(ctx, escalation, contact, admins, shown, key)


async def _send(
    ctx: Context,
    escalation: Escalation,
    contact: Contact,
    admins: Iterable[tuple[str, str]],
    news: Message,
    what: str,
) -> None:
    for channel, address in admins:
        await outbox.enqueue(
            ctx,
            # Without the escalation's id, which SQLite gives out again.
            key=f"{escalations.KEY}{contact.id}:{escalation.since.isoformat()}:{what}:{channel}:{address}",
            channel=channel,
            address=address,
            language=STAFF_LANGUAGE,
            message=news,
            kind="staff",
            about=contact.id,
        )


async def _card(ctx: Context, escalation: Escalation, contact: Contact, state: State) -> Message:
    reason = say(f"staff.person.{escalation.reason}")
    head = say("staff.person.head", reason=reason)
    if escalation.cards > 1:
        head = say("staff.person.again", reason=reason, since=ctx.shop.local(escalation.since))
    about = message_from_json({"says": [escalation.about]}).says if escalation.about else ()
    booking = await _booking_line(ctx, escalation.booking_id)
    phone = contact.customer.phone or _address(contact)
    who = say("staff.line.customer", name=contact.customer.name or state.called or "-", phone=phone)
    said = await last_messages.lines(ctx, contact, state.heard)
    return message(head, block([who, *booking, *about]), *([block(said)] if said else []), options=options(contact.id))


async def _booking_line(ctx: Context, booking_id: int | None) -> list[Say]:
    booking = await ctx.session.get(Booking, booking_id) if booking_id else None
    if booking is None:
        return []
    return [
        say(
            "staff.person.booking",
            code=booking.code,
            car=f"{booking.car_brand} {booking.car_model} {booking.car_year}",
            at=ctx.shop.local(booking.starts_at),
            status=say(f"status.{booking.status}"),
            payment=say(f"payment.{booking.payment_status}"),
            paid=booking.paid_amount,
            total=booking.total_price,
        )
    ]


async def _fitting_booking(turn: Turn, reason: CallReason) -> Booking | None:
    """The booking that the customer most likely speaks of."""
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=LATEST)
    live = sorted((each for each in own if each.status in _LIVE), key=lambda each: each.starts_at)
    done = [each for each in own if each.status in (BookingStatus.COMPLETED, BookingStatus.IN_PROGRESS)]
    unpaid = [each for each in live if each.payment_status is not PaymentStatus.PAID]
    first = {CallReason.PROOF: unpaid} | dict.fromkeys(_DONE_FIRST, done)
    return next(iter([*first.get(reason, []), *live, *own]), None)


def _keys(heard: Iterable[Heard]) -> list[str]:
    return list(dict.fromkeys(key for each in heard for key in each.media))


def _address(contact: Contact) -> str:
    return f"{contact.channel} {contact.address.removeprefix('whatsapp:')}"


# --- what the customer is told -----------------------------------------------------------------


async def _told(turn: Turn, admins: Collection[tuple[str, str]]) -> Say:
    if not admins:
        return say("person.by_phone", contact=turn.shop.contact)
    opens = turn.shop.local(await open_from(turn.ctx, turn.now))
    return _promise(opens, turn.local_now)


def _promise(opens: datetime, now: datetime) -> Say:
    hour = f"{opens.hour}" if not opens.minute else f"{opens.hour}.{opens.minute:02}"
    if opens <= now:
        return say("person.soon")
    if opens.date() == now.date():
        return say("person.today", hour=hour)
    if opens.date() == now.date() + timedelta(days=1):
        return say("person.tomorrow", hour=hour)
    return say("person.on_day", day=opens.date(), hour=hour)
