"""Bookings that can't be done as booked any more (`core.schedule.obstacles`), until each is settled.

    possible ── review finds an obstacle ──> impossible ──> moved, cancelled, kept, or the obstacle is gone

While it is impossible its payment links are closed, no reminder invites, its customer may move or cancel it freely,
and the admins are reminded once a day. Money that comes by a link that was open is late money (`payment.slot_lost`).

Whatever changes the calendar or the catalogue calls `review`; the server does so too at its start and every minute,
for what changed elsewhere (settings, imported files).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from core import payment
from core.booking.rescheduling import reschedule
from core.context import Context
from core.db.tables import Booking
from core.messaging import outbox
from core.messaging.messages import Option, message, say
from core.notices import reminders
from core.notices.cards import block
from core.notices.tell import tell, tell_admins
from core.refusals import InvalidTransition, Refusal
from core.schedule import bookings, obstacles
from core.schedule.availability import DAYS_AROUND, nearest_free
from core.schedule.obstacles import NOT_BEGUN
from core.states import BookingStatus, EventKind, PaymentMethod

MOST_LISTED = 30
"""How many bookings one notice names."""
_KNOWN = (Booking.impossible_since.is_not(None), Booking.holding, Booking.status.in_(NOT_BEGUN))


async def review(ctx: Context) -> list[Booking]:
    """Find the bookings that have become impossible, and those that are possible again, and do what follows.

    Returns the ones that have become impossible; the admins are told of them.
    """
    why, known = await obstacles.of_upcoming(ctx), await _known_ids(ctx)
    begun = [await _begin(ctx, booking_id, why[booking_id]) for booking_id in sorted(why.keys() - known)]
    found = [booking for booking in begun if booking is not None]
    for booking_id in sorted(known - why.keys()):
        await _end(ctx, booking_id)
    if found:
        key = f"impossible:{found[0].code}:{ctx.now.isoformat()}"
        await _tell_admins(ctx, key, "impossible.found", {booking: why[booking.id] for booking in found})
    return found


async def has_news(ctx: Context) -> bool:
    """Whether `review` would change anything."""
    return (await obstacles.of_upcoming(ctx)).keys() != await _known_ids(ctx)


async def impossible_bookings(ctx: Context) -> dict[Booking, Refusal]:
    """The bookings that wait to be settled, with what stands against them, by their start."""
    found = await ctx.session.scalars(bookings.select_bookings().where(*_KNOWN).order_by(Booking.starts_at, Booking.id))
    listed = found.all()
    why = await obstacles.of_upcoming(ctx) if listed else {}
    return {booking: why[booking.id] for booking in listed if booking.id in why}


async def remind_of_impossible(ctx: Context) -> None:
    """Remind the admins of what is still to be settled: once a day, from the day after they were told."""
    if not ctx.shop.is_contact_time(ctx.now):
        return
    today = ctx.shop.local(ctx.now).date()
    open_ones = await impossible_bookings(ctx) if await _known_ids(ctx) else {}
    old = {
        booking: why
        for booking, why in open_ones.items()
        if booking.impossible_since and ctx.shop.local(booking.impossible_since).date() < today
    }
    if old:
        await _tell_admins(ctx, f"impossible-still:{today}", "impossible.still", old)


async def move_to_nearest(ctx: Context, booking: Booking, *, actor: str) -> bool:
    """Move a booking to the nearest free start, with its technician if possible; False when there is none."""
    for technician_id in dict.fromkeys((booking.technician_id, None)):
        for weeks in range(0, 8, 2):
            around = booking.starts_at + timedelta(days=weeks * DAYS_AROUND)
            near = await nearest_free(ctx, around, booking.minutes, technician_id=technician_id, moving=booking.id)
            for starts_at in sorted(near, key=lambda start: abs(start - around)):
                if await _move(ctx, booking, technician_id, starts_at, actor=actor):
                    return True
    return False


async def keep(ctx: Context, booking: Booking, *, actor: str) -> None:
    """Staff will do it in spite of all that stands against it now. Raises `InvalidTransition` once it is over."""
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.status in (BookingStatus.COMPLETED, BookingStatus.CANCELLED):
        raise InvalidTransition(now=booking.status, then=booking.status)
    while (why := await obstacles.of_booking(ctx, booking)) is not None:
        booking.kept_despite = f"{booking.kept_despite or ''} {why.code}".strip()
        bookings.record_event(ctx, booking, EventKind.KEPT, actor=actor, why=why.code)
    await review(ctx)


async def _move(ctx: Context, booking: Booking, technician_id: str | None, starts_at: datetime, *, actor: str) -> bool:
    try:
        async with ctx.session.begin_nested():
            await reschedule(ctx, booking, starts_at, technician_id=technician_id, actor=actor)
    except Refusal:
        await ctx.session.refresh(booking)
        return False
    return True


async def _known_ids(ctx: Context) -> set[int]:
    return set(await ctx.session.scalars(select(Booking.id).where(*_KNOWN)))


async def _begin(ctx: Context, booking_id: int, why: Refusal) -> Booking | None:
    """None when another process was first, or when it was settled meanwhile."""
    booking = await payment.lock_booking(ctx.session, booking_id)
    if booking.impossible_since is not None or not booking.holding or booking.status not in NOT_BEGUN:
        return None
    booking.impossible_since = ctx.now
    await outbox.drop(ctx.session, booking.id)
    if await payment.withdraw_requests(ctx, booking):
        facts = {"code": booking.code, "name": booking.name, "at": ctx.shop.local(booking.starts_at)}
        news = message(
            say("impossible.link_closed", why=obstacles.named(why), **facts),
            options=(
                Option(f"move:{booking.code}", say("late.option.other_time")),
                Option(f"cancel:{booking.code}", say("option.cancel_this")),
            ),
        )
        await tell(ctx, booking, f"impossible:{booking.code}:{ctx.now.isoformat()}", chat=news, mail=news)
    return booking


async def _end(ctx: Context, booking_id: int) -> None:
    """It is possible again: its reminders come back, and the link that was closed."""
    booking = await payment.lock_booking(ctx.session, booking_id)
    if booking.impossible_since is None:
        return
    booking.impossible_since = None
    if booking.status is BookingStatus.CONFIRMED or booking.payment_method is PaymentMethod.COD:
        await reminders.schedule(ctx, booking)
    elif booking.hold_until is not None and booking.hold_until > ctx.now:
        await payment.request(ctx, booking, percent=booking.down_payment_percent)


async def _tell_admins(ctx: Context, key: str, head: str, listed: Mapping[Booking, Refusal]) -> None:
    lines = [
        say(
            "impossible.line",
            code=booking.code,
            at=ctx.shop.local(booking.starts_at),
            name=booking.name,
            phone=booking.phone,
            why=obstacles.named(why),
        )
        for booking, why in list(listed.items())[:MOST_LISTED]
    ]
    more = [say("impossible.more", count=len(listed) - MOST_LISTED)] if len(listed) > MOST_LISTED else []
    await tell_admins(ctx, key, message(say(head, count=len(listed)), block([*lines, *more]), say("impossible.what")))
