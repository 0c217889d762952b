"""/api/bookings for customers: book, list, pay, reschedule, cancel."""

from collections.abc import Sequence

from core import payment
from core.booking import BookingRequest, cancel, confirm_free, expand, place, reschedule
from core.context import Context
from core.db.tables import Booking
from core.messaging.messages import say
from core.people import contacts, web_customers
from core.pricing import policy, trust
from core.refusals import NotFound, PaymentUnavailable
from core.reports import overview
from core.schedule import bookings
from core.states import Actor
from webhooks.api.answers import Denied
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


@endpoint("POST", "/api/bookings", who=Who.USER, status=201, also=(404, 409))
async def create_booking(call: Call, body: NewBooking) -> BookingShown:
    """Book: the slot, technician and parts are held until the payment link expires."""
    async with call.write() as ctx:
        return await _book(ctx, call, body)


@endpoint("GET", "/api/bookings/my-bookings", who=Who.USER)
async def list_my_bookings(call: Call, query: OwnBookings) -> Page[BookingShown]:
    """The caller's own bookings, newest first."""
    async with call.read() as ctx:
        customer = await web_customers.find(ctx.session, call.user.id)
        if customer is None:
            return Page([], 0)
        found = await bookings.of_customer(ctx.session, customer.id, limit=query.limit, offset=query.offset)
        total = await web_customers.count_bookings(ctx.session, customer.id)
        return Page(await _shown(ctx, call, found), total)


@endpoint("GET", "/api/bookings", who=Who.STAFF)
async def list_bookings(call: Call, query: BookingFilter) -> Page[BookingShown]:
    """Bookings, latest appointment first; technicians see their own."""
    member = call.user.staff
    if member is None or (member.role == "technician" and member.technician is None):
        return Page([], 0)
    async with call.read() as ctx:
        found, total = await overview.find(
            ctx,
            status=query.status,
            payment_status=query.payment_status,
            day=query.date,
            search=query.search,
            technician_id=member.technician if member.role == "technician" else None,
            limit=query.limit,
            offset=query.offset,
        )
        return Page(await _shown(ctx, call, found), total)


@endpoint("GET", "/api/bookings/{id}", who=Who.USER)
async def get_booking(call: Call) -> BookingShown:
    """A booking, for its owner, its technician and admins."""
    async with call.read() as ctx:
        booking, _ = await visible(ctx, call)
        return (await _shown(ctx, call, [booking]))[0]


@endpoint("POST", "/api/bookings/{id}/payment", who=Who.USER, also=(409,))
async def pay_booking(call: Call, body: PaymentWanted) -> PaymentLink:
    """A link to pay the whole remainder or a down payment; the same link while it is valid."""
    async with call.write() as ctx:
        booking, is_owner = await visible(ctx, call)
        if not is_owner:
            raise Denied(403, "forbidden")
        if not booking.total_price:
            await confirm_free(ctx, await payment.lock_booking(ctx.session, booking.id))
            call.message = say("api.done.pay_booking.free")
            return PaymentLink(is_free=True)
        if call.api.pay_link is None:
            raise PaymentUnavailable
        share = await _share(ctx, booking, body) if body.payment_type == "dp" else None
        request = await payment.request(ctx, booking, percent=share)
    await call.commit()  # a vendor is not waited for in a transaction
    has_link = request.token and request.url
    opened = request if has_link else await call.api.pay_link(request)
    if opened is None or not (opened.token and opened.url):
        raise PaymentUnavailable
    return PaymentLink.model_validate(opened)


@endpoint("POST", "/api/bookings/{id}/cancel", who=Who.USER, also=(409,))
async def cancel_booking(call: Call, body: Cancellation) -> BookingShown:
    """Cancel: customers until the shop's deadline, admins until the work is done; starts the refund."""
    async with call.write() as ctx:
        booking, actor = await _owned_or_admin(ctx, call)
        await cancel(ctx, booking, reason=body.reason, actor=actor)
        return await again(ctx, call)


@endpoint("POST", "/api/bookings/{id}/reschedule", who=Who.USER, also=(409,))
async def reschedule_booking(call: Call, body: Move) -> BookingShown:
    """Move to another time; payments stay with the booking."""
    async with call.write() as ctx:
        booking, actor = await _owned_or_admin(ctx, call)
        starts_at = ctx.shop.at(body.scheduled_date, body.scheduled_time)
        technician = body.technician_id or booking.technician_id
        await reschedule(ctx, booking, starts_at, technician_id=technician, actor=actor)
        return await again(ctx, call)


async def visible(ctx: Context, call: Call) -> tuple[Booking, bool]:
    """The booking in the path, and whether it is the caller's own; raises `NotFound` unless the caller may see it."""
    booking = await bookings.load(ctx.session, code=call.id)
    customer, staff = await web_customers.find(ctx.session, call.user.id), call.user.staff
    is_owner = customer is not None and customer.id == booking.customer_id
    if not is_owner and not (staff and policy.may_work_on(staff, booking.technician_id)):
        raise NotFound
    return booking, is_owner


async def again(ctx: Context, call: Call, code: str | None = None) -> BookingShown:
    """A booking, by default the one in the path, reloaded after a change."""
    await ctx.session.flush()
    return (await _shown(ctx, call, [await bookings.load(ctx.session, code=code or call.id)]))[0]


async def _owned_or_admin(ctx: Context, call: Call) -> tuple[Booking, str]:
    """The booking in the path, and the name of the one who acts on it."""
    booking, is_owner = await visible(ctx, call)
    if is_owner:
        return booking, bookings.CUSTOMER
    if call.user.staff is None or not call.user.is_admin:
        raise Denied(403, "forbidden")
    return booking, call.user.staff.name


async def _book(ctx: Context, call: Call, body: NewBooking) -> BookingShown:
    """A customer books for their account, an admin for the person named, whose chat then asks for the money."""
    admin = call.user.staff if call.user.is_admin else None
    if admin is None:
        customer = await web_customers.of_user(ctx.session, call.user.id, now=call.now)
    else:
        customer = await contacts.to_book_for(ctx.session, body.customer_phone, now=call.now)
    chat = await web_customers.chat_of(ctx.session, customer.id)
    request = BookingRequest(
        order=body.order(ctx.shop),
        customer_id=customer.id,
        contact_id=chat.id if chat else None,
        language=chat.language if chat else LANGUAGE,
        code=f"BK-{call.api.fresh()[:8]}",
        made_by=admin.name if admin else Actor.CUSTOMER,
    )
    await place(ctx, request, ask_for_payment=admin is not None and chat is not None)
    return await again(ctx, call, request.code)


async def _share(ctx: Context, booking: Booking, body: PaymentWanted) -> int:
    """The down payment in percent: requested, agreed before, or the lowest that this customer may choose."""
    if chosen := body.dp_percent or booking.down_payment_percent:
        return chosen
    missed = await trust.count_no_shows(ctx.session, booking.customer_id)
    return min(policy.down_payments(missed, ctx.shop), default=0)


async def _shown(ctx: Context, call: Call, found: Sequence[Booking]) -> list[BookingShown]:
    expanded = await expand(ctx.session, found)
    return [BookingShown.of(each, shop=ctx.shop, link=call.api.file_link) for each in expanded]
