"""Payment links: the worker's side of a request. It makes the link, closes a withdrawn one, or polls an open one."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.context import Context
from core.db import leases
from core.db.tables import Booking, PaymentRequest
from core.messaging.backoff import retry_at
from core.messaging.messages import say
from core.notices import payment_notices
from core.notices.tell import alert_admins
from core.payment.payment_requests import add_request
from core.payment.totals import OPEN_STATES, lock_booking
from core.schedule import bookings
from core.states import Actor, BookingStatus, EventKind, RequestState

POLL_INTERVAL = timedelta(minutes=10)
"""How often to ask for the status of an open link, in case a notification was lost."""


class ClaimedRequest(NamedTuple):
    """The booking's lines are loaded."""

    request: PaymentRequest
    booking: Booking


async def claim_requests(session: AsyncSession, *, now: datetime, limit: int) -> list[ClaimedRequest]:
    """Claim the requests that are due for `leases.LEASE`."""
    requests = (await leases.claim(session, _CLAIM, now=now, limit=limit)).all()
    if not requests:
        return []
    claimed = select(Booking).where(Booking.id.in_([each.booking_id for each in requests]))
    by_id = {each.id: each for each in await session.scalars(claimed.options(selectinload(Booking.lines)))}
    return [ClaimedRequest(each, by_id[each.booking_id]) for each in requests]


async def link_made(ctx: Context, order_id: str, *, token: str, url: str) -> None:
    """Send the customer a new link; or have it closed, where the request was withdrawn meanwhile.

    Where two workers made a link, Midtrans has ended the first one, so the second is sent too.
    """
    made, booking = await lock_request(ctx.session, order_id)
    before = made.url
    made.token, made.url, made.attempts, made.error = token, url, 0, None
    if booking.status is BookingStatus.CANCELLED and made.state in OPEN_STATES:
        made.state = RequestState.CANCELLED
    if made.state is RequestState.CANCELLED:
        made.due_at = ctx.now
    if made.state not in OPEN_STATES or url == before:
        return
    made.state, made.due_at = RequestState.OPEN, next_status_call(made, ctx.now)
    bookings.record_event(ctx, booking, EventKind.LINK_SENT, actor=Actor.SYSTEM, order_id=order_id)
    again = f":{token}" if before else ""
    await payment_notices.pay_here(ctx, booking, made, url=url, key=f"link:{order_id}{again}")


async def link_failed(
    ctx: Context, order_id: str, *, reason: str, refused: bool, jitter: float, after: timedelta | None = None
) -> None:
    """Retry a link later; the hold stays, the customer is told once.

    `refused`: Midtrans answered with a refusal, so the admins are told too.
    """
    wanted, booking = await lock_request(ctx.session, order_id)
    if wanted.state is not RequestState.WANTED:
        _stop_if_withdrawn(wanted)
        return
    wanted.attempts += 1
    wanted.error = reason
    wanted.due_at = min(retry_at(wanted.attempts, ctx.now, jitter=jitter, after=after), max(wanted.expires_at, ctx.now))
    await payment_notices.link_late(ctx, booking, wanted)
    if refused:
        what = say("staff.link_refused", order_id=order_id, reason=reason)
        await alert_admins(ctx, booking, f"link-refused:{order_id}", what)


async def use_next_order_id(ctx: Context, order_id: str) -> None:
    """Replace a request whose order_id Midtrans has seen before (the database was restored from a backup)."""
    used, booking = await lock_request(ctx.session, order_id)
    if used.state is not RequestState.WANTED:
        _stop_if_withdrawn(used)
        return
    used.state, used.due_at, used.error = RequestState.CANCELLED, None, "order_id already used"
    await add_request(ctx, booking, used.purpose, used.amount, used.channels, expires_at=used.expires_at)


async def link_closed(session: AsyncSession, order_id: str) -> None:
    """Record that the link of a withdrawn request is closed."""
    await session.execute(update(PaymentRequest).where(PaymentRequest.order_id == order_id).values(due_at=None))


async def retry_request(
    session: AsyncSession, order_id: str, *, reason: str, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Retry later what Midtrans didn't answer: closing a link, or a status call."""
    asked = await session.get_one(PaymentRequest, order_id)
    asked.attempts += 1
    asked.error = reason
    asked.due_at = retry_at(asked.attempts, now, jitter=jitter, after=after)


def next_status_call(request: PaymentRequest, now: datetime) -> datetime:
    return min(request.expires_at, now + POLL_INTERVAL)


async def lock_request(session: AsyncSession, order_id: str) -> tuple[PaymentRequest, Booking]:
    """A request and its booking as they are now: it may have been withdrawn during the call to Midtrans."""
    request = await session.get_one(PaymentRequest, order_id)
    booking = await lock_booking(session, request.booking_id)
    await session.refresh(request)
    return request, booking


def _stop_if_withdrawn(request: PaymentRequest) -> None:
    """Without a link there is nothing to close."""
    if request.state is RequestState.CANCELLED and request.token is None:
        request.due_at = None


_CLAIM = leases.claim_statement(PaymentRequest.order_id, PaymentRequest.due_at, error=None).returning(PaymentRequest)
