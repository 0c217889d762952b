"""A paid booking that had lost its slot, and has one again."""

from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import Document, message, say
from core.notices import cards, reminders
from core.notices.tell import tell
from core.papers import invoices
from core.schedule import bookings
from core.states import Actor, BookingStatus


def has_lost_slot(booking: Booking) -> bool:
    """Whether it is paid, at least in part, and holds no slot: its customer has to choose what to do (`slot_lost`)."""
    return booking.status is BookingStatus.PENDING and booking.paid_amount > 0 and not booking.holding


async def confirm_with_slot(ctx: Context, booking: Booking) -> None:
    """Confirm it, issue its invoice, schedule its reminders, and tell everybody."""
    bookings.confirm(ctx, booking, actor=Actor.SYSTEM)
    await invoices.issue(ctx, booking)
    await reminders.schedule(ctx, booking)
    facts = await cards.job_facts(ctx, booking)
    news = message(
        say("notice.confirmed", code=booking.code),
        cards.block(facts),
        cards.money_left(booking),
        document=Document("invoice", booking.code),
    )
    card = cards.staff_card(say("staff.late.placed", code=booking.code), booking, facts)
    await tell(
        ctx,
        booking,
        f"placed:{booking.code}:{ctx.now.isoformat()}",
        chat=news,
        mail=news,
        subject="notice.mail.confirmed",
        technician=card,
        admins=card,
    )
