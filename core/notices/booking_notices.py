"""A new booking, and a reservation that ended."""

from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import message, say
from core.notices import reminders
from core.notices.cards import block, job_facts, see_you, staff_card
from core.notices.tell import tell
from core.states import BookingStatus, PaymentMethod


async def booked(ctx: Context, booking: Booking) -> None:
    """A booking was made: the admins are told; a customer who pays in cash gets the confirmation at once."""
    facts = await job_facts(ctx, booking)
    card = staff_card(say("staff.booked", code=booking.code), booking, facts)
    await tell(ctx, booking, f"booked:{booking.code}", admins=card)
    if booking.payment_method is not PaymentMethod.COD or booking.status is not BookingStatus.PENDING:
        return
    reserved = say("notice.reserved", code=booking.code, name=booking.name, amount=booking.remaining)
    news, key = message(reserved, block(facts), see_you(booking)), f"reserved:{booking.code}"
    await tell(ctx, booking, key, chat=news, mail=news, subject="notice.mail.reserved")
    await reminders.schedule(ctx, booking)


async def free(ctx: Context, booking: Booking) -> None:
    """A booking that costs nothing is confirmed."""
    facts = await job_facts(ctx, booking)
    confirmed = say("notice.confirmed", code=booking.code)
    news = message(confirmed, block(facts), see_you(booking))
    await tell(ctx, booking, f"free:{booking.code}", chat=news, mail=news, subject="notice.mail.confirmed")
    await reminders.schedule(ctx, booking)


async def reservation_ended(ctx: Context, booking: Booking) -> None:
    """A booking to be paid in cash wasn't confirmed before its time came."""
    news = message(say("notice.reservation_ended", code=booking.code))
    await tell(ctx, booking, f"reservation-ended:{booking.code}", chat=news, waited_for=False)
