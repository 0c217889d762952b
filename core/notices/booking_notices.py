"""Who is told what, and when: every message that isn't an answer in a conversation.

    the customer's chat   payment link, confirmation with invoice, receipts, failure, expiry, reminders
    the customer's mail   confirmation with invoice
    the admins' chats     new and paid bookings, whatever needs a person

All are outbox rows in the transaction of what they tell, each under a key that names its cause (`post`).
What is told about the work on the car is in `work.notices`.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from core.context import Context
from core.db.tables import Booking, Contact, Outbox, PaymentRequest, Technician
from core.messaging import outbox
from core.messaging.messages import Document, Link, Message, Option, Say, message, say
from core.money import Money
from core.notices import recipients
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod

_DAY, _HOURS = timedelta(hours=24), timedelta(hours=2)
_ONE_CALL = timedelta(minutes=10)
"""However often somebody calls for a person meanwhile, it is one call."""


async def booked(ctx: Context, booking: Booking) -> None:
    """A booking was made: the admins hear of it; who pays in cash has his confirmation at once."""
    facts = await job_facts(ctx, booking)
    await recipients.admins(
        ctx, booking, staff_card(say("staff.booked", code=booking.code), booking, facts), key=f"booked:{booking.code}"
    )
    if booking.payment_method is not PaymentMethod.COD:
        return
    reserved = say("notice.reserved", code=booking.code, name=booking.name, amount=booking.remaining)
    says = (reserved, block(facts), _see_you(booking))
    await recipients.chat(ctx, booking, Message(says), f"reserved:{booking.code}")
    await recipients.mail(ctx, booking, "notice.mail.reserved", Message(says), key=f"reserved:{booking.code}")
    await schedule_reminders(ctx, booking)


async def pay_here(ctx: Context, booking: Booking, request: PaymentRequest, *, url: str, key: str) -> None:
    """The payment link is ready: the customer gets it, with the amount and the time it ends."""
    invites, afterwards = "notice.pay_here", "notice.pay_here_after"
    if booking.status is not BookingStatus.PENDING:
        invites, afterwards = "work.pay_rest", "work.pay_rest_after"
    invitation = say(
        invites,
        code=booking.code,
        name=booking.name,
        amount=request.amount,
        method=_method(booking),
        until=ctx.shop.local(request.expires_at),
    )
    link = Link(url, say("notice.pay_button"))
    await recipients.chat(ctx, booking, message(invitation, say(afterwards), link=link), key, until=request.expires_at)


async def link_late(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """Midtrans doesn't answer: the customer is told once that the link comes by itself."""
    key = f"link-late:{request.order_id}"
    await recipients.chat(ctx, booking, message(say("notice.link_late")), key, until=request.expires_at)


async def paid(ctx: Context, booking: Booking, request: PaymentRequest, *, first: bool, paper: Document | None) -> None:
    """Money came in: confirmation and invoice, later the receipt, to the customer; the whole booking to the admins.

    `first`: it confirmed the booking, so the reminders are set too; `paper`: what the customer gets with it.
    """
    facts = await job_facts(ctx, booking)
    says = [say("notice.money_received", amount=request.amount, name=booking.name)]
    if first:
        says += [say("notice.confirmed", code=booking.code), block(facts)]
    says.append(money_left(booking))
    if first:
        says.append(_see_you(booking))
    await schedule_reminders(ctx, booking)
    key = f"paid:{request.order_id}"
    letter = Message(tuple(says), document=paper)
    await recipients.chat(ctx, booking, letter, key)
    await recipients.mail(ctx, booking, "notice.mail.confirmed" if first else "notice.mail.received", letter, key=key)
    head = say("staff.paid", code=booking.code, amount=request.amount)
    await recipients.admins(ctx, booking, staff_card(head, booking, facts), key=key)


async def payment_ended(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """A request failed or its time ran out: the customer is told once, with a way to a new link."""
    if booking.status is not BookingStatus.PENDING:
        ended = say("notice.link_expired", code=booking.code, amount=request.amount)
    elif booking.holding:
        ended = say("notice.payment_failed", code=booking.code)
    else:
        ended = say("notice.payment_expired", code=booking.code)
    again = Option(f"pay:{booking.code}", say("notice.new_link"))
    await recipients.chat(ctx, booking, message(ended, options=(again,)), f"ended:{request.order_id}")


async def reservation_ended(ctx: Context, booking: Booking) -> None:
    """A booking to be paid in cash was never confirmed, and its time has come: the customer is told."""
    told = message(say("notice.reservation_ended", code=booking.code))
    await recipients.chat(ctx, booking, told, f"reservation-ended:{booking.code}")


async def paid_after_cancel(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """Money for a cancelled booking: the customer is told that it comes back, staff to send it."""
    key = f"paid-after-cancel:{request.order_id}"
    told = message(say("notice.paid_after_cancel", amount=request.amount, code=booking.code))
    await recipients.chat(ctx, booking, told, key)
    await recipients.mail(ctx, booking, "notice.mail.news", told, key=key)
    await alert(ctx, booking, say("staff.paid_after_cancel", amount=request.amount), key=key)


async def overpaid(ctx: Context, booking: Booking, *, over: Money, key: str) -> None:
    """More came in than was asked for: the customer is told that it comes back by itself, the admins know."""
    told = message(say("notice.overpaid", code=booking.code, over=over))
    await recipients.chat(ctx, booking, told, key)
    await recipients.mail(ctx, booking, "notice.mail.news", told, key=key)
    await alert(ctx, booking, say("staff.overpaid", over=over), key=key)


async def alert(ctx: Context, booking: Booking, what: Say, *, key: str) -> None:
    """Something about a booking needs a person: every admin is told, once per key."""
    head = say("staff.alert", code=booking.code, what=what)
    customer = say("staff.line.customer", name=booking.name, phone=booking.phone)
    await recipients.admins(ctx, booking, message(head, customer), key=key)


async def needs_human(ctx: Context, contact: Contact, *, words: str, taken: int) -> None:
    """Somebody in a chat asks for a person, or wasn't understood three times: every admin hears his last words.

    Once in ten minutes, but anew after somebody has taken the conversation over: `taken` says how often that was.
    The contact's customer is loaded.
    """
    customer = contact.customer
    who = say("staff.line.customer", name=customer.name or contact.address, phone=customer.phone or contact.channel)
    told = message(
        say("staff.needs_human"),
        who,
        *([say("staff.words", words=words)] if words else []),
        options=(Option(f"take:{contact.id}", say("staff.take_over")),),
    )
    begun = ctx.now - (ctx.now - outbox.EVER) % _ONE_CALL
    key = f"human:{contact.id}:{taken}:{begun:%Y-%m-%dT%H:%M}"
    await recipients.admins(ctx, None, told, key=key, about=contact)


async def unreached(ctx: Context, row: Outbox, letter: Message, *, channels: Collection[str]) -> bool:
    """A chat can't take a message about a booking: it goes by e-mail if that is on and there is an address, else staff is asked to tell.

    False where neither is done, because it wasn't about a booking, or not for its customer's chat.
    """
    booking = await ctx.session.get(Booking, row.booking_id) if row.booking_id is not None else None
    if booking is None or row.kind == "staff" or row.channel == "email":
        return False
    if booking.email and "email" in channels:
        await recipients.mail(ctx, booking, "notice.mail.news", letter, key=row.key)
        return True
    plea = say("staff.unreached", reason=row.channel, name=booking.name, phone=booking.phone)
    told = Message((say("staff.alert", code=booking.code, what=plea), *letter.says))
    await recipients.admins(ctx, booking, told, key=f"unreached:{row.key}")
    return True


async def schedule_reminders(ctx: Context, booking: Booking) -> None:
    """Reminders a day and two hours before, as far as these moments are still to come; they ask for the rest, too.

    Said again whenever money or the time changes: those that wait are replaced.
    """
    if booking.status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        return
    await outbox.drop(ctx.session, booking.id, after=ctx.now)
    starts, place = booking.starts_at, _place(booking, ctx.shop)
    onsite = booking.location is Location.ONSITE
    where = say("notice.reminder_onsite" if onsite else "notice.reminder_workshop", place=place)
    rest, options = _rest(booking)
    for name, before, until, key in (
        ("24h", _DAY, starts - _HOURS, "notice.reminder_day"),
        ("2h", _HOURS, starts, "notice.reminder_hours"),
    ):
        if starts - before <= ctx.now:
            continue
        await recipients.chat(
            ctx,
            booking,
            Message((say(key, name=booking.name, code=booking.code, at=ctx.shop.local(starts)), where, *rest), options),
            f"reminder:{booking.code}:{name}:{starts.isoformat()}",
            kind="reminder",
            due_at=starts - before,
            until=until,
        )


def _rest(booking: Booking) -> tuple[tuple[Say, ...], tuple[Option, ...]]:
    """What remains to be paid, in words and as a button; nothing where all is paid, or cash comes with the car."""
    if not booking.remaining:
        return (), ()
    if booking.payment_method is PaymentMethod.COD:
        return (say("notice.reminder_cash", remaining=booking.remaining),), ()
    pay = Option(f"pay:{booking.code}", say("option.pay", amount=booking.remaining))
    return (say("notice.reminder_rest", remaining=booking.remaining),), (pay,)


# --- what the messages are made of ---------------------------------------------------------------


async def job_facts(ctx: Context, booking: Booking) -> list[Say]:
    """When, where, which car, who, what and for how much: a line each; `booking.lines` must be loaded."""
    technician = await ctx.session.get(Technician, booking.technician_id) if booking.technician_id else None
    onsite = booking.location is Location.ONSITE
    car = say("notice.line.car", brand=booking.car_brand, model=booking.car_model, year=booking.car_year)
    return [
        say("notice.line.when", at=ctx.shop.local(booking.starts_at)),
        say("notice.line.onsite" if onsite else "notice.line.workshop", place=_place(booking, ctx.shop)),
        car,
        *([say("notice.line.plate", plate=booking.plate)] if booking.plate else []),
        *([say("notice.line.technician", technician=technician.name)] if technician else []),
        *(say("notice.line.item", quantity=line.quantity, name=line.name) for line in booking.lines),
        say("notice.line.total", total=booking.total_price),
    ]


def staff_card(head: Say, booking: Booking, facts: Iterable[Say]) -> Message:
    """A booking with all that staff must know of it, under a headline."""
    lines = [say("staff.line.customer", name=booking.name, phone=booking.phone)]
    if booking.email:
        lines.append(say("staff.line.email", email=booking.email))
    lines += facts
    if booking.latitude is not None and booking.longitude is not None:
        lines.append(say("staff.line.pin", latitude=str(booking.latitude), longitude=str(booking.longitude)))
    lines.append(say("staff.line.method", method=_method(booking)))
    if booking.down_payment_percent:
        lines.append(say("staff.line.down_payment", percent=booking.down_payment_percent))
    if booking.paid_amount:
        lines.append(say("staff.line.paid", paid=booking.paid_amount))
    lines.append(say("staff.line.remaining", remaining=booking.remaining))
    return message(head, block(lines))


def block(lines: Iterable[Say]) -> Say:
    """Lines as one paragraph."""
    return say("notice.block", lines=list(lines))


def money_left(booking: Booking) -> Say:
    """What remains to be paid, or that nothing does."""
    if booking.remaining:
        return say("notice.remaining", remaining=booking.remaining)
    return say("notice.paid_up", code=booking.code)


def _see_you(booking: Booking) -> Say:
    return say("notice.see_you_onsite" if booking.location is Location.ONSITE else "notice.see_you")


def _method(booking: Booking) -> Say:
    return say(f"notice.method.{booking.payment_method}")


def _place(booking: Booking, shop: Shop) -> Say | str:
    if booking.location is Location.WORKSHOP:
        return f"{shop.name}, {shop.address}"
    return booking.address or say("notice.line.shared_place")
