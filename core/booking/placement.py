"""Placing a booking, for chat and REST; taking a waitlist offer ends in the same way."""

from dataclasses import replace

from core import payment
from core.context import Context
from core.db.tables import Booking, Customer
from core.notices import booking_notices
from core.people import contacts, web_customers
from core.schedule import bookings, obstacles
from core.schedule.orders import BookingRequest
from core.states import Actor, BookingStatus, PaymentMethod


async def place(ctx: Context, request: BookingRequest, *, ask_for_payment: bool) -> Booking:
    """Store the customer's details, hold what the order takes, ask for the money and send the notices.

    Staff books past the limits that are made for customers, but never past what the shop can do.
    `ask_for_payment`: send a payment link at once (a web client asks for it later). Raises most kinds of `Refusal`.
    """
    if request.is_by_staff:
        ctx = replace(ctx, shop=ctx.shop.for_staff())
    await remember_customer(ctx, request)
    booking = await bookings.book(ctx, request)
    await announce(ctx, booking, ask_for_payment=ask_for_payment)
    await web_customers.ask_whose(ctx, booking)
    return booking


async def remember_customer(ctx: Context, request: BookingRequest) -> None:
    """Store an order's name, phone and e-mail for the customer's next one; staff changes no name that they gave."""
    customer = await ctx.session.get_one(Customer, request.customer_id)
    order, kept = request.order, customer.name if request.is_by_staff else None
    contacts.update_details(customer, name=kept or order.name, phone=order.phone, email=order.email)
    # Lock the customer before the schedule, as a chat's turn does: their chat and web orders can't deadlock.
    await ctx.session.flush()


async def announce(ctx: Context, booking: Booking, *, ask_for_payment: bool) -> None:
    """Ask for the money, unless it is paid in cash, and send the notices of a new booking.

    A booking that costs nothing is confirmed.
    """
    if not booking.total_price:
        await confirm_free(ctx, booking)
    elif ask_for_payment and booking.payment_method is not PaymentMethod.COD:
        await payment.request(ctx, booking, percent=booking.down_payment_percent)
    await booking_notices.booked(ctx, booking)


async def confirm_free(ctx: Context, booking: Booking) -> None:
    """Confirm a booking that costs nothing, new or locked; nothing happens where that is done.

    Raises `InvalidTransition` (cancelled), what makes it impossible, and what `bookings.hold_again` does.
    """
    if booking.status in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED):
        return
    if not booking.holding:
        await bookings.hold_again(ctx, booking)
    elif impossible := await obstacles.of_booking(ctx, booking):
        raise impossible
    bookings.confirm(ctx, booking, actor=Actor.SYSTEM)
    await payment.update_totals(ctx.session, booking)
    await booking_notices.free(ctx, booking)
