"""What a customer orders, what the job takes of the shop, and the booking row; nothing is held here."""

from dataclasses import dataclass
from datetime import datetime

from core.context import Context
from core.db.tables import Booking, BookingLine, Technician
from core.pricing import prices, quotes, trust
from core.pricing.prices import Line, Quote
from core.refusals import (
    AddressMissing,
    CashForServicesOnly,
    NotFound,
    OutsideHours,
    TechnicianBusy,
    TypeMismatch,
)
from core.schedule import service_area, slots
from core.schedule.occupancy import DayCapacity, day_capacity
from core.shop import Shop
from core.states import Actor, BookingStatus, Location, PaymentMethod, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a customer wants; it holds no price."""

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
    """None: any technician."""
    parts: tuple[tuple[str, int], ...] = ()
    """Part ids with their quantities."""
    services: tuple[str, ...] = ()
    """Each once; an installation is done once for each of its parts (`core.pricing.installations`)."""
    times: tuple[tuple[str, int], ...] = ()
    """Service ids with how often they are done, where the customer wants it otherwise."""
    method: PaymentMethod
    down_payment_percent: int | None = None
    booking_type: str | None = None
    """The REST client's own classification; checked, never stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """An order, the customer it is for, and where the booking is spoken of."""

    order: Order
    customer_id: int
    contact_id: int | None
    """None: the customer has no chat."""
    language: str
    code: str
    """The code of the booking that the order becomes."""
    made_by: str = Actor.CUSTOMER
    """Or the name of the staff member who books for the customer."""

    @property
    def is_by_staff(self) -> bool:
        return self.made_by != Actor.CUSTOMER


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What an order takes of the shop, free or not, and what it costs now."""

    quote: Quote
    day: DayCapacity
    technician: Technician | None


async def plan_job(ctx: Context, request: BookingRequest) -> JobPlan:
    """Check an order and price it. Raises what `bookings.book` does, except for what others have taken."""
    order = request.order
    _check_order(request, ctx.shop)
    await trust.check_payment_terms(ctx, request.customer_id, order.method, order.down_payment_percent)
    quote = await quotes.quote_for(ctx, order.parts, order.services, location=order.location, times=order.times)
    day = await day_for_job(ctx, order.starts_at, quote.minutes)
    slots.check_start(order.starts_at, ctx.now, ctx.shop)
    return JobPlan(quote, day, technician_for(day, order.technician_id, quote.skills))


async def day_for_job(ctx: Context, starts_at: datetime, minutes: int) -> DayCapacity:
    """What the day of a job has; raises `OutsideHours` where the job doesn't fit into it, also on a closed day."""
    day = await day_capacity(ctx, ctx.shop.local(starts_at).date())
    if day.closed or not slots.fits(starts_at, minutes, ctx.shop):
        raise OutsideHours
    return day


def technician_for(day: DayCapacity, technician_id: str | None, skills: frozenset[str]) -> Technician | None:
    """The technician ordered. Raises `NotFound`, `TechnicianBusy`; with None, unless anybody on duty has the skills."""
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


def booking_of(ctx: Context, request: BookingRequest, quote: Quote) -> Booking:
    """The pending booking that a request becomes, at the prices of a quote; it holds nothing yet."""
    order = request.order
    return Booking(
        code=request.code,
        customer_id=request.customer_id,
        language=request.language,
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
        ends_at=slots.ends_at(order.starts_at, quote.minutes, ctx.shop),
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
        created_at=ctx.now,
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


def _check_order(request: BookingRequest, shop: Shop) -> None:
    order = request.order
    if order.booking_type not in (None, _booking_type(order)):
        raise TypeMismatch
    if order.location is Location.ONSITE and not (order.address or order.latitude is not None):
        raise AddressMissing
    if order.location is Location.ONSITE and not request.is_by_staff:
        service_area.check(shop, address=order.address, latitude=order.latitude, longitude=order.longitude)
    if order.method is PaymentMethod.COD and order.parts and not request.is_by_staff:
        raise CashForServicesOnly
    if order.down_payment_percent is not None:
        prices.check_down_payment(order.down_payment_percent, shop)


def _booking_type(order: Order) -> str:
    if not order.services:
        return "sparepart_only"
    return "sparepart_and_service" if order.parts else "service_only"
