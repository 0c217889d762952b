"""Customers and the addresses they write from."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from core.tables import Booking, Contact, Conversation, Customer, Inbound


async def note_arrival(session: AsyncSession, channel: str, event_id: str, address: str, now: datetime) -> bool:
    """Whether this message is new; the row that says so commits with what the message causes."""
    values = {"channel": channel, "event_id": event_id, "address": address, "received_at": now}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    result = await session.execute(insert(Inbound).values(values).on_conflict_do_nothing().returning(Inbound.event_id))
    return result.first() is not None


async def meet(
    session: AsyncSession, channel: str, address: str, *, phone: str | None, language: str, now: datetime
) -> tuple[Contact, Conversation, bool]:
    """The contact at an address with its conversation, locked for this turn, and whether it is a new one.

    `phone` is a number that the channel vouches for: a customer already known by it is the same one.
    """
    known = await _find(session, channel, address)
    if known is not None:
        known[0].last_seen_at = now
        return *known, False
    try:
        async with session.begin_nested():
            customer = await _by_phone(session, phone) or Customer(phone=phone, phone_proven=bool(phone), created_at=now)
            contact = Contact(
                channel=channel, address=address, customer=customer, language=language, last_seen_at=now, created_at=now
            )
            session.add(contact)
            await session.flush()
            conversation = Conversation(contact_id=contact.id, state={}, updated_at=now)
            session.add(conversation)
            await session.flush()
    except IntegrityError:  # their first two messages came at once; the other one made the contact
        known = await _find(session, channel, address)
        if known is None:
            raise
        return *known, False
    return contact, conversation, True


async def prove_phone(session: AsyncSession, contact: Contact, phone: str) -> None:
    """Note a number that the channel vouches for; whoever is known by it takes over this contact and its bookings."""
    known = await _by_phone(session, phone)
    if known is None or known.id == contact.customer_id:
        contact.customer.phone, contact.customer.phone_proven = phone, True
        return
    await session.execute(update(Booking).where(Booking.contact_id == contact.id).values(customer_id=known.id))
    known.name, known.email = known.name or contact.customer.name, known.email or contact.customer.email
    contact.customer = known


async def _find(session: AsyncSession, channel: str, address: str) -> tuple[Contact, Conversation] | None:
    query = (
        select(Contact, Conversation)
        .join(Contact.customer)
        .join(Conversation, Conversation.contact_id == Contact.id)
        .options(contains_eager(Contact.customer))
        .where(Contact.channel == channel, Contact.address == address)
        .with_for_update(of=Conversation)
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def _by_phone(session: AsyncSession, phone: str | None) -> Customer | None:
    if phone is None:
        return None
    query = select(Customer).where(Customer.phone == phone, Customer.phone_proven).order_by(Customer.id).limit(1)
    return (await session.scalars(query)).first()
