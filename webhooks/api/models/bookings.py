"""Bookings as clients send and read them."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, AwareDatetime, Field

from core import media
from core.booking import Expanded, Order
from core.db.tables import AdditionalCost, BookingLine, Part, PaymentRequest, Service, WorkNote
from core.pricing.prices import down_payment
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus
from webhooks.api.models.catalogue import ServiceOffer, Sparepart, Worker
from webhooks.api.models.fields import (
    MOST_COUNT,
    Clock,
    Day,
    Given,
    Id,
    Model,
    NothingIsEmpty,
    OptionalEmail,
    OptionalId,
    OptionalPlate,
    OptionalProse,
    Phone,
    Prose,
    Quantity,
    Reason,
    Window,
    Word,
    Year,
)

FileLink = Callable[[str, str], str]
BookingType = Literal["sparepart_only", "service_only", "sparepart_and_service"]


# --- requests ----------------------------------------------------------------------------------


class VehicleInfo(Given):
    brand: Word
    model: Word
    year: Year
    plate_number: OptionalPlate = None


class PartWanted(Given):
    """A part and its quantity; a price sent along is ignored."""

    sparepart_id: Annotated[Id, Field(validation_alias=AliasChoices("sparepartId", "sparepart"))]
    quantity: Quantity = 1


class ServiceWanted(Given):
    service_id: Annotated[Id, Field(validation_alias=AliasChoices("serviceId", "service"))]


class NewBooking(Given):
    """A booking request; the server sets the prices."""

    customer_name: Word
    customer_phone: Phone
    customer_email: OptionalEmail = None
    vehicle_info: VehicleInfo
    booking_type: BookingType | None = None
    spareparts: Annotated[list[PartWanted], Field(max_length=50), NothingIsEmpty] = []
    services: Annotated[list[ServiceWanted], Field(max_length=50), NothingIsEmpty] = []
    scheduled_date: Day
    scheduled_time: Clock
    technician_id: OptionalId = None
    service_location: Location = Location.WORKSHOP
    onsite_address: OptionalProse = None
    payment_method: PaymentMethod

    def order(self, shop: Shop) -> Order:
        return Order(
            name=self.customer_name,
            phone=self.customer_phone,
            email=self.customer_email,
            car_brand=self.vehicle_info.brand,
            car_model=self.vehicle_info.model,
            car_year=self.vehicle_info.year,
            plate=self.vehicle_info.plate_number,
            location=self.service_location,
            address=self.onsite_address if self.service_location is Location.ONSITE else None,
            starts_at=shop.at(self.scheduled_date, self.scheduled_time),
            technician_id=self.technician_id,
            parts=tuple((line.sparepart_id, line.quantity) for line in self.spareparts),
            services=tuple(line.service_id for line in self.services),
            method=self.payment_method,
            booking_type=self.booking_type,
        )


class OwnBookings(Window):
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class BookingFilter(OwnBookings):
    """The date is the appointment's."""

    status: BookingStatus | None = None
    payment_status: PaymentStatus | None = None
    date: Day | None = None


class PaymentWanted(Given):
    """The whole remainder, or a down payment."""

    payment_type: Literal["full", "dp"]
    dp_percent: Annotated[int, Field(ge=30, le=50)] | None = None


class Cancellation(Given):
    reason: Reason = ""


class Move(Given):
    """A new time; without a technician the booking keeps its own."""

    scheduled_date: Day
    scheduled_time: Clock
    technician_id: OptionalId = None


class Assignment(Given):
    technician_id: Id


class StatusWanted(Given):
    status: BookingStatus


class NewNote(Given):
    """A technician's note, with links to photos."""

    note: Prose = ""
    photos: Annotated[list[Annotated[str, Field(max_length=media.LONGEST_LINK)]], NothingIsEmpty] = []


class NewCost(Given):
    description: Word
    amount: Annotated[int, Field(ge=-MOST_COUNT, le=10 * MOST_COUNT)]


# --- responses ---------------------------------------------------------------------------------


class VehicleShown(Model):
    brand: str
    model: str
    year: int
    plate_number: str | None


class LineBooked(Model):
    """A line of a booking at its frozen price."""

    name: str
    quantity: int
    price: int
    discount: int
    subtotal: Annotated[int, Field(validation_alias=AliasChoices("subtotal", "total"))]


class PartBooked(LineBooked):
    sparepart_id: Annotated[str, Field(validation_alias=AliasChoices("sparepartId", "part_id"))]
    sparepart: Sparepart | None = None
    """The part as it is now."""
    warranty: Annotated[int, Field(validation_alias=AliasChoices("warranty", "warranty_months"))]
    warranty_end_date: Annotated[date | None, Field(validation_alias=AliasChoices("warrantyEndDate", "warranty_until"))]

    @classmethod
    def of(cls, line: BookingLine, part: Part) -> Self:
        return cls.model_validate(line).model_copy(update={"sparepart": Sparepart.model_validate(part)})


class ServiceBooked(LineBooked):
    service_id: str
    service: ServiceOffer | None = None
    """The service as it is now."""
    estimated_duration: Annotated[int, Field(validation_alias=AliasChoices("estimatedDuration", "minutes"))]

    @classmethod
    def of(cls, line: BookingLine, service: Service) -> Self:
        return cls.model_validate(line).model_copy(update={"service": ServiceOffer.model_validate(service)})


class Note(Model):
    note: str
    photos: list[str]
    author: str
    created_at: AwareDatetime

    @classmethod
    def of(cls, note: WorkNote, shop: Shop, link: FileLink) -> Self:
        """Stored photos become signed links."""
        photos = [link("photo", photo) if media.is_key(photo) else photo for photo in note.photos]
        return cls(note=note.text, photos=photos, author=note.author, created_at=shop.local(note.at))


class Cost(Model):
    id: Annotated[str, Field(alias="_id")]
    description: str
    amount: int
    created_at: AwareDatetime

    @classmethod
    def of(cls, cost: AdditionalCost, shop: Shop) -> Self:
        at = shop.local(cost.proposed_at)
        return cls(id=str(cost.id), description=cost.description, amount=cost.amount, created_at=at)


class BookingShown(Model):
    """A booking with its lines, costs, notes and payments."""

    id: Annotated[str, Field(alias="_id")]
    user: str | None
    customer_name: str
    customer_phone: str
    customer_email: str | None
    vehicle_info: VehicleShown
    booking_type: BookingType
    spareparts: list[PartBooked]
    services: list[ServiceBooked]
    scheduled_date: date
    scheduled_time: str
    duration: int
    technician_id: str | None
    technician: Worker | None
    service_location: Location
    onsite_address: str | None
    payment_method: PaymentMethod
    booking_status: BookingStatus
    payment_status: PaymentStatus
    subtotal_spareparts: int
    subtotal_services: int
    onsite_fee: int
    additional_costs: list[Cost]
    tax_amount: int
    total_price: int
    dp_amount: int
    paid_amount: int
    remaining_payment: int
    work_notes: list[Note]
    paid_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    warranty_end_date: date | None
    invoice_url: str | None
    created_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    cancellation_reason: str | None

    @classmethod
    def of(cls, known: Expanded, *, shop: Shop, link: FileLink) -> Self:
        """Times are in the shop's zone."""
        booking = known.booking
        starts = shop.local(booking.starts_at)
        parts = [PartBooked.of(line, known.parts[line.part_id]) for line in booking.lines if line.part_id]
        services = [
            ServiceBooked.of(line, known.services[line.service_id]) for line in booking.lines if line.service_id
        ]
        both: BookingType = "sparepart_and_service"
        return cls(
            id=booking.code,
            user=known.user,
            customer_name=booking.name,
            customer_phone=booking.phone,
            customer_email=booking.email,
            vehicle_info=VehicleShown(
                brand=booking.car_brand, model=booking.car_model, year=booking.car_year, plate_number=booking.plate
            ),
            booking_type=both if parts and services else "service_only" if services else "sparepart_only",
            spareparts=parts,
            services=services,
            scheduled_date=starts.date(),
            scheduled_time=f"{starts:%H:%M}",
            duration=booking.minutes,
            technician_id=booking.technician_id,
            technician=Worker.of(booking.technician) if booking.technician else None,
            service_location=booking.location,
            onsite_address=booking.address,
            payment_method=booking.payment_method,
            booking_status=booking.status,
            payment_status=booking.payment_status,
            subtotal_spareparts=booking.subtotal_parts,
            subtotal_services=booking.subtotal_services,
            onsite_fee=booking.onsite_fee,
            additional_costs=[Cost.of(cost, shop) for cost in known.costs],
            tax_amount=booking.tax_amount,
            total_price=booking.total_price,
            dp_amount=down_payment(booking.total_price - booking.additional_costs, booking.down_payment_percent or 0),
            paid_amount=booking.paid_amount,
            remaining_payment=booking.remaining,
            work_notes=[Note.of(note, shop, link) for note in known.notes],
            paid_at=_local(booking.paid_at, shop),
            completed_at=_local(booking.completed_at, shop),
            warranty_end_date=booking.warranty_until,
            invoice_url=link("invoice", booking.code) if known.has_invoice else None,
            created_at=shop.local(booking.created_at),
            cancelled_at=_local(booking.cancelled_at, shop),
            cancellation_reason=booking.cancellation_reason,
        )


class PaymentLink(Model):
    """A payment link and its amount."""

    snap_token: str
    snap_redirect_url: str
    order_id: str
    amount: int

    @classmethod
    def of(cls, request: PaymentRequest) -> Self | None:
        """None while the request has no link."""
        if not request.token or not request.url:
            return None
        return cls(
            snap_token=request.token, snap_redirect_url=request.url, order_id=request.order_id, amount=request.amount
        )


class Figures(Model):
    """The admin's dashboard; revenue is payments less refunds."""

    total_bookings: int
    pending_bookings: int
    confirmed_bookings: int
    in_progress_bookings: int
    completed_bookings: int
    cancelled_bookings: int
    total_revenue: int


def _local(moment: datetime | None, shop: Shop) -> datetime | None:
    return shop.local(moment) if moment else None
