"""Parts, services and technicians as clients see and send them."""

from typing import Annotated, Literal, Self

from pydantic import Field

from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import StockStatus
from core.db.tables import Part, Service, Technician
from webhooks.api.models.fields import (
    Count,
    Given,
    Link,
    Minutes,
    Model,
    Months,
    OptionalEmail,
    OptionalLink,
    Percent,
    Phone,
    Prose,
    Rupiah,
    Window,
    Word,
    WordList,
    Year,
    Years,
)

Category = Literal["speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other"]
ServiceCategory = Literal["installation", "repair", "upgrade", "consultation", "package", "other"]


# --- spareparts --------------------------------------------------------------------------------


class Vehicle(Given):
    """A car that a part is known to fit; year: "2015-2023", "2018" or "2018-"."""

    brand: Word
    model: Word
    year: Years


class Sparepart(Model):
    """A part on offer."""

    id: Annotated[str, Field(alias="_id")]
    name: str
    category: str
    brand: str
    price: int
    discount: int
    stock: int
    low_stock_threshold: int
    description: str
    specifications: dict[str, str]
    images: list[str]
    compatible_vehicles: list[dict[str, str]]
    warranty: int
    is_available: bool
    is_pre_order_only: bool

    @classmethod
    def of(cls, part: Part) -> Self:
        """A row as clients see it."""
        return cls(
            id=part.id,
            name=part.name,
            category=part.category,
            brand=part.brand,
            price=part.price,
            discount=part.discount,
            stock=part.stock,
            low_stock_threshold=part.low_stock_threshold,
            description=part.description,
            specifications=part.specifications,
            images=part.images,
            compatible_vehicles=part.compatible_vehicles,
            warranty=part.warranty_months,
            is_available=part.is_available,
            is_pre_order_only=part.is_pre_order_only,
        )


class SparepartFilter(Window):
    """Which parts."""

    category: Category | None = None
    brand: Word | None = None
    search: Word | None = None
    in_stock: bool = False


class SparepartChange(Given):
    """What is to be different about a part; what isn't given stays."""

    name: Word | None = None
    category: Category | None = None
    brand: Word | None = None
    price: Rupiah | None = None
    discount: Percent | None = None
    stock: Count | None = None
    low_stock_threshold: Count | None = None
    description: Prose | None = None
    specifications: Annotated[dict[Word, Word], Field(max_length=50)] | None = None
    images: Annotated[list[Link], Field(max_length=10)] | None = None
    compatible_vehicles: Annotated[list[Vehicle], Field(max_length=200)] | None = None
    warranty: Months | None = None
    is_available: bool | None = None
    is_pre_order_only: bool | None = None

    def columns(self) -> dict[str, object]:
        """What is given, by the table's columns."""
        given = self.model_dump(exclude_none=True, by_alias=False)
        if self.compatible_vehicles is not None:
            given["compatible_vehicles"] = [vehicle.model_dump() for vehicle in self.compatible_vehicles]
        return _renamed(given, warranty="warranty_months")


class NewSparepart(SparepartChange):
    """A part to be put on offer."""

    name: Word
    category: Category
    brand: Word
    price: Rupiah


class Stock(Model):
    """What can be had of a part now."""

    sparepart_id: str
    name: str
    stock: int
    status: StockStatus
    message: str
    is_pre_order_only: bool


class Car(Given):
    """The car that a part is to go into."""

    brand: Word
    model: Word
    year: Year


class Compatibility(Model):
    """Whether a part fits; null: nobody here knows."""

    is_compatible: bool | None
    fit: FitAnswer
    message: str
    adapter: Sparepart | None
    alternatives: list[Sparepart]


# --- services ----------------------------------------------------------------------------------


class ServiceOffer(Model):
    """Work that the shop does; the duration in minutes."""

    id: Annotated[str, Field(alias="_id")]
    name: str
    category: str
    price: int
    discount: int
    estimated_duration: int
    description: str
    included_items: list[str]
    is_available: bool

    @classmethod
    def of(cls, service: Service) -> Self:
        """A row as clients see it."""
        return cls(
            id=service.id,
            name=service.name,
            category=service.category,
            price=service.price,
            discount=service.discount,
            estimated_duration=service.minutes,
            description=service.description,
            included_items=service.included_items,
            is_available=service.is_available,
        )


class ServiceFilter(Window):
    """Which services."""

    category: ServiceCategory | None = None
    search: Word | None = None
    available: bool | None = None


class ServiceChange(Given):
    """What is to be different about a service; what isn't given stays."""

    name: Word | None = None
    category: ServiceCategory | None = None
    price: Rupiah | None = None
    discount: Percent | None = None
    estimated_duration: Minutes | None = None
    description: Prose | None = None
    included_items: WordList | None = None
    is_available: bool | None = None

    def columns(self) -> dict[str, object]:
        """What is given, by the table's columns."""
        return _renamed(self.model_dump(exclude_none=True, by_alias=False), estimated_duration="minutes")


class NewService(ServiceChange):
    """A service to be put on offer."""

    name: Word
    category: ServiceCategory
    price: Rupiah
    estimated_duration: Minutes


# --- technicians -------------------------------------------------------------------------------


class Worker(Model):
    """A technician; phone and e-mail only for staff."""

    id: Annotated[str, Field(alias="_id")]
    name: str
    specialization: list[str]
    rating: float
    total_jobs: int
    is_available: bool
    photo_url: str | None
    phone: str | None = None
    email: str | None = None

    @classmethod
    def of(cls, technician: Technician, *, for_staff: bool = False) -> Self:
        """A row as clients see it; the rating is the average of the stars, 0 before the first."""
        count = technician.rating_count
        return cls(
            id=technician.id,
            name=technician.name,
            specialization=technician.skills,
            rating=round(technician.rating_sum / count, 1) if count else 0,
            total_jobs=technician.total_jobs,
            is_available=technician.is_available,
            photo_url=technician.photo_url,
            phone=technician.phone if for_staff else None,
            email=technician.email if for_staff else None,
        )


class WorkerFilter(Window):
    """Which technicians."""

    available: bool | None = None
    specialization: Word | None = None


class WorkerChange(Given):
    """What is to be different about a technician; what isn't given stays."""

    name: Word | None = None
    specialization: WordList | None = None
    phone: Phone | None = None
    email: OptionalEmail = None
    photo_url: OptionalLink = None
    is_available: bool | None = None

    def columns(self) -> dict[str, object]:
        """What is given, by the table's columns."""
        return _renamed(self.model_dump(exclude_none=True, by_alias=False), specialization="skills")


class NewWorker(WorkerChange):
    """A technician who begins here."""

    name: Word


def _renamed(given: dict[str, object], **names: str) -> dict[str, object]:
    return {names.get(name, name): value for name, value in given.items()}
