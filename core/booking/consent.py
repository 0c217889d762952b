""" "STOP": a customer wants no messages that they didn't ask for.

Reminders, offers to the waitlist, stock alerts and requests for a rating end; what is queued is dropped. Answers, payment
links, confirmations and what concerns their money are still sent. An alert or a place in the waitlist that is asked for
later is asked for, and told.
"""

from sqlalchemy import and_, or_, select

from core.booking.waitlist import leave_waitlist, waitlist_entries
from core.catalogue import stock_alerts
from core.context import Context
from core.db.tables import Booking, Contact, Customer, Outbox
from core.messaging import outbox
from core.notices import reminders
from core.notices.tell import UNASKED
from core.states import BookingStatus, PaymentMethod

_OFFERS = ("stock-alert:", "offer:", "offer-over:", "wait-impossible:", "wait-over:")
"""Beginnings of the keys of offers and alerts."""


async def stop_messages(ctx: Context, customer: Customer) -> bool:
    """Send a customer no more reminders, offers, alerts and requests for a rating, in any of their chats.

    Returns whether they leave the waitlist.
    """
    session = ctx.session
    customer.stopped_at = customer.stopped_at or ctx.now
    waiting = await waitlist_entries(session, customer.id)
    for entry in waiting:
        await leave_waitlist(session, entry.booking_code, customer_id=customer.id)
    for contact in await session.scalars(select(Contact).where(Contact.customer_id == customer.id)):
        await stock_alerts.forget(ctx, contact)
        await outbox.drop_keys(session, contact.channel, contact.address, _OFFERS)
    queued = select(Booking.id).join(Outbox, Outbox.booking_id == Booking.id).distinct()
    of_customer = (Booking.customer_id == customer.id, Outbox.kind.in_(UNASKED), outbox.unfinished(Outbox))
    for booking_id in (await session.scalars(queued.where(*of_customer))).all():
        await outbox.drop(session, booking_id, kinds=UNASKED)
    return bool(waiting)


async def resume_messages(ctx: Context, customer: Customer) -> None:
    """Send them again, and the reminders of bookings whose time is still to come."""
    if customer.stopped_at is None:
        return
    customer.stopped_at = None
    reserved = and_(
        Booking.status == BookingStatus.PENDING, Booking.payment_method == PaymentMethod.COD, Booking.holding
    )
    coming = select(Booking).where(
        Booking.customer_id == customer.id,
        or_(Booking.status == BookingStatus.CONFIRMED, reserved),
        Booking.starts_at > ctx.now,
    )
    for booking in (await ctx.session.scalars(coming)).all():
        await reminders.schedule(ctx, booking)
