"""What a customer says on the day of the appointment, passed on to the technician, or else to the admins."""

from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Say, message, say
from core.notices import escalations
from core.notices.tell import tell
from core.schedule import bookings
from core.states import EventKind, VisitNews


async def pass_on(ctx: Context, booking: Booking, news: VisitNews, *, minutes: int | None, words: str) -> str | None:
    """Tell the booking's technician; the admins where it has none, or none who can be reached.

    `minutes`: how late, or how far away. Returns "technician" or "admins", None where nobody can be reached.
    """
    technician = ctx.shop.addresses_of(booking.technician_id) if booking.technician_id else ()
    to_technician = bool(await escalations.reachable(ctx, technician))
    if not to_technician and not await escalations.reachable_admins(ctx):
        return None
    told = "technician" if to_technician else "admins"
    card = message(_head(ctx, booking, news, minutes), say("staff.customer_words", words=words))
    key = f"visit:{booking.code}:{ctx.now.isoformat()}"
    await tell(ctx, booking, key, technician=card if to_technician else None, admins=None if to_technician else card)
    bookings.record_event(
        ctx, booking, EventKind.CUSTOMER_LATE, actor=bookings.CUSTOMER, news=news, minutes=minutes, told=told
    )
    return told


def _head(ctx: Context, booking: Booking, news: VisitNews, minutes: int | None) -> Say:
    which = {"name": booking.name, "code": booking.code, "at": ctx.shop.local(booking.starts_at)}
    if minutes is None or news is VisitNews.WHERE:
        return say(f"staff.customer_{news}", **which)
    key = "staff.customer_late_minutes" if news is VisitNews.LATE else "staff.customer_arrives_in"
    return say(key, minutes=minutes, **which)
