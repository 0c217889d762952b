"""Customers who sign in on the web: one for each Clerk user.

A web customer and a chat are merged only once the chat confirms that they are the same person (`join`): anybody
can enter any phone number on the web, but only its owner gets the question in their chat, at most once a week and in
the shop's words alone. A staff member's account is nobody's claim: staff books for others (`contacts.to_book_for`).
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Booking, Contact, Customer, Outbox
from core.messaging import outbox
from core.messaging.messages import Option, message, say
from core.people import contacts
from core.refusals import NotFound

ASK_AGAIN_AFTER = timedelta(days=7)
_DAY = timedelta(days=1)


async def of_user(session: AsyncSession, clerk_user: str, *, now: datetime) -> Customer:
    """The customer of a Clerk user, made at the first booking."""
    # Held until the transaction ends: a chat that joins them now (`join`) waits for what is booked here.
    theirs = select(Customer).where(Customer.clerk_user == clerk_user).with_for_update(read=True, key_share=True)
    found = (await session.scalars(theirs)).first()
    if found is None:
        await insert_once(session, Customer, clerk_user=clerk_user, phone_proven=False, created_at=now)
        found = (await session.scalars(theirs)).one()
    return found


async def find(session: AsyncSession, clerk_user: str) -> Customer | None:
    return (await session.scalars(select(Customer).where(Customer.clerk_user == clerk_user))).first()


async def count_bookings(session: AsyncSession, customer_id: int) -> int:
    """How many bookings a customer has; see `bookings.of_customer`."""
    return await session.scalar(select(func.count()).where(Booking.customer_id == customer_id)) or 0


async def chat_of(session: AsyncSession, customer_id: int) -> Contact | None:
    """The chat in which a customer was last seen, if it can be reached."""
    reached = select(Contact).where(Contact.customer_id == customer_id, Contact.unreachable_at.is_(None))
    return (await session.scalars(reached.order_by(Contact.last_seen_at.desc()).limit(1))).first()


async def ask_whose(ctx: Context, booking: Booking) -> None:
    """Ask the chat whose proven number a web booking was made with whether it is theirs, at most once a week.

    Does nothing for a booking made in a chat or by staff. Nothing that the web customer wrote is repeated: anybody
    could have anything said to a stranger.
    """
    web = await ctx.session.get_one(Customer, booking.customer_id)
    if web.clerk_user is None or web.phone_proven or ctx.shop.is_staff(web.clerk_user):
        return
    owners = select(Customer).where(Customer.phone == booking.phone, Customer.phone_proven).order_by(Customer.id)
    owner = (await ctx.session.scalars(owners.limit(1))).first()
    if owner is None or owner.clerk_user is not None:
        return
    chat = await chat_of(ctx.session, owner.id)
    if chat is None or await _was_asked(ctx, owner):
        return
    question = message(
        say("web.is_it_you", code=booking.code, at=ctx.shop.local(booking.starts_at)),
        options=(
            Option(f"join:{booking.code}", say("option.join")),
            Option(f"stranger:{booking.code}", say("option.stranger")),
        ),
    )
    # Of two claims at once the second finds the key taken.
    await outbox.notify(ctx, chat, question, key=_asked_on(owner, ctx.now), language=chat.language)


async def _was_asked(ctx: Context, owner: Customer) -> bool:
    earlier = [_asked_on(owner, ctx.now - number * _DAY) for number in range(ASK_AGAIN_AFTER.days + 1)]
    lately = select(Outbox.id).where(Outbox.key.in_(earlier), Outbox.created_at > ctx.now - ASK_AGAIN_AFTER)
    return await ctx.session.scalar(lately.limit(1)) is not None


def _asked_on(owner: Customer, moment: datetime) -> str:
    return f"whose:{owner.id}:{moment:%Y-%m-%d}"


async def unjoined(ctx: Context, owner: Customer) -> Booking | None:
    """The newest web booking made with a customer's proven number by a Clerk user who isn't joined to them."""
    if not owner.phone_proven or owner.clerk_user is not None:
        return None
    theirs = (
        select(Booking)
        .join(Customer, Customer.id == Booking.customer_id)
        .where(Customer.phone == owner.phone, Customer.clerk_user.is_not(None), Booking.phone == owner.phone)
        .where(Customer.clerk_user.not_in(ctx.shop.staff_accounts))
    )
    return (await ctx.session.scalars(theirs.order_by(Booking.id.desc()).limit(1))).first()


async def join(ctx: Context, contact: Contact, code: str) -> None:
    """Merge the web customer of a booking into the chat's customer, who confirmed it and whose number it was made with.

    `contact` has its customer loaded. Raises `NotFound` if the booking wasn't made on the web with this number, or by a
    customer who has proven a number of their own, or by staff.
    """
    session, owner = ctx.session, contact.customer
    booking = await made_with(session, owner, code)
    if booking.customer_id == owner.id:
        return
    web = await contacts.lock(session, booking.customer_id)
    is_theirs = web.clerk_user is not None and not ctx.shop.is_staff(web.clerk_user)
    if not is_theirs or web.phone_proven or owner.clerk_user is not None:
        raise NotFound
    await contacts.merge(session, web, into=owner, contact=contact)


async def made_with(session: AsyncSession, owner: Customer, code: str) -> Booking:
    """The booking of a code if it was made with a customer's proven number; raises `NotFound`."""
    booking = await session.scalar(select(Booking).where(Booking.code == code))
    if booking is None or not owner.phone_proven or booking.phone != owner.phone:
        raise NotFound
    return booking
