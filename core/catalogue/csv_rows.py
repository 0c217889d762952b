"""The lines of the catalogue's files: a model per table, with its columns, but `retired` for `retired_at`.

An empty cell means the column's default. `docs/catalogue.md` explains each column to the owner.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import ErrorDetails

from core.catalogue import cells
from core.catalogue.attributes import PartType
from core.catalogue.cells import BadCell
from core.catalogue.fit import CAR_MOUNTS, MOUNTS
from core.messaging.messages import Say, say
from core.money import Money

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Id = Annotated[str, Field(max_length=50), AfterValidator(cells.like(_SLUG, "jbl-stage3-607cf"))]
Words = Annotated[str, Field(max_length=100), AfterValidator(cells.one_line)]
Prose = Annotated[str, Field(max_length=1000), AfterValidator(cells.printable)]
_PICTURE = re.compile(r"https?://\S+|[0-9a-f]{32}\.(?:jpg|png|webp)")
"""An address, or the key of a picture that was uploaded."""
Url = Annotated[str, Field(max_length=500), AfterValidator(cells.like(_PICTURE, "https://…"))]
Rupiah = Annotated[Money, BeforeValidator(cells.money), Field(ge=0, le=1_000_000_000)]
Percent = Annotated[int, BeforeValidator(cells.percent), Field(ge=0, le=100)]
Count = Annotated[int, BeforeValidator(cells.whole), Field(ge=0, le=100_000)]
Months = Annotated[int, BeforeValidator(cells.whole), Field(ge=0, le=240)]
Minutes = Annotated[int, BeforeValidator(cells.whole), Field(ge=1, le=1440)]
Year = Annotated[int, BeforeValidator(cells.whole), Field(ge=1950, le=2100)]
YesNo = Annotated[bool, BeforeValidator(cells.yes_no)]
Category = Annotated[str, AfterValidator(cells.category)]
Mount = Annotated[str, AfterValidator(cells.one_of(*MOUNTS))]
CarMount = Annotated[str, AfterValidator(cells.one_of(*CAR_MOUNTS))]
Size = Annotated[str, AfterValidator(cells.size)]
Type = Annotated[str, AfterValidator(cells.one_of(*PartType))]
Channels = Annotated[int, BeforeValidator(cells.whole), Field(ge=1, le=20)]
Watts = Annotated[int, BeforeValidator(cells.whole), Field(ge=1, le=20_000)]
WordList = Annotated[list[Words], BeforeValidator(cells.pieces), Field(max_length=50)]


_HEADINGS = {
    "id": ("kode", "kode_barang", "kode_produk"),
    "name": ("nama", "nama_barang", "nama_produk", "nama_part", "nama_jasa", "nama_layanan", "nama_teknisi"),
    "category": ("kategori", "jenis"),
    "brand": ("merek", "merk"),
    "price": ("harga", "harga_jual", "harga_satuan"),
    "discount": ("diskon", "potongan"),
    "on_hand": ("stok", "stock", "jumlah", "qty"),
    "warranty_months": ("garansi",),
    "description": ("deskripsi",),
    "specifications": ("spesifikasi",),
    "images": ("gambar", "foto"),
    "minutes": ("menit", "durasi"),
    "year_from": ("tahun_dari", "dari_tahun"),
    "year_to": ("tahun_sampai", "sampai_tahun"),
    "skills": ("keahlian",),
    "phone": ("telepon", "no_hp", "hp"),
    "days_off": ("libur", "hari_libur"),
    "is_available": ("tersedia",),
}
"""Other words for a column's heading, as `heading` writes them."""
_COLUMN_OF = {word: column for column, words in _HEADINGS.items() for word in words}


def heading(text: str) -> str:
    """The column that a heading means: "Harga (Rp)*" is `price`; other text is a column that isn't known."""
    plain = re.sub(r"\(.*?\)|\*", "", text).strip()
    name = re.sub(r"[\s-]+", "_", plain.casefold())
    return _COLUMN_OF.get(name, name)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id


class PartRow(_Row):
    name: Words
    category: Category
    brand: Words
    price: Rupiah
    discount: Percent = 0
    on_hand: Count
    low_stock_threshold: Count = 2
    warranty_months: Months = 0
    mount: Mount | None = None
    adapts_mount: CarMount | None = None
    adapts_into: CarMount | None = None
    size: Size | None = None
    type: Type | None = None
    channels: Channels | None = None
    watts: Watts | None = None
    description: Prose = ""
    specifications: Annotated[dict[Words, Words], BeforeValidator(cells.pairs), Field(max_length=50)] = {}
    images: Annotated[list[Url], BeforeValidator(cells.pieces), Field(max_length=10)] = []
    compatible_vehicles: Annotated[list[dict[str, Words]], BeforeValidator(cells.vehicles), Field(max_length=200)] = []
    aliases: WordList = []
    is_available: YesNo = True
    is_pre_order_only: YesNo = False
    retired: YesNo = False


class ServiceRow(_Row):
    name: Words
    category: Annotated[str, AfterValidator(cells.service_category)]
    price: Rupiah
    discount: Percent = 0
    minutes: Minutes
    description: Prose = ""
    included_items: WordList = []
    installs: Annotated[list[Category], BeforeValidator(cells.pieces)] = []
    installs_types: Annotated[list[Type], BeforeValidator(cells.pieces)] = []
    repairs: Annotated[list[Category], BeforeValidator(cells.pieces)] = []
    skill: Words | None = None
    onsite: YesNo = True
    aliases: WordList = []
    is_available: YesNo = True
    retired: YesNo = False


class CarRow(_Row):
    """One generation of a model."""

    brand: Words
    model: Words
    year_from: Year
    year_to: Year | None = None
    mounts: Annotated[list[CarMount], BeforeValidator(cells.pieces)] = []
    aliases: WordList = []


class TechnicianRow(_Row):
    name: Words
    skills: WordList = []
    phone: Annotated[str, AfterValidator(cells.phone)] | None = None
    email: Annotated[str, AfterValidator(cells.address)] | None = None
    photo_url: Url | None = None
    days_off: Annotated[list[int], BeforeValidator(cells.weekdays)] = []
    aliases: WordList = []
    is_available: YesNo = True
    retired: YesNo = False


CatalogueRow = PartRow | ServiceRow | CarRow | TechnicianRow


@cache
def without(row: type[CatalogueRow], missing: frozenset[str]) -> type[CatalogueRow]:
    """The model of a file without these columns; what a row of it holds there means nothing."""
    needless: dict[str, Any] = dict.fromkeys(missing, (object, None))
    return create_model(row.__name__, __base__=row, **needless) if missing else row


def needed(row: type[CatalogueRow]) -> list[str]:
    """The columns that a new entry can't do without."""
    return [name for name, field in row.model_fields.items() if field.is_required()]


def conflict(values: Mapping[str, Any]) -> Say | None:
    """What of a row's values contradicts each other; values that aren't known contradict nothing."""
    if values.keys() >= {"adapts_mount", "adapts_into"} and (
        (values["adapts_mount"] is None) != (values["adapts_into"] is None)
    ):
        return say("catalogue.half_adapter")
    if values.keys() >= {"year_from", "year_to"}:
        year_from, year_to = values["year_from"], values["year_to"]
        if year_to is not None and year_to < year_from:
            return say("catalogue.backward", year_from=year_from, year_to=year_to)
    return None


def reason(error: ErrorDetails) -> Say:
    """Why a line was refused: "price must be at least 0, got -5"."""
    context = error.get("ctx", {})
    cause = context.get("error")
    why = cause.why if isinstance(cause, BadCell) else _limit(error["type"], error["input"], context)
    return say("catalogue.cell", column=str(error["loc"][0]), why=why)


def _limit(kind: str, got: object, context: Mapping[str, Any]) -> Say:
    match kind:
        case "missing":
            return say("catalogue.missing")
        case "greater_than_equal":
            return say("catalogue.least", limit=context["ge"], got=got)
        case "less_than_equal":
            return say("catalogue.most", limit=context["le"], got=got)
        case "string_too_long":
            return say("catalogue.too_long", limit=context["max_length"])
        case _:  # too_long: of a list
            return say("catalogue.too_many", limit=context["max_length"])
