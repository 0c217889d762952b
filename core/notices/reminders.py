"""Reminders a day and two hours before a booking, which also ask for the rest of the money."""

from datetime import timedelta

from core.context import Context
from core.db.tables import Booking
from core.messaging import outbox
from core.messaging.messages import Message, Option, Say, say
from core.notices.cards import place
from core.notices.tell import tell
from core.states import BookingStatus, Location, PaymentMethod

_DAY, _HOURS = timedelta(hours=24), timedelta(hours=2)


async def schedule(ctx: Context, booking: Booking) -> None:
    """Write the reminders whose time is still to come, in place of those written before; none for what is impossible.

    To be called whenever the time or the money changes.
    """
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        return
    await outbox.drop(ctx.session, booking.id, after=ctx.now)
    if booking.impossible_since is not None:
        return
    starts, onsite = booking.starts_at, booking.location is Location.ONSITE
    where = say("notice.reminder_onsite" if onsite else "notice.reminder_workshop", place=place(booking, ctx.shop))
    rest, options = _rest(booking)
    for name, before, until, text in (
        ("24h", _DAY, starts - _HOURS, "notice.reminder_day"),
        ("2h", _HOURS, starts, "notice.reminder_hours"),
    ):
        if starts - before <= ctx.now:
            continue
        head = say(text, name=booking.name, code=booking.code, at=ctx.shop.local(starts))
        await tell(
            ctx,
            booking,
            f"reminder:{booking.code}:{name}:{starts.isoformat()}",
            chat=Message((head, where, *rest), options),
            kind="reminder",
            due_at=starts - before,
            until=until,
        )


def _rest(booking: Booking) -> tuple[tuple[Say, ...], tuple[Option, ...]]:
    """What remains to be paid, in words and as a button; cash has no button."""
    if not booking.left_to_pay:
        return (), ()
    if booking.payment_method is PaymentMethod.COD:
        return (say("notice.reminder_cash", remaining=booking.remaining),), ()
    pay = Option(f"pay:{booking.code}", say("option.pay", amount=booking.remaining))
    return (say("notice.reminder_rest", remaining=booking.remaining),), (pay,)
