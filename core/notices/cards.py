"""The parts that notices are made of: a booking's facts, what is left to pay, the card that staff read."""

from collections.abc import Iterable

from core.context import Context
from core.db.tables import Booking, Technician
from core.messaging.messages import Message, Say, message, say
from core.shop import Shop
from core.states import Location, PaymentStatus


async def job_facts(ctx: Context, booking: Booking) -> list[Say]:
    """When, where, which car, who, what and for how much: a line each; `booking.lines` must be loaded."""
    technician = await ctx.session.get(Technician, booking.technician_id) if booking.technician_id else None
    onsite = booking.location is Location.ONSITE
    car = say("notice.line.car", brand=booking.car_brand, model=booking.car_model, year=booking.car_year)
    return [
        say("notice.line.when", at=ctx.shop.local(booking.starts_at)),
        say("notice.line.onsite" if onsite else "notice.line.workshop", place=place(booking, ctx.shop)),
        car,
        *([say("notice.line.plate", plate=booking.plate)] if booking.plate else []),
        *([say("notice.line.technician", technician=technician.name)] if technician else []),
        *(say("notice.line.item", quantity=line.quantity, name=line.name) for line in booking.lines),
        say("notice.line.total", total=booking.total_price),
    ]


def staff_card(head: Say, booking: Booking, facts: Iterable[Say]) -> Message:
    """All that staff must know of a booking, under a headline."""
    lines = [customer_line(booking)]
    if booking.email:
        lines.append(say("staff.line.email", email=booking.email))
    lines += facts
    if booking.latitude is not None and booking.longitude is not None:
        lines.append(say("staff.line.pin", latitude=str(booking.latitude), longitude=str(booking.longitude)))
    lines.append(say("staff.line.method", method=method(booking)))
    if booking.down_payment_percent:
        lines.append(say("staff.line.down_payment", percent=booking.down_payment_percent))
    if booking.paid_amount:
        lines.append(say("staff.line.paid", paid=booking.paid_amount))
    lines.append(say("staff.line.remaining", remaining=booking.left_to_pay))
    return message(head, block(lines))


def alert(booking: Booking, what: Say) -> Message:
    """What the admins read where something about a booking needs a person."""
    return message(say("staff.alert", code=booking.code, what=what), customer_line(booking))


def customer_line(booking: Booking) -> Say:
    return say("staff.line.customer", name=booking.name, phone=booking.phone or "-")


def block(lines: Iterable[Say]) -> Say:
    """Lines as one paragraph."""
    return say("notice.block", lines=list(lines))


def money_left(booking: Booking) -> Say:
    """What remains to be paid, that nothing does, or that the money was refunded."""
    if booking.payment_status is PaymentStatus.REFUNDED:
        return say("notice.went_back", code=booking.code)
    if booking.remaining:
        return say("notice.remaining", remaining=booking.remaining)
    return say("notice.paid_up", code=booking.code)


def see_you(booking: Booking) -> Say:
    return say("notice.see_you_onsite" if booking.location is Location.ONSITE else "notice.see_you")


def method(booking: Booking) -> Say:
    return say(f"notice.method.{booking.payment_method}")


def place(booking: Booking, shop: Shop) -> Say | str:
    if booking.location is Location.WORKSHOP:
        return f"{shop.name}, {shop.address}"
    return booking.address or say("notice.line.shared_place")
