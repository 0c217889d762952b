"""Customers and the addresses they write from."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, inspect, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from core.db.database import advisory_lock, insert_once
from core.db.personal import references
from core.db.tables import Base, Booking, Contact, Conversation, Customer, Inbound, Waiting
from core.refusals import NotFound

SEEN_PRECISION = timedelta(minutes=1)
"""Enough for WhatsApp's 24-hour window, and saves most turns a statement."""

_LOCKED = (Conversation, Contact, Customer)
"""PostgreSQL reads only the locked tables again after waiting for a lock."""

# The statements of every turn: built once.
_CONVERSATIONS = (
    select(Contact, Conversation.state)
    .join(Contact.customer)
    .join(Conversation, Conversation.contact_id == Contact.id)
    .options(contains_eager(Contact.customer))
    .with_for_update(of=_LOCKED, key_share=True)
)
_FIND = _CONVERSATIONS.where(Contact.channel == bindparam("channel"), Contact.address == bindparam("address"))
_BY_ID = _CONVERSATIONS.where(Contact.id == bindparam("contact_id"))
_LOAD_STATE = (
    select(Conversation.state)
    .join(Contact, Contact.id == Conversation.contact_id)
    .where(Contact.channel == bindparam("channel"), Contact.address == bindparam("address"))
)
_SAVE_STATE = (
    update(Conversation).where(Conversation.contact_id == bindparam("of")).execution_options(synchronize_session=False)
)


async def record_inbound(session: AsyncSession, channel: str, event_id: str, address: str, now: datetime) -> bool:
    """Record that a message came in, in its turn's transaction; False if it came in before."""
    return await insert_once(session, Inbound, channel=channel, event_id=event_id, address=address, received_at=now)


async def find_or_create(
    session: AsyncSession, channel: str, address: str, *, phone: str | None, language: str, now: datetime
) -> tuple[Contact, dict[str, Any], bool]:
    """The contact at an address, its conversation's state (both locked), and whether the contact is new.

    `phone` is a number that the channel has verified: a new contact belongs to the customer who has proven it, or
    whom staff has booked for under it.
    """
    known = await _find(session, channel, address)
    if known is not None:
        contact, state = known
        if contact.last_seen_at is None or now - contact.last_seen_at >= SEEN_PRECISION:
            contact.last_seen_at = now
        return contact, state, False
    try:
        async with session.begin_nested():
            customer = await _proven_by(session, phone) if phone else Customer(created_at=now)
            customer = customer or Customer(phone=phone, phone_proven=True, created_at=now)
            contact = Contact(
                channel=channel, address=address, customer=customer, language=language, last_seen_at=now, created_at=now
            )
            session.add(contact)
            await session.flush()
            session.add(Conversation(contact_id=contact.id, state={}, updated_at=now))
            await session.flush()
            if phone:
                await _give_chat(session, contact)
    except IntegrityError:  # two first messages at once: the other turn made the contact
        known = await _find(session, channel, address)
        if known is None:
            raise
        return *known, False
    return contact, {}, True


async def find(session: AsyncSession, channel: str, address: str) -> Contact | None:
    return await session.scalar(select(Contact).where(Contact.channel == channel, Contact.address == address))


async def lock_conversation(session: AsyncSession, contact_id: int) -> tuple[Contact, dict[str, Any]]:
    """Lock another contact and its conversation, and return the contact and the state; raises `NotFound`.

    Only a staff turn may lock a second conversation, and only a customer's, so that turns can't deadlock.
    """
    row = (await session.execute(_BY_ID, {"contact_id": contact_id})).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


async def load_state(session: AsyncSession, channel: str, address: str) -> dict[str, Any]:
    """The state of the conversation at an address, not locked; empty if there is none."""
    return await session.scalar(_LOAD_STATE, {"channel": channel, "address": address}) or {}


async def save_state(session: AsyncSession, contact: Contact, state: dict[str, Any], now: datetime) -> None:
    await session.execute(_SAVE_STATE, {"of": contact.id, "state": state, "updated_at": now})


async def prove_phone(session: AsyncSession, contact: Contact, phone: str) -> None:
    """Store a number that the channel has verified; if another customer has proven it before, merge the two.

    `contact` is the only one of its customer, who has proven no number yet.
    """
    known = await _proven_by(session, phone)
    if known is None or known.id == contact.customer_id:
        contact.customer.phone, contact.customer.phone_proven = phone, True
        return
    left = await lock(session, contact.customer_id)
    contact.customer = known
    await merge(session, left, into=known, contact=contact)
    await _give_chat(session, contact)


async def to_book_for(session: AsyncSession, phone: str | None, *, now: datetime) -> Customer:
    """The customer for whom staff books: who has proven the number, or was booked for under it before, or a new one.

    What strangers say their number is counts for nothing.
    """
    found = await _with_phone(session, phone) if phone else None
    if found is None:
        found = Customer(phone=phone, phone_proven=False, created_at=now)
        session.add(found)
        await session.flush()
    return found


def update_details(customer: Customer, *, name: str, phone: str, email: str | None) -> None:
    """Store the details that a customer gave last; a proven phone number stays."""
    customer.name, customer.email = name, email or customer.email
    if not customer.phone_proven:
        customer.phone = phone or customer.phone


async def lock(session: AsyncSession, customer_id: int) -> Customer:
    """Lock a customer, so that nobody books for them until the transaction ends; raises `NotFound`."""
    # In the order in which an offer locks.
    await session.execute(select(Waiting.id).where(Waiting.customer_id == customer_id).with_for_update())
    customer = await session.get(Customer, customer_id, with_for_update=True, populate_existing=True)
    if customer is None:
        raise NotFound
    return customer


async def merge(session: AsyncSession, left: Customer, *, into: Customer, contact: Contact) -> None:
    """Move all rows of `left`, who is locked and has no contact, to another customer, and delete `left`.

    Rows that had no chat get `contact`.
    """
    customer_id, contact_id = inspect(Customer).c.id, inspect(Contact).c.id
    for table in Base.metadata.sorted_tables:
        chats = {each: func.coalesce(each, contact.id) for each, target in references(table) if target is contact_id}
        for owner in (each for each, target in references(table) if target is customer_id):
            await session.execute(update(table).where(owner == left.id).values({owner: into.id} | chats))
    into.stopped_at = into.stopped_at or left.stopped_at
    into.name, into.email, user = into.name or left.name, into.email or left.email, into.clerk_user or left.clerk_user
    await session.delete(left)
    await session.flush()  # one Clerk user has one customer
    into.clerk_user = user


async def _give_chat(session: AsyncSession, contact: Contact) -> None:
    """What staff booked for the customer before they had a chat is now spoken of in it."""
    booked = update(Booking).where(Booking.customer_id == contact.customer_id, Booking.contact_id.is_(None))
    await session.execute(booked.values(contact_id=contact.id))


async def _find(session: AsyncSession, channel: str, address: str) -> tuple[Contact, dict[str, Any]] | None:
    row = (await session.execute(_FIND, {"channel": channel, "address": address})).first()
    return (row[0], row[1]) if row else None


async def _proven_by(session: AsyncSession, phone: str) -> Customer | None:
    """The customer with a number that a chat has just proven."""
    found = await _with_phone(session, phone)
    if found is not None:
        found.phone_proven = True
    return found


async def _with_phone(session: AsyncSession, phone: str) -> Customer | None:
    """Who has proven a number, else whom only staff has booked for under it: without a chat and a web account."""
    await advisory_lock(session, f"phone {phone}")  # a number is proven while staff books for it
    unclaimed = and_(
        Customer.clerk_user.is_(None), ~select(Contact.id).where(Contact.customer_id == Customer.id).exists()
    )
    query = select(Customer).where(Customer.phone == phone, or_(Customer.phone_proven, unclaimed))
    return (await session.scalars(query.order_by(Customer.phone_proven.desc(), Customer.id).limit(1))).first()
