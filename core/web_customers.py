"""Customers who sign in on the web: one for each Clerk user.

What they have done on the web and in a chat becomes one history only once the chat has said that both are
the same person (`join`): whoever signs in can write any number into a booking, but only its owner gets
the question in their chat.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import insert_once
from core.refusals import NotFound
from core.tables import Booking, Contact, Customer


async def of_user(session: AsyncSession, clerk_user: str, *, now: datetime) -> Customer:
    """The customer of a Clerk user, made at the first booking."""
    await insert_once(session, Customer, clerk_user=clerk_user, phone_proven=False, created_at=now)
    return (await session.scalars(select(Customer).where(Customer.clerk_user == clerk_user))).one()


async def known(session: AsyncSession, clerk_user: str) -> Customer | None:
    """The customer of a Clerk user who has booked before."""
    return (await session.scalars(select(Customer).where(Customer.clerk_user == clerk_user))).first()


async def count_bookings(session: AsyncSession, customer_id: int) -> int:
    """How many bookings a customer has; see `bookings.of_customer`."""
    return await session.scalar(select(func.count()).where(Booking.customer_id == customer_id)) or 0


async def chat_of(session: AsyncSession, customer_id: int) -> Contact | None:
    """The chat in which a customer was last seen, if it can be reached."""
    reached = select(Contact).where(Contact.customer_id == customer_id, Contact.unreachable_at.is_(None))
    return (await session.scalars(reached.order_by(Contact.last_seen_at.desc()).limit(1))).first()


async def chat_by_phone(session: AsyncSession, phone: str) -> Contact | None:
    """The chat whose owner has proven to own this number."""
    owner = select(Customer.id).where(Customer.phone == phone, Customer.phone_proven).order_by(Customer.id).limit(1)
    customer_id = await session.scalar(owner)
    return await chat_of(session, customer_id) if customer_id is not None else None


async def join(session: AsyncSession, contact: Contact, code: str) -> None:
    """A chat's owner says that a web booking made with their proven number is theirs: one customer from now on.

    `contact` has its customer loaded. Raises `NotFound` where that booking isn't one of the web's made with this number.
    """
    booking = await session.scalar(select(Booking).where(Booking.code == code))
    owner = contact.customer
    if booking is None or not owner.phone_proven or booking.phone != owner.phone:
        raise NotFound
    web = await session.get_one(Customer, booking.customer_id, with_for_update={"key_share": True})
    if web.id == owner.id:
        return
    if web.clerk_user is None or owner.clerk_user is not None:
        raise NotFound
    user, web.clerk_user = web.clerk_user, None
    await session.flush()  # one Clerk user has one customer
    owner.clerk_user = user
    moved = update(Booking).where(Booking.customer_id == web.id)
    await session.execute(moved.values(customer_id=owner.id).execution_options(synchronize_session="fetch"))
