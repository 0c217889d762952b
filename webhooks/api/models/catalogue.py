"""Parts, services and technicians as clients send and read them."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core import media
from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import MOST_ON_HAND, StockStatus
from core.db.tables import Part, Technician
from webhooks.api.models.fields import (
    AsList,
    AsText,
    Count,
    Email,
    Filter,
    FromJson,
    FromText,
    Given,
    Id,
    Image,
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
    wrong,
)

Category = Literal["speaker", "amplifier", "subwoofer", "headunit", "kabel", "accessory", "other"]
FileLink = Callable[[str, str], str]
"""The signed link of a stored file, by kind and id."""
ServiceCategory = Literal["installation", "repair", "upgrade", "consultation", "package", "other"]


class Change(Given):
    """Missing fields stay as they are; so do blank ones, but for a description, which can be emptied."""

    may_be_blank: ClassVar[frozenset[str]] = frozenset({"description"})

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
    size: str | None
    type: str | None
    channels: int | None
    watts: int | None
    description: str
    specifications: dict[str, str]
    images: list[str]
    compatible_vehicles: list[dict[str, str]]
    warranty: Annotated[int, column("warranty", "warranty_months")]
    is_available: bool
    is_pre_order_only: bool

    @classmethod
    def of(cls, part: Part, link: FileLink) -> Self:
        images = [shown(image, link) for image in part.images]
        return cls.model_validate(part).model_copy(update={"images": images})


def shown(photo: str, link: FileLink) -> str:
    """A stored photo as a signed link; a link as it is."""
    return link("photo", photo) if media.is_key(photo) else photo


class SparepartFilter(Window):
    category: Filter[Category] = None
    brand: Filter[Word] = None
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
    specifications: Annotated[dict[Word, Annotated[Word, AsText]], Field(max_length=50), FromJson] | None = None
    images: Annotated[list[Image], Field(max_length=media.MOST_PHOTOS), AsList] | None = None
    compatible_vehicles: Annotated[list[Vehicle], Field(max_length=200), AsList] | None = None
    warranty: Months | None = None
    is_available: bool | None = None
    is_pre_order_only: bool | None = None


class NewSparepart(SparepartChange):
    name: Word
    category: Category
    brand: Word
    price: Rupiah


class StockChange(Given):
    """Either what was counted on the shelf, pieces reserved for bookings included; or what came in (or, below 0, went)."""

    stock: Count | None = None
    delta: Annotated[int, FromText, Field(ge=-MOST_ON_HAND, le=MOST_ON_HAND)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.stock is None) == (self.delta is None):
            raise wrong("one_of_both")
        return self


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
    category: Filter[ServiceCategory] = None
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
    def of(cls, technician: Technician, link: FileLink, *, for_staff: bool = False) -> Self:
        """The rating is the average of the stars, 0 before the first."""
        count = technician.rating_count
        return cls(
            id=technician.id,
            name=technician.name,
            specialization=technician.skills,
            rating=round(technician.rating_sum / count, 1) if count else 0,
            total_jobs=technician.total_jobs,
            is_available=technician.is_available,
            photo_url=shown(technician.photo_url, link) if technician.photo_url else None,
            phone=technician.phone if for_staff else None,
            email=technician.email if for_staff else None,
        )


class WorkerFilter(Window):
    available: bool | None = None
    specialization: Filter[Word] = None


class WorkerChange(Change):
    name: Word | None = None
    specialization: WordList | None = None
    phone: Phone | None = None
    email: Email | None = None
    photo_url: Image | None = None
    is_available: bool | None = None


class Reassignment(Given):
    """Who gets the jobs of a technician who leaves: a technician's id, or `any`."""

    reassign: Id | None = None


class NewWorker(WorkerChange):
    name: Word
