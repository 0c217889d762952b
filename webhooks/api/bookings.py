"""/api/bookings for customers: book, list, pay, reschedule, cancel."""

import re
from collections.abc import Sequence
from hashlib import sha256

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from core import idempotency, payment
from core.booking import BookingRequest, cancel, expand, place, reschedule
from core.db.tables import Booking
from core.people import web_customers
from core.pricing import policy, trust
from core.refusals import NotFound, PaymentUnavailable
from core.reports import overview
from core.schedule import bookings
from core.shop import Shop
from webhooks.api.answers import Denied
from webhooks.api.auth import User
from webhooks.api.endpoint import Call, Page, Who, endpoint
from webhooks.api.models.bookings import (
    BookingFilter,
    BookingShown,
    Cancellation,
    Move,
    NewBooking,
    OwnBookings,
    PaymentLink,
    PaymentWanted,
)

LANGUAGE = "id"
_KEY = re.compile(r"[!-~]{1,200}")
_SHOWN = TypeAdapter(BookingShown)


@endpoint("POST", "/api/bookings", who=Who.USER, status=201, also=(404, 409))
async def create_booking(call: Call, body: NewBooking) -> BookingShown:
    """Book: the slot, technician and parts are held until the payment link expires."""
    key, digest = _idempotency_key(call), sha256(await call.request.read()).hexdigest()
    async with call.api.database.write() as session:
        if key is not None:
            first = await idempotency.begin(session, owner=call.user.id, key=key, digest=digest, now=call.now)
            if first is not None:
                return _SHOWN.validate_python(first)
        booked = await _book(session, call, body)
        if key is not None:
            await idempotency.finish(session, owner=call.user.id, key=key, answer=booked.model_dump(mode="json"))
    call.api.wake()
    return booked


@endpoint("GET", "/api/bookings/my-bookings", who=Who.USER)
async def list_my_bookings(call: Call, query: OwnBookings) -> Page[BookingShown]:
    """The caller's own bookings, newest first."""
    async with call.api.database.read() as session:
        customer = await web_customers.find(session, call.user.id)
        if customer is None:
            return Page([], 0)
        found = await bookings.of_customer(session, customer.id, limit=query.limit, offset=query.offset)
        total = await web_customers.count_bookings(session, customer.id)
        return Page(await _shown(session, call, found), total)


@endpoint("GET", "/api/bookings", who=Who.STAFF)
async def list_bookings(call: Call, query: BookingFilter) -> Page[BookingShown]:
    """Bookings, latest appointment first; technicians see their own."""
    member = call.user.staff
    if member is None or (member.role == "technician" and member.technician is None):
        return Page([], 0)
    async with call.api.database.read() as session:
        found, total = await overview.find(
            call.context(session),
            status=query.status,
            payment_status=query.payment_status,
            day=query.date,
            technician_id=member.technician if member.role == "technician" else None,
            limit=query.limit,
            offset=query.offset,
        )
        return Page(await _shown(session, call, found), total)


@endpoint("GET", "/api/bookings/{id}", who=Who.USER)
async def get_booking(call: Call) -> BookingShown:
    """A booking, for its owner, its technician and admins."""
    async with call.api.database.read() as session:
        booking = await visible(session, call)
        return (await _shown(session, call, [booking]))[0]


@endpoint("POST", "/api/bookings/{id}/payment", who=Who.USER, also=(409,))
async def pay_booking(call: Call, body: PaymentWanted) -> PaymentLink:
    """A link to pay the whole remainder or a down payment; the same link while it is valid."""
    shop = call.api.shop
    if call.api.pay_link is None:
        raise PaymentUnavailable
    async with call.api.database.write() as session:
        booking = await owned(session, call)
        share = await _share(session, booking, body, shop) if body.payment_type == "dp" else None
        request = await payment.request(call.context(session), booking, percent=share)
    call.api.wake()
    link = PaymentLink.of(request)
    if link is None and (opened := await call.api.pay_link(request)) is not None:
        link = PaymentLink.of(opened)
    if link is None:
        raise PaymentUnavailable
    return link


@endpoint("POST", "/api/bookings/{id}/cancel", who=Who.USER, also=(409,))
async def cancel_booking(call: Call, body: Cancellation) -> BookingShown:
    """Cancel: customers until the shop's deadline, admins until the work is done; starts the refund."""
    async with call.api.database.write() as session:
        booking, actor = await _owned_or_admin(session, call)
        await cancel(call.context(session), booking, reason=body.reason, actor=actor)
        shown = await again(session, call)
    call.api.wake()
    return shown


@endpoint("POST", "/api/bookings/{id}/reschedule", who=Who.USER, also=(409,))
async def reschedule_booking(call: Call, body: Move) -> BookingShown:
    """Move to another time; payments stay with the booking."""
    shop = call.api.shop
    async with call.api.database.write() as session:
        booking, actor = await _owned_or_admin(session, call)
        await reschedule(
            call.context(session),
            booking,
            shop.at(body.scheduled_date, body.scheduled_time),
            technician_id=body.technician_id or booking.technician_id,
            actor=actor,
        )
        shown = await again(session, call)
    call.api.wake()
    return shown


async def visible(session: AsyncSession, call: Call) -> Booking:
    """The booking in the path, if the caller may see it; raises `NotFound`."""
    booking = await bookings.load(session, code=call.id)
    staff = call.user.staff
    if staff and policy.may_work_on(staff, booking.technician_id):
        return booking
    if await _owns(session, call.user, booking):
        return booking
    raise NotFound


async def owned(session: AsyncSession, call: Call) -> Booking:
    """The booking in the path, for its owner; raises `NotFound`, or `Denied` for staff, who may see it."""
    booking = await visible(session, call)
    if not await _owns(session, call.user, booking):
        raise Denied(403, "forbidden")
    return booking


async def again(session: AsyncSession, call: Call) -> BookingShown:
    """The booking in the path, reloaded after a change."""
    await session.flush()
    return (await _shown(session, call, [await bookings.load(session, code=call.id)]))[0]


async def _owned_or_admin(session: AsyncSession, call: Call) -> tuple[Booking, str]:
    """The booking in the path, and the name of the one who acts on it."""
    booking = await visible(session, call)
    if await _owns(session, call.user, booking):
        return booking, bookings.CUSTOMER
    if call.user.staff is None or not call.user.is_admin:
        raise Denied(403, "forbidden")
    return booking, call.user.staff.name


async def _owns(session: AsyncSession, user: User, booking: Booking) -> bool:
    customer = await web_customers.find(session, user.id)
    return customer is not None and customer.id == booking.customer_id


async def _book(session: AsyncSession, call: Call, body: NewBooking) -> BookingShown:
    api = call.api
    customer = await web_customers.of_user(session, call.user.id, now=call.now)
    chat = await web_customers.chat_of(session, customer.id)
    request = BookingRequest(
        order=body.order(api.shop),
        customer_id=customer.id,
        contact_id=chat.id if chat else None,
        language=chat.language if chat else LANGUAGE,
        code=f"BK-{api.fresh()[:8]}",
    )
    booking = await place(call.context(session), request, ask_for_payment=False)
    return (await _shown(session, call, [booking]))[0]


async def _share(session: AsyncSession, booking: Booking, body: PaymentWanted, shop: Shop) -> int:
    """The down payment in percent: requested, agreed before, or the lowest that this customer may choose."""
    if chosen := body.dp_percent or booking.down_payment_percent:
        return chosen
    missed = await trust.count_no_shows(session, booking.customer_id)
    return min(policy.down_payments(missed, shop), default=0)


async def _shown(session: AsyncSession, call: Call, found: Sequence[Booking]) -> list[BookingShown]:
    api = call.api
    return [BookingShown.of(each, shop=api.shop, link=api.file_link) for each in await expand(session, found)]


def _idempotency_key(call: Call) -> str | None:
    key = call.request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Denied(400, "bad_idempotency_key")
    return key
