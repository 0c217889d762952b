"""A conversation that an admin has taken over from the bot, until it is handed back or the admin is silent for a while.

customer ── every message ──> admin       the bot is silent
   ^────── the admin's text ────┘         "selesai" hands it back; so does time (`Shop.takeover`)

Both sides store when it ends (`State.human_until`), and a notice for each is queued for then; each message of the
admin postpones both.

Without a takeover, an answer to what an admin wrote (`State.writer`) goes to that admin as well, for half an hour or
until the customer taps a button or gives a command.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from conversations import person
from conversations.incoming import Incoming
from conversations.registry import action
from conversations.staff.jobs import menu
from conversations.state import State
from conversations.turn import Question, Turn, Who, question
from conversations.understand.answers import is_hand_back, read_command, read_done, read_yes_no
from conversations.understand.intents import Intent
from core.db.tables import Contact
from core.media import file_kind_of_key
from core.messaging import outbox
from core.messaging.messages import Document, Message, Option, Say, say
from core.notices import escalations
from core.notices.escalations import Need
from core.notices.tell import STAFF_LANGUAGE
from core.people import contacts
from core.refusals import ChatTaken, NotFound
from core.schedule import bookings
from core.states import CallReason

WITH_WRITER = timedelta(minutes=30)
"""How long a customer's answers go to the admin who wrote last."""
END_NOTICE = "takeover"
"""The kind of the notices that a takeover has ended."""
OWN_TEXTS = ("staff.answer", "staff.faq")
"""Flows in which an admin's text is meant for somebody else than the customer whose chat they have taken over."""
_HAND_BACK = Option("hand-back", say("team.option.hand_back"))


def is_on(turn: Turn) -> bool:
    """Whether this message goes to the other side: of a takeover, or to the admin who wrote to this customer."""
    if turn.may(Who.ADMIN):
        return turn.state.customer is not None and turn.state.flow not in OWN_TEXTS
    return _is_taken(turn) or _is_with_writer(turn)


def release_writer(turn: Turn) -> None:
    """A customer who taps a button or gives a command speaks to the bot again."""
    if turn.state.writer is not None and _is_for_the_bot(turn):
        turn.state.writer = turn.state.writer_until = None


@action("take", who=Who.ADMIN)
async def take(turn: Turn, whose: str) -> Question:
    """Take over the conversation of a contact (by id) or of a booking (by code); raises `NotFound`."""
    await _release(turn)
    is_contact = whose.isdecimal() and len(whose) < 10
    contact_id = int(whose) if is_contact else (await bookings.load(turn.session, code=whose)).contact_id
    if contact_id is None:
        raise NotFound
    contact, remembered = await contacts.lock_conversation(turn.session, contact_id)
    state = State.from_json(remembered, now=turn.now)
    if turn.shop.member_at(contact.channel, contact.address) is not None:
        raise NotFound
    held = turn.shop.member_at(*state.human) if state.human else None
    if held is not None:
        return await menu(turn, first=say("team.taken_already", name=held.name))
    state.human, turn.state.customer = (turn.contact.channel, turn.contact.address), contact.id
    state.taken += 1
    state.writer = state.writer_until = None
    await escalations.close(turn.ctx, contact.id, by=turn.staff.name)
    await _extend(turn, contact, state)
    await _notify(turn, contact, say("human.here", name=turn.staff.name), key="taken")
    await _schedule_end_notices(turn, contact)
    return question(say("team.taken", name=_name(contact), minutes=turn.shop.takeover_minutes), options=[_HAND_BACK])


@action("hand-back", who=Who.ADMIN)
async def hand_back(turn: Turn, _: str = "") -> Question:
    released = await _release(turn)
    return await menu(turn, first=say("team.handed_back", name=_name(released)) if released else None)


async def pass_on(turn: Turn) -> Question | None:
    """Forward the message to the other side; the bot says nothing itself."""
    if _is_with_writer(turn):
        await _to_writer(turn)
        return None
    if _is_taken(turn):
        channel, address = turn.state.human or ("", "")
        for number, message in enumerate(_copies(turn.incoming, "team.from_customer", _name(turn.contact))):
            await _send(turn, channel, address, STAFF_LANGUAGE, message, key=str(number), of=turn.contact)
        return None
    if is_hand_back(turn.incoming.text or ""):
        return await hand_back(turn)
    held = await _held(turn)
    if held is None:
        await _release(turn)
        return await menu(turn, first=say("refusal.not_found"))
    contact, state = held
    await _extend(turn, contact, state)
    for side in (contact, turn.contact):
        await outbox.postpone(
            turn.session, END_NOTICE, side.channel, side.address, due_at=turn.now + turn.shop.takeover
        )
    for number, message in enumerate(_copies(turn.incoming, "team.from_staff", turn.staff.name)):
        await _send(turn, contact.channel, contact.address, contact.language, message, key=str(number), of=contact)
    return None


async def write_to(turn: Turn, contact_id: int) -> Contact:
    """Send this admin's message to a customer as the shop's, without a takeover; raises `NotFound`, `Taken`.

    The customer's answers go to this admin for a while.
    """
    contact, remembered = await contacts.lock_conversation(turn.session, contact_id)
    state = State.from_json(remembered, now=turn.now)
    held = turn.shop.member_at(*state.human) if state.human else None
    if held is not None and held is not turn.staff:
        raise ChatTaken(name=held.name)
    for number, message in enumerate(_copies(turn.incoming, "team.from_staff", turn.staff.name)):
        await _send(turn, contact.channel, contact.address, contact.language, message, key=str(number), of=contact)
    await escalations.close(turn.ctx, contact.id, by=turn.staff.name)
    await _expect_answer(turn, contact, state)
    return contact


async def expect_answer(turn: Turn, contact_id: int) -> None:
    """A customer's next answers go to this admin, who has just written to them."""
    contact, remembered = await contacts.lock_conversation(turn.session, contact_id)
    await _expect_answer(turn, contact, State.from_json(remembered, now=turn.now))


async def _expect_answer(turn: Turn, contact: Contact, state: State) -> None:
    if state.human is None:
        state.writer = (turn.contact.channel, turn.contact.address)
        state.writer_until = turn.now + WITH_WRITER
        await contacts.save_state(turn.session, contact, state.to_json(), turn.now)


async def _to_writer(turn: Turn) -> None:
    """Forward a customer's answer; the card comes if the admin doesn't react, unless it was only a thank-you."""
    channel, address = turn.state.writer or ("", "")
    turn.state.writer_until = turn.now + WITH_WRITER
    last, name = None, person.name_of(turn.contact, turn.state)
    for number, message in enumerate(_copies(turn.incoming, "team.from_customer", name)):
        last = replace(message, options=person.options(turn.contact.id)[:2])
        await _send(turn, channel, address, STAFF_LANGUAGE, last, key=str(number), of=turn.contact)
    if last is not None and not _is_thanks(turn):
        await escalations.open_for(turn.ctx, turn.contact, Need(CallReason.REPLY), wait=WITH_WRITER)
        turn.state.waits = True


def _is_thanks(turn: Turn) -> bool:
    text = turn.incoming.text or ""
    if turn.incoming.media or turn.incoming.place:
        return False
    is_short = read_done(text) or read_yes_no(text) or not any(map(str.isalnum, text))
    return turn.understood.intent is Intent.THANKS or bool(is_short)


def _is_with_writer(turn: Turn) -> bool:
    writer = turn.state.writer
    return writer is not None and turn.shop.member_at(*writer) is not None and not _is_for_the_bot(turn)


def _is_for_the_bot(turn: Turn) -> bool:
    text = turn.incoming.text or ""
    return turn.incoming.choice is not None or text.startswith("/") or read_command(text) is not None


def _is_taken(turn: Turn) -> bool:
    """An admin who has left the staff holds no conversation."""
    return turn.state.human is not None and turn.shop.member_at(*turn.state.human) is not None


async def _release(turn: Turn) -> Contact | None:
    """End the takeover of this admin, if there is one."""
    held = await _held(turn)
    turn.state.customer = turn.state.human_until = None
    if held is None:
        return None
    contact, state = held
    state.human = state.human_until = None
    await contacts.save_state(turn.session, contact, state.to_json(), turn.now)
    await _cancel_end_notices(turn, contact)
    await _notify(turn, contact, say("human.over"), key="released")
    return contact


async def _held(turn: Turn) -> tuple[Contact, State] | None:
    """The contact and state of the conversation this admin has; None without one, or after the person was erased."""
    try:
        contact, remembered = await contacts.lock_conversation(turn.session, turn.state.customer or 0)
    except NotFound:
        return None
    state = State.from_json(remembered, now=turn.now)
    # The id alone is not enough: SQLite reuses it after an erasure.
    return (contact, state) if state.human == (turn.contact.channel, turn.contact.address) else None


async def _extend(turn: Turn, contact: Contact, state: State) -> None:
    """Extend the takeover on both sides; `state` is the customer's."""
    state.human_until = turn.state.human_until = turn.now + turn.shop.takeover
    await contacts.save_state(turn.session, contact, state.to_json(), turn.now)


async def _schedule_end_notices(turn: Turn, contact: Contact) -> None:
    """Queue the notices that both sides get if the admin is silent."""
    await _cancel_end_notices(turn, contact)
    minutes = turn.shop.takeover_minutes
    again = Option(f"take:{contact.id}", say("staff.take_over"))
    over = Message((say("team.silent", name=_name(contact), minutes=minutes),), options=(again,))
    for side, message in ((contact, Message((say("human.over"),))), (turn.contact, over)):
        await outbox.enqueue(
            turn.ctx,
            key=f"takeover:{turn.incoming.channel}:{turn.incoming.event_id}:{side.id}",
            channel=side.channel,
            address=side.address,
            language=side.language,
            message=message,
            due_at=turn.now + turn.shop.takeover,
            kind=END_NOTICE,
            about=contact.id,
        )


async def _cancel_end_notices(turn: Turn, contact: Contact) -> None:
    for side in (contact, turn.contact):
        await outbox.cancel(turn.session, END_NOTICE, side.channel, side.address)


def _copies(incoming: Incoming, key: str, name: str) -> Iterator[Message]:
    """The message as the other side gets it: text or a map link, then one message per photo."""
    text = incoming.text
    if incoming.place is not None:
        text = f"https://maps.google.com/?q={incoming.place.latitude},{incoming.place.longitude}"
    if text:
        yield Message((say(key, name=name, text=text),))
    for photo in incoming.photos:
        yield Message((say(f"{key}_photo", name=name),), document=Document("photo", photo))
    for file in incoming.files:
        kind = "voice" if file_kind_of_key(file).is_voice else "document"
        yield Message((say(f"{key}_{kind}", name=name),), document=Document("file", file))
    if len(incoming.media) > len(incoming.photos) + len(incoming.files):
        yield Message((say(f"{key}_file", name=name),))


async def _notify(turn: Turn, contact: Contact, text: Say, *, key: str) -> None:
    await _send(turn, contact.channel, contact.address, contact.language, Message((text,)), key=key, of=contact)


async def _send(
    turn: Turn, channel: str, address: str, language: str, message: Message, *, key: str, of: Contact
) -> None:
    """Send to one side of the takeover of a customer's conversation (`of`)."""
    await outbox.enqueue(
        turn.ctx,
        key=f"person:{turn.incoming.channel}:{turn.incoming.event_id}:{key}",
        channel=channel,
        address=address,
        language=language,
        message=message,
        kind="notice",
        about=of.id,
    )


def _name(contact: Contact) -> str:
    return contact.customer.name or contact.customer.phone or contact.address
