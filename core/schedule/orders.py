"""What a customer asks for, what it needs of the shop, and the booking it becomes; nothing is taken here."""

from dataclasses import dataclass
from datetime import datetime

from core.context import Context
from core.db.tables import Booking, BookingLine, Technician
from core.pricing import prices, trust
from core.pricing.prices import Line, Quote
from core.pricing.quotes import quote_for
from core.refusals import (
    AddressMissing,
    CashForServicesOnly,
    NotFound,
    OutsideHours,
    TechnicianBusy,
    TypeMismatch,
)
from core.schedule import slots
from core.schedule.occupancy import Day, read_day
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a customer asks for; nothing in it is a price."""

    name: str
    phone: str
    email: str | None = None
    car_brand: str
    car_model: str
    car_year: int
    plate: str | None = None
    location: Location = Location.WORKSHOP
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    starts_at: datetime
    technician_id: str | None = None
    """None: anyone."""
    parts: tuple[tuple[str, int], ...] = ()
    """Part ids with their quantities."""
    services: tuple[str, ...] = ()
    method: PaymentMethod
    down_payment_percent: int | None = None
    booking_type: str | None = None
    """What the REST API's clients believe it to be; checked, never stored."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an order takes of the shop, free or not, and what it costs now."""

    quote: Quote
    cells: list[datetime]
    day: Day
    technician: Technician | None


async def needs_of(ctx: Context, order: Order, *, customer_id: int) -> Needs:
    """What booking an order would need; raises what `book` does, but for what others have already."""
    _check_order(order, ctx.shop)
    await trust.check(ctx, customer_id, order.method, order.down_payment_percent)
    quote = await quote_for(ctx, order.parts, order.services, location=order.location)
    cells, day = await place(ctx, order.starts_at, quote.minutes)
    slots.check_start(order.starts_at, ctx.now, ctx.shop)
    return Needs(quote, cells, day, technician_for(day, order.technician_id, quote.skills))


async def place(ctx: Context, starts_at: datetime, minutes: int) -> tuple[list[datetime], Day]:
    """The cells of a job and what their day has, closed days refused; raises `OutsideHours`."""
    cells = slots.spanned(starts_at, minutes, ctx.shop)
    day = await read_day(ctx, ctx.shop.local(starts_at).date())
    if day.closed:
        raise OutsideHours
    return cells, day


def technician_for(day: Day, technician_id: str | None, skills: frozenset[str]) -> Technician | None:
    """The technician asked for; for "anyone", somebody on duty must have the skills."""
    if technician_id is None:
        if day.on_duty and not day.can_do(skills):
            raise TechnicianBusy
        return None
    if technician_id not in day.listed:
        raise NotFound
    technician = day.on_duty.get(technician_id)
    if technician is None or not skills <= set(technician.skills):
        raise TechnicianBusy
    return technician


def booking_of(order: Order, quote: Quote, *, customer_id: int, language: str, now: datetime, code: str) -> Booking:
    """The pending booking that an order becomes, at the prices of a quote; it holds nothing yet."""
    return Booking(
        code=code,
        customer_id=customer_id,
        language=language,
        name=order.name,
        phone=order.phone,
        email=order.email,
        car_brand=order.car_brand,
        car_model=order.car_model,
        car_year=order.car_year,
        plate=order.plate,
        location=order.location,
        address=order.address,
        latitude=order.latitude,
        longitude=order.longitude,
        starts_at=order.starts_at,
        minutes=quote.minutes,
        status=BookingStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=order.method,
        down_payment_percent=order.down_payment_percent,
        subtotal_parts=quote.subtotal_parts,
        subtotal_services=quote.subtotal_services,
        onsite_fee=quote.onsite_fee,
        tax_base=quote.tax_base,
        tax_amount=quote.tax_amount,
        total_price=quote.total,
        paid_amount=0,
        going_back=0,
        created_at=now,
        lines=[_line(line) for line in quote.lines],
    )


def _line(line: Line) -> BookingLine:
    return BookingLine(
        part_id=line.id if line.kind == "part" else None,
        service_id=line.id if line.kind == "service" else None,
        name=line.name,
        quantity=line.quantity,
        price=line.price,
        discount=line.discount,
        total=line.total,
        minutes=line.minutes,
        warranty_months=line.warranty_months,
    )


def _check_order(order: Order, shop: Shop) -> None:
    if order.booking_type not in (None, _booking_type(order)):
        raise TypeMismatch
    if order.location is Location.ONSITE and not (order.address or order.latitude is not None):
        raise AddressMissing
    if order.method is PaymentMethod.COD and order.parts:
        raise CashForServicesOnly
    if order.down_payment_percent is not None:
        prices.check_down_payment(order.down_payment_percent, shop)


def _booking_type(order: Order) -> str:
    if not order.services:
        return "sparepart_only"
    return "sparepart_and_service" if order.parts else "service_only"
