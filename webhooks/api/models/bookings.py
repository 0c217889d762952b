"""Bookings as clients send and read them."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BeforeValidator,
    Field,
    computed_field,
)

from core import media
from core.booking import Expanded, Order
from core.db.tables import AdditionalCost, BookingLine, Part, Service, WorkNote
from core.money import discounted
from core.pricing.prices import down_payment
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus
from webhooks.api.models.catalogue import Car, FileLink, ServiceOffer, Sparepart, Worker, shown
from webhooks.api.models.fields import (
    MOST_COUNT,
    Address,
    AsList,
    Clock,
    Day,
    Email,
    Filter,
    FromText,
    Given,
    Id,
    Model,
    Phone,
    Plate,
    Prose,
    Quantity,
    Reason,
    Window,
    Word,
    column,
)

WALK_IN = "Walk-in"
"""The name of somebody who gave none."""
BookingType = Literal["sparepart_only", "service_only", "sparepart_and_service"]


# --- requests ----------------------------------------------------------------------------------


class VehicleInfo(Car):
    plate_number: Plate | None = None


class PartWanted(Given):
    """A part and its quantity; a price sent along is ignored."""

    sparepart_id: Annotated[Id, column("sparepartId", "sparepart")]
    quantity: Quantity = 1


class ServiceWanted(Given):
    """A service; an installation is done once for each of its parts, or as often as `quantity` says."""

    quantity: Quantity | None = None
    service_id: Annotated[Id, Field(validation_alias=AliasChoices("serviceId", "service"))]


class NewBooking(Given):
    """An admin books for the person named, or, with `walkIn`, for somebody without a phone number."""

    customer_name: Word
    customer_phone: Phone | None
    customer_email: Email | None = None
    vehicle_info: VehicleInfo
    booking_type: BookingType | None = None
    spareparts: Annotated[list[PartWanted], Field(max_length=50)] = []
    services: Annotated[list[ServiceWanted], Field(max_length=50)] = []
    scheduled_date: Day
    scheduled_time: Clock
    technician_id: Id | None = None
    service_location: Location = Location.WORKSHOP
    onsite_address: Address | None = None
    payment_method: PaymentMethod
    walk_in: bool = False

    @classmethod
    def implied(cls, given: Mapping[str, object], context: Mapping[str, Any]) -> dict[str, object]:
        if given.get("walkIn") not in (True, "true") or not context.get("is_admin"):
            return {}
        unknown = {"customerName": WALK_IN, "customerPhone": None}
        return {name: value for name, value in unknown.items() if name not in given}

    def order(self, shop: Shop) -> Order:
        return Order(
            name=self.customer_name,
            phone=self.customer_phone or "",
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
            times=tuple(self._times()),
            method=self.payment_method,
            booking_type=self.booking_type,
        )

    def _times(self) -> Iterator[tuple[str, int]]:
        """How often the services are done of which a line says it; another line of such a service is once more."""
        said = {line.service_id for line in self.services if line.quantity is not None}
        for line in self.services:
            if line.service_id in said:
                yield line.service_id, 1 if line.quantity is None else line.quantity


class OwnBookings(Window):
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class BookingFilter(OwnBookings):
    """The date is the appointment's; `search` looks in name, phone, plate and code."""

    status: Filter[BookingStatus] = None
    payment_status: Filter[PaymentStatus] = None
    date: Day | None = None
    search: Word | None = None


class PaymentWanted(Given):
    payment_type: Literal["full", "dp"]
    dp_percent: Annotated[int, FromText, Field(ge=30, le=50)] | None = None


class Cancellation(Given):
    reason: Reason = ""


class Move(Given):
    """Without a technician the booking keeps its own."""

    scheduled_date: Day
    scheduled_time: Clock
    technician_id: Id | None = None


class Assignment(Given):
    technician_id: Id


class StatusWanted(Given):
    status: BookingStatus


class NewNote(Given):
    note: Prose = ""
    photos: Annotated[list[Annotated[str, Field(max_length=media.LONGEST_LINK)]], AsList] = []


class NewCost(Given):
    description: Word
    amount: Annotated[int, FromText, Field(ge=-MOST_COUNT, le=10 * MOST_COUNT)]


# --- responses ---------------------------------------------------------------------------------


class VehicleShown(Model):
    brand: Annotated[str, column("brand", "car_brand")]
    model: Annotated[str, column("model", "car_model")]
    year: Annotated[str, BeforeValidator(str), column("year", "car_year")]
    plate_number: Annotated[str | None, column("plateNumber", "plate")]


class LineBooked(Model):
    """A line of a booking as it was sold: `quantity` times `price` is its `subtotal`."""

    name: str
    quantity: int
    list_price: Annotated[int, column("listPrice", "price")]
    """Of one, before the discount (percent)."""
    discount: int
    subtotal: Annotated[int, column("subtotal", "total")]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def price(self) -> int:
        """Charged for one."""
        return discounted(self.list_price, self.discount)


class PartBooked(LineBooked):
    sparepart_id: Annotated[str, column("sparepartId", "part_id")]
    sparepart: Sparepart | None = None
    """The part as it is now."""
    warranty: Annotated[int, column("warranty", "warranty_months")]
    warranty_end_date: Annotated[date | None, column("warrantyEndDate", "warranty_until")]

    @classmethod
    def of(cls, line: BookingLine, part: Part, link: FileLink) -> Self:
        return cls.model_validate(line).model_copy(update={"sparepart": Sparepart.of(part, link)})


class ServiceBooked(LineBooked):
    service_id: str
    service: ServiceOffer | None = None
    """The service as it is now."""
    estimated_duration: Annotated[int, column("estimatedDuration", "minutes")]

    @classmethod
    def of(cls, line: BookingLine, service: Service) -> Self:
        return cls.model_validate(line).model_copy(update={"service": ServiceOffer.model_validate(service)})


class Added(Model):
    """Who added something to a booking, and when; `createdAt` is the same moment."""

    added_at: AwareDatetime
    added_by: str
    created_at: AwareDatetime


class Note(Added):
    note: str
    photos: list[str]
    author: str

    @classmethod
    def of(cls, note: WorkNote, shop: Shop, link: FileLink) -> Self:
        """Stored photos become signed links."""
        at, photos = shop.local(note.at), [shown(photo, link) for photo in note.photos]
        return cls(note=note.text, photos=photos, author=note.author, added_by=note.author, added_at=at, created_at=at)


class Cost(Added):
    id: Annotated[str, Field(alias="_id")]
    description: str
    amount: int

    @classmethod
    def of(cls, cost: AdditionalCost, shop: Shop) -> Self:
        at, by = shop.local(cost.proposed_at), cost.proposed_by
        words, amount = cost.description, cost.amount
        return cls(id=str(cost.id), description=words, amount=amount, added_by=by, added_at=at, created_at=at)


def _in_the_contract(method: PaymentMethod) -> PaymentMethod:
    """The contract has no word for a customer who chooses on Midtrans' page; "transfer" is its default."""
    return PaymentMethod.TRANSFER if method is PaymentMethod.ANY else method


class BookingColumns(Model):
    """What a booking's own row says."""

    id: Annotated[str, Field(alias="_id", validation_alias=AliasChoices("_id", "code"))]
    customer_name: Annotated[str, column("customerName", "name")]
    customer_phone: Annotated[str, column("customerPhone", "phone")]
    customer_email: Annotated[str | None, column("customerEmail", "email")]
    duration: Annotated[int, column("duration", "minutes")]
    technician_id: str | None
    service_location: Annotated[Location, column("serviceLocation", "location")]
    onsite_address: Annotated[str | None, column("onsiteAddress", "address")]
    payment_method: Annotated[PaymentMethod, BeforeValidator(_in_the_contract)]
    booking_status: Annotated[BookingStatus, column("bookingStatus", "status")]
    payment_status: PaymentStatus
    subtotal_spareparts: Annotated[int, column("subtotalSpareparts", "subtotal_parts")]
    subtotal_services: int
    onsite_fee: int
    tax_amount: int
    total_price: int
    paid_amount: int
    warranty_end_date: Annotated[date | None, column("warrantyEndDate", "warranty_until")]
    cancellation_reason: str | None


class BookingShown(BookingColumns):
    user: str | None
    vehicle_info: VehicleShown
    booking_type: BookingType
    spareparts: list[PartBooked]
    services: list[ServiceBooked]
    scheduled_date: date
    scheduled_time: str
    technician: Worker | None
    additional_costs: list[Cost]
    dp_amount: int
    remaining_payment: int
    work_notes: list[Note]
    paid_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    invoice_url: str | None
    created_at: AwareDatetime
    cancelled_at: AwareDatetime | None

    @classmethod
    def of(cls, known: Expanded, *, shop: Shop, link: FileLink) -> Self:
        """Times are in the shop's zone."""
        booking = known.booking
        starts = shop.local(booking.starts_at)
        parts = [PartBooked.of(line, known.parts[line.part_id], link) for line in booking.lines if line.part_id]
        services = [
            ServiceBooked.of(line, known.services[line.service_id]) for line in booking.lines if line.service_id
        ]
        return cls(
            **dict(BookingColumns.model_validate(booking)),
            user=known.user,
            vehicle_info=VehicleShown.model_validate(booking),
            booking_type="sparepart_only" if not services else "sparepart_and_service" if parts else "service_only",
            spareparts=parts,
            services=services,
            scheduled_date=starts.date(),
            scheduled_time=f"{starts:%H:%M}",
            technician=Worker.of(booking.technician, link) if booking.technician else None,
            additional_costs=[Cost.of(cost, shop) for cost in known.costs],
            dp_amount=down_payment(booking.total_price - booking.additional_costs, booking.down_payment_percent or 0),
            remaining_payment=booking.left_to_pay,
            work_notes=[Note.of(note, shop, link) for note in known.notes],
            paid_at=_local(booking.paid_at, shop),
            completed_at=_local(booking.completed_at, shop),
            invoice_url=link("invoice", booking.code) if known.has_invoice else None,
            created_at=shop.local(booking.created_at),
            cancelled_at=_local(booking.cancelled_at, shop),
        )


class PaymentLink(Model):
    """A payment link and its amount; where nothing is to be paid, `isFree` and no link."""

    is_free: bool = False
    snap_token: Annotated[str | None, column("snapToken", "token")] = None
    snap_redirect_url: Annotated[str | None, column("snapRedirectUrl", "url")] = None
    order_id: str | None = None
    amount: int = 0


class Figures(Model):
    """The admin's dashboard; revenue is payments less refunds."""

    total_bookings: Annotated[int, column("totalBookings", "total")]
    pending_bookings: Annotated[int, column("pendingBookings", "pending")]
    confirmed_bookings: Annotated[int, column("confirmedBookings", "confirmed")]
    in_progress_bookings: Annotated[int, column("inProgressBookings", "in_progress")]
    completed_bookings: Annotated[int, column("completedBookings", "completed")]
    cancelled_bookings: Annotated[int, column("cancelledBookings", "cancelled")]
    total_revenue: Annotated[int, column("totalRevenue", "revenue")]


def _local(moment: datetime | None, shop: Shop) -> datetime | None:
    return shop.local(moment) if moment else None
