"""Offers to the waitlist: an offer is a booking that is held for some minutes.

The worker makes each offer, and ends each entry, in a transaction of its own.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import payment
from core.booking.placement import announce
from core.booking.waitlist import WAITABLE, append, lock_entry, request_of
from core.context import Context
from core.db.tables import Booking, Contact, Waiting
from core.messaging import outbox
from core.messaging.messages import Message, Option, message, say
from core.notices import cards
from core.notices.tell import tell
from core.refusals import InvalidTransition, NotFound, Refusal
from core.schedule import bookings, holds, waitlist_priority
from core.schedule.occupancy import IS_WAITING
from core.states import BookingStatus, WaitState

BATCH = 50
"""How many entries are ended before the next offers are made."""


async def due_offers(ctx: Context) -> list[int]:
    """The ids of the entries that can be made an offer now, the earliest first; none outside the contact hours."""
    if not ctx.shop.is_contact_time(ctx.now):
        return []
    entries = await waitlist_priority.read_entries(ctx)
    return [needs.id for needs in await waitlist_priority.offerable(ctx, entries)]


async def make_offer(ctx: Context, entry_id: int) -> bool:
    """Hold what an entry waits for and tell the customer; False if it is taken again.

    An order that can't be booked for another reason leaves the waitlist, and the customer is told.
    """
    entry = await lock_entry(ctx.session, Waiting.id == entry_id)
    if entry is None or entry.state is not WaitState.WAITING:
        return False
    try:
        async with ctx.session.begin_nested():
            request = request_of(entry, code=entry.booking_code)
            booking = await bookings.book(ctx, request, waitlist_entry=entry.id)
    except WAITABLE:
        return False
    except Refusal as refusal:
        entry.state = WaitState.ENDED
        why = say(f"refusal.{refusal.code}", **refusal.params)
        notice = message(say("waiting.impossible", at=ctx.shop.local(entry.starts_at), why=why), options=(_TO_BOOK,))
        await _tell(ctx, entry, notice, key=f"wait-impossible:{entry.booking_code}")
        return True
    minutes = timedelta(minutes=ctx.shop.offer_minutes)
    until = min(ctx.shop.after_contact_time(ctx.now, minutes), booking.starts_at)
    entry.state, entry.offered_until, booking.hold_until = WaitState.OFFERED, until, until
    invitation = await _invitation(ctx, entry, booking)
    await tell(ctx, booking, f"offer:{booking.code}", chat=invitation, waited_for=False, until=until)
    return True


async def take_offer(ctx: Context, booking: Booking, *, starts_at: datetime | None = None) -> None:
    """The customer takes an offer (after its end only if it is still free), or another start instead.

    Raises `NotFound` (never offered), `InvalidTransition` (passed on, paid or confirmed), and what
    `bookings.hold_again` or `bookings.reschedule` do.
    """
    booking, entry = await _lock_undecided(ctx.session, booking, then=BookingStatus.CONFIRMED)
    if starts_at is None or (starts_at == booking.starts_at and booking.holding):
        await bookings.hold_again(ctx, booking)
    else:
        technician_id, actor = booking.technician_id, bookings.CUSTOMER
        await bookings.reschedule(ctx, booking, starts_at, technician_id=technician_id, actor=actor)
    entry.state = WaitState.TAKEN
    await announce(ctx, booking, ask_for_payment=True)


async def pass_on_offer(ctx: Context, booking: Booking) -> None:
    """The customer declines an offer: it is free for the next entry, and its payment link is closed.

    Raises `NotFound`, and `InvalidTransition` once it is taken, paid or confirmed.
    """
    booking, entry = await _lock_undecided(ctx.session, booking, then=BookingStatus.CANCELLED)
    if entry.state is WaitState.TAKEN:
        raise InvalidTransition(now=booking.status, then=BookingStatus.CANCELLED)
    entry.state = WaitState.ENDED
    await bookings.cancel(ctx, booking, reason="waiting", actor=bookings.CUSTOMER)
    await payment.withdraw_requests(ctx, booking)


async def rejoin_waitlist(ctx: Context, booking: Booking, *, code: str) -> Waiting:
    """Pass on an offer and put its order at the end of the waitlist; raises what both do."""
    await pass_on_offer(ctx, booking)
    return await append(ctx, request_of(await _lock_offered(ctx.session, booking), code=code))


# --- what ends by itself -----------------------------------------------------------------------------


async def due_ends(ctx: Context) -> list[int]:
    """The ids of the entries whose offer nobody answered, and of those whose start has come."""
    unanswered = select(Waiting.id).where(text("waiting.state = 'offered'"), Waiting.offered_until <= ctx.now)
    too_late = select(Waiting.id).where(IS_WAITING, Waiting.starts_at < ctx.shop.earliest_start(ctx.now))
    return [entry for query in (unanswered, too_late) for entry in await ctx.session.scalars(query.limit(BATCH))]


async def end_entry(ctx: Context, entry_id: int) -> None:
    """End an offer that nobody answered, or an entry whose start has come; the customer is told once."""
    entry = await ctx.session.get_one(Waiting, entry_id)
    if entry.state is WaitState.OFFERED:
        await _end_offer(ctx, entry)
    else:
        await _end_waiting(ctx, entry)


async def _end_offer(ctx: Context, entry: Waiting) -> None:
    offered = await ctx.session.scalars(select(Booking.id).where(Booking.code == entry.booking_code))
    booking = await payment.lock_booking(ctx.session, offered.one())
    entry = await _lock_offered(ctx.session, booking)
    if entry.state is not WaitState.OFFERED:  # answered just now
        return
    entry.state = WaitState.ENDED
    if booking.status is BookingStatus.CANCELLED:
        return
    if booking.paid_amount or (booking.holding and (booking.hold_until is None or booking.hold_until > ctx.now)):
        # Taken without an answer: paid, or confirmed by staff.
        entry.state = WaitState.TAKEN
        await announce(ctx, booking, ask_for_payment=False)
        return
    if not (booking.contact and booking.contact.customer.stopped_at):
        notice = message(
            say("waiting.unanswered", name=booking.name, at=ctx.shop.local(booking.starts_at)),
            options=(Option(f"wait-take:{booking.code}", say("waiting.option.still")), _TO_BOOK),
        )
        await tell(ctx, booking, f"offer-over:{booking.code}", chat=notice, waited_for=False)
    if ended := await holds.lock_ended(ctx):
        await holds.exchange(ctx, leaving=ended)


async def _end_waiting(ctx: Context, entry: Waiting) -> None:
    still = await lock_entry(ctx.session, Waiting.id == entry.id)
    if still is None or still.state is not WaitState.WAITING:  # left, or offered just now
        return
    still.state = WaitState.ENDED
    notice = message(say("waiting.over", at=ctx.shop.local(still.starts_at)), options=(_TO_BOOK,))
    await _tell(ctx, still, notice, key=f"wait-over:{still.booking_code}")


async def _lock_offered(session: AsyncSession, booking: Booking) -> Waiting:
    entry = await lock_entry(session, Waiting.booking_code == booking.code)
    if entry is None:
        raise NotFound
    return entry


async def _lock_undecided(session: AsyncSession, booking: Booking, *, then: BookingStatus) -> tuple[Booking, Waiting]:
    """An offered booking and its entry; the button may be old, so a payment or staff may have decided."""
    booking = await payment.lock_booking(session, booking.id)
    entry = await _lock_offered(session, booking)
    if booking.status is not BookingStatus.PENDING or booking.paid_amount:
        raise InvalidTransition(now=booking.status, then=then)
    return booking, entry


# --- messages --------------------------------------------------------------------------------------


async def _invitation(ctx: Context, entry: Waiting, booking: Booking) -> Message:
    was, total = entry.order["total"], booking.total_price
    until, today = ctx.shop.local(booking.hold_until or booking.starts_at), ctx.shop.local(ctx.now).date()
    return message(
        say("waiting.offer" if until.date() == today else "waiting.offer_overnight", name=booking.name, until=until),
        cards.block(await cards.job_facts(ctx, booking)),
        *([say("waiting.price_changed", was=was, total=total)] if was != total else []),
        options=(
            Option(f"wait-take:{booking.code}", say("waiting.option.take")),
            Option(f"wait-pass:{booking.code}", say("waiting.option.pass")),
        ),
    )


async def _tell(ctx: Context, entry: Waiting, notice: Message, *, key: str) -> None:
    """Write to the chat of a customer who has no booking yet."""
    if entry.contact_id is not None:
        contact = await ctx.session.get_one(Contact, entry.contact_id)
        await outbox.notify(ctx, contact, notice, key=key, language=entry.language)


_TO_BOOK = Option("book", say("option.book"))
