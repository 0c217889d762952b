"""Parts, services and technicians as clients send and read them."""

from typing import Annotated, Literal, Self

from pydantic import Field

from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import StockStatus
from core.db.tables import Technician
from webhooks.api.models.fields import (
    Count,
    Email,
    Given,
    Id,
    IfGiven,
    Link,
    Minutes,
    Model,
    Months,
    Percent,
    Phone,
    Prose,
    Rupiah,
    Window,
    Word,
    WordList,
    Year,
    Years,
    column,
)

Category = Literal["speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other"]
ServiceCategory = Literal["installation", "repair", "upgrade", "consultation", "package", "other"]


class Change(Given):
    """Missing fields stay as they are."""

    def columns(self) -> dict[str, object]:
        """The given fields, by column name."""
        given = self.model_dump(exclude_none=True, by_alias=False)
        return {_COLUMNS.get(name, name): value for name, value in given.items()}


_COLUMNS = {"warranty": "warranty_months", "estimated_duration": "minutes", "specialization": "skills"}


# --- spareparts --------------------------------------------------------------------------------


class Vehicle(Given):
    """A car that a part fits; year: "2015-2023", "2018" or "2018-"."""

    brand: Word
    model: Word
    year: Years


class Sparepart(Model):
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
    warranty: Annotated[int, column("warranty", "warranty_months")]
    is_available: bool
    is_pre_order_only: bool


class SparepartFilter(Window):
    category: Category | None = None
    brand: Word | None = None
    search: Word | None = None
    in_stock: bool = False


class SparepartChange(Change):
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


class NewSparepart(SparepartChange):
    name: Word
    category: Category
    brand: Word
    price: Rupiah


class Stock(Model):
    sparepart_id: str
    name: str
    stock: int
    status: StockStatus
    message: str
    is_pre_order_only: bool


class Car(Given):
    brand: Word
    model: Word
    year: Year


class Compatibility(Model):
    """Whether a part fits a car; null: unknown."""

    is_compatible: bool | None
    fit: FitAnswer
    message: str
    adapter: Sparepart | None
    alternatives: list[Sparepart]


# --- services ----------------------------------------------------------------------------------


class ServiceOffer(Model):
    """A service; the duration is in minutes."""

    id: Annotated[str, Field(alias="_id")]
    name: str
    category: str
    price: int
    discount: int
    estimated_duration: Annotated[int, column("estimatedDuration", "minutes")]
    description: str
    included_items: list[str]
    is_available: bool


class ServiceFilter(Window):
    category: ServiceCategory | None = None
    search: Word | None = None
    available: bool | None = None


class ServiceChange(Change):
    name: Word | None = None
    category: ServiceCategory | None = None
    price: Rupiah | None = None
    discount: Percent | None = None
    estimated_duration: Minutes | None = None
    description: Prose | None = None
    included_items: WordList | None = None
    is_available: bool | None = None


class NewService(ServiceChange):
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
        """The rating is the average of the stars, 0 before the first."""
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
    available: bool | None = None
    specialization: Word | None = None


class WorkerChange(Change):
    name: Word | None = None
    specialization: WordList | None = None
    phone: Phone | None = None
    email: IfGiven[Email] = None
    photo_url: IfGiven[Link] = None
    is_available: bool | None = None


class Reassignment(Given):
    """Who gets the jobs of a technician who leaves: a technician's id, or `any`."""

    reassign: IfGiven[Id] = None


class NewWorker(WorkerChange):
    name: Word
