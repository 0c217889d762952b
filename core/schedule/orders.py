"""What a customer orders, what the job takes of the shop, and the booking row; nothing is held here."""

import sys
from dataclasses import dataclass, replace
from datetime import datetime

from core.context import Context
from core.db.tables import Booking, BookingLine, Technician
from core.pricing import prices, quotes, trust
from core.pricing.prices import Line, Quote
from core.refusals import (
    AddressMissing,
    CashForServicesOnly,
    Closed,
    InThePast,
    NobodySkilled,
    NotFound,
    TechnicianAway,
    TechnicianUnskilled,
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
    day: "JobDay"
    technician: Technician | None


@dataclass(frozen=True, slots=True)
class JobDay:
    """The day of a job that fits into it, and the time the job would take."""

    capacity: DayCapacity
    starts_at: datetime
    ends_at: datetime

    @property
    def cap(self) -> int:
        return self.capacity.cap(self.starts_at, self.ends_at)

    def technician(self, technician_id: str | None, skills: frozenset[str]) -> Technician | None:
        """The technician ordered, None for any. Raises `NotFound`, and kinds of `TechnicianBusy`."""
        able = {each.id: each for each in self.capacity.can_do(skills, self.starts_at, self.ends_at)}
        if technician_id is None:
            if self.cap and self.capacity.technicians and not able:
                raise NobodySkilled
            return None
        technician = self.capacity.technicians.get(technician_id)
        if technician is None:
            raise NotFound
        if technician_id in able:
            return technician
        away = not self.capacity.is_on_duty(technician_id, self.starts_at, self.ends_at)
        raise (TechnicianAway if away else TechnicianUnskilled)(name=technician.name)


async def plan_job(ctx: Context, request: BookingRequest) -> JobPlan:
    """Check an order and price it. Raises what `bookings.book` does, except for what others have taken."""
    order = request.order
    _check_order(request, ctx.shop)
    await trust.check_payment_terms(ctx, request.customer_id, order.method, order.down_payment_percent)
    quote = await quotes.quote_for(ctx, order.parts, order.services, location=order.location, times=order.times)
    day = await day_to_book(ctx, order.starts_at, quote.minutes)
    return JobPlan(quote, day, day.technician(order.technician_id, quote.skills))


def order_of(booking: Booking) -> Order:
    """What was ordered, as it stands now; its lines are loaded. Agreed costs and the down payment are no part of it."""
    services = [(line.service_id, line.quantity) for line in booking.lines if line.service_id]
    return Order(
        name=booking.name,
        phone=booking.phone,
        email=booking.email,
        car_brand=booking.car_brand,
        car_model=booking.car_model,
        car_year=booking.car_year,
        plate=booking.plate,
        location=booking.location,
        address=booking.address,
        latitude=booking.latitude,
        longitude=booking.longitude,
        starts_at=booking.starts_at,
        technician_id=booking.technician_id,
        parts=tuple((line.part_id, line.quantity) for line in booking.lines if line.part_id),
        services=tuple(service for service, _ in services),
        times=tuple(services),
        method=booking.payment_method,
    )


async def plan_change(ctx: Context, request: BookingRequest, booking: Booking) -> JobPlan:
    """`plan_job` for a booking that stands, at its start: what it holds already keeps its price and its length."""
    order, kept = request.order, {"charge_ppn": bool(booking.tax_base)} if booking.total_price else {}
    _check_order(request, ctx.shop)
    terms = replace(ctx, shop=ctx.shop.model_copy(update=kept))
    quote = await quotes.quote_for(terms, order.parts, order.services, location=order.location, times=order.times)
    frozen = {line.part_id or line.service_id: line for line in booking.lines}
    lines = [_at_frozen_price(line, frozen[line.id]) if line.id in frozen else line for line in quote.lines]
    quote = prices.quote(lines, location=order.location, shop=terms.shop)
    if order.starts_at <= ctx.now:
        raise InThePast
    day = await day_for_job(ctx, order.starts_at, quote.minutes)
    return JobPlan(quote, day, day.technician(order.technician_id, quote.skills))


def _at_frozen_price(line: Line, before: BookingLine) -> Line:
    minutes = before.minutes * line.quantity // before.quantity
    warranty = before.warranty_months
    return replace(line, price=before.price, discount=before.discount, minutes=minutes, warranty_months=warranty)


async def day_to_book(ctx: Context, starts_at: datetime, minutes: int) -> JobDay:
    """`day_for_job` for a new appointment; also raises `InThePast`, `TooFarAhead`, `ShortNotice`."""
    slots.check_start(starts_at, ctx.now, ctx.shop)
    day = await day_for_job(ctx, starts_at, minutes)
    slots.check_notice(starts_at, ctx.now, ctx.shop)
    return day


async def day_for_job(ctx: Context, starts_at: datetime, minutes: int) -> JobDay:
    """The day of a job; raises `Closed`, `OutsideHours`, `NotASlot` where the job doesn't fit into it."""
    date = ctx.shop.local(starts_at).date()
    capacity = await day_capacity(ctx, date)
    if capacity.closed:
        raise Closed(day=date, why=capacity.closed)
    if misfit := slots.why_misfit(starts_at, minutes, ctx.shop):
        raise misfit
    return JobDay(capacity, starts_at, slots.ends_at(starts_at, minutes, ctx.shop))


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


def rewrite(booking: Booking, order: Order, quote: Quote, shop: Shop) -> None:
    """Write a change into a booking: its goods at the prices of the quote, beside the costs agreed on; where, which car."""
    before = {line.part_id or line.service_id: line for line in booking.lines if line.part_id or line.service_id}
    costs = [line for line in booking.lines if not (line.part_id or line.service_id)]
    kept = [_rewritten(before[line.id], line) if line.id in before else _line(line) for line in quote.lines]
    booking.lines = sorted([*costs, *kept], key=lambda line: line.id or sys.maxsize)
    for name in ("car_brand", "car_model", "car_year", "plate", "location", "address", "latitude", "longitude"):
        setattr(booking, name, getattr(order, name))
    booking.minutes = quote.minutes
    booking.ends_at = slots.ends_at(booking.starts_at, quote.minutes, shop)
    booking.subtotal_parts, booking.subtotal_services = quote.subtotal_parts, quote.subtotal_services
    booking.onsite_fee = quote.onsite_fee
    price = quote.total - quote.tax_amount + booking.additional_costs
    booking.tax_base, booking.tax_amount = prices.ppn(price) if quote.tax_base else (0, 0)
    booking.total_price = price + booking.tax_amount


def _rewritten(before: BookingLine, line: Line) -> BookingLine:
    before.quantity, before.total, before.minutes = line.quantity, line.total, line.minutes
    return before


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
