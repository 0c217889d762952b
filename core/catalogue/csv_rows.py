r"""The lines of the catalogue's files: a model per table, with its columns, but `retired` for `retired_at`.

`|` separates several values in a cell, as in `daya=50 W|ukuran=6,5 inci` or `Toyota Avanza 2012-2021|Honda CR-V 2019-`,
and `\` escapes a sign. An empty cell means the column's default.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import ErrorDetails

from core.catalogue.fit import CAR_MOUNTS, MOUNTS, year_span
from core.catalogue.snapshot import CATEGORIES, SERVICE_CATEGORIES
from core.money import Money
from core.shop import WEEKDAYS

_MONEY = re.compile(r"-?(?:(?:Rp)?[1-9][0-9]{0,2}(?:\.[0-9]{3})*|[0-9]{1,15})")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_PIECE = re.compile(r"(?:[^|\\]|\\.|\\$)+", re.DOTALL)
_PAIR = re.compile(r"((?:[^=\\]|\\.)+)=(.+)", re.DOTALL)
_VEHICLE = re.compile(r"(\S+)\s+(.+)\s+(\S+)")


# --- from cells --------------------------------------------------------------------------------


def _money(cell: str) -> int:
    if not _MONEY.fullmatch(cell):
        raise ValueError(f"must be a whole number of rupiah, got {cell!r}")
    return int(cell.replace("Rp", "").replace(".", ""))


def _whole(cell: str) -> int:
    if not _WHOLE.fullmatch(cell):
        raise ValueError(f"must be a whole number, got {cell!r}")
    return int(cell)


def _yes(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError(f"must be yes or no, got {cell!r}")
    return cell == "yes"


def _pieces(cell: str) -> list[str]:
    return [_unescaped(piece) for piece in _split(cell)]


def _pairs(cell: str) -> dict[str, str]:
    found = {}
    for piece in _split(cell):
        pair = _PAIR.fullmatch(piece)
        if pair is None:
            raise ValueError(f"must read key=value|key=value, got {piece!r}")
        found[_unescaped(pair[1])] = _unescaped(pair[2])
    return found


def _vehicles(cell: str) -> list[dict[str, str]]:
    vehicles = []
    for text in _pieces(cell):
        found = _VEHICLE.fullmatch(text)
        if found is None or year_span(found[3]) is None:
            raise ValueError(f"must read like Toyota Avanza 2012-2021, got {text!r}")
        vehicles.append({"brand": found[1], "model": found[2], "year": found[3]})
    return vehicles


def _weekdays(cell: str) -> list[int]:
    names = [_known(*WEEKDAYS)(name) for name in _pieces(cell)]
    return [number for number, name in enumerate(WEEKDAYS) if name in names]


def _split(cell: str) -> list[str]:
    return [piece.strip() for piece in _PIECE.findall(cell) if piece.strip()]


def _unescaped(piece: str) -> str:
    return re.sub(r"\\([|=\\])", r"\1", piece).strip()


# --- what is refused ---------------------------------------------------------------------------


def _known(*words: str) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}, got {word!r}")
        return word

    return check


def _like(pattern: re.Pattern[str], example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"must look like {example}, got {text!r}")
        return text

    return check


def _printable(text: str) -> str:
    if any((sign < " " and sign != "\n") or sign == "\x7f" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("holds a control character")
    return text


def _address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError(f"must be an e-mail address, got {text!r}") from None


Id = Annotated[str, Field(max_length=50), AfterValidator(_like(_SLUG, "jbl-stage3-607cf"))]
Words = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Prose = Annotated[str, Field(max_length=1000), AfterValidator(_printable)]
Url = Annotated[
    str,
    Field(max_length=500),
    AfterValidator(_like(re.compile(r"https?://\S+|[0-9a-f]{32}\.(?:jpg|png|webp)"), "https://…")),
]
Rupiah = Annotated[Money, BeforeValidator(_money), Field(ge=0, le=1_000_000_000)]
Percent = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=100)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=100_000)]
Months = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=240)]
Minutes = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=1440)]
Year = Annotated[int, BeforeValidator(_whole), Field(ge=1950, le=2100)]
YesNo = Annotated[bool, BeforeValidator(_yes)]
Category = Annotated[str, AfterValidator(_known(*CATEGORIES))]
Mount = Annotated[str, AfterValidator(_known(*MOUNTS))]
CarMount = Annotated[str, AfterValidator(_known(*CAR_MOUNTS))]
WordList = Annotated[list[Words], BeforeValidator(_pieces), Field(max_length=50)]


# --- the rows ----------------------------------------------------------------------------------


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
    description: Prose = ""
    specifications: Annotated[dict[Words, Words], BeforeValidator(_pairs), Field(max_length=50)] = {}
    images: Annotated[list[Url], BeforeValidator(_pieces), Field(max_length=10)] = []
    compatible_vehicles: Annotated[list[dict[str, Words]], BeforeValidator(_vehicles), Field(max_length=200)] = []
    aliases: WordList = []
    is_available: YesNo = True
    is_pre_order_only: YesNo = False
    retired: YesNo = False

    @model_validator(mode="after")
    def _whole_adapter(self) -> "PartRow":
        if (self.adapts_mount is None) != (self.adapts_into is None):
            raise ValueError("adapts_mount and adapts_into belong together: one of them is empty")
        return self


class ServiceRow(_Row):
    name: Words
    category: Annotated[str, AfterValidator(_known(*SERVICE_CATEGORIES))]
    price: Rupiah
    discount: Percent = 0
    minutes: Minutes
    description: Prose = ""
    included_items: WordList = []
    installs: Annotated[list[Category], BeforeValidator(_pieces)] = []
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
    mounts: Annotated[list[CarMount], BeforeValidator(_pieces)] = []
    aliases: WordList = []

    @model_validator(mode="after")
    def _forward(self) -> "CarRow":
        if self.year_to is not None and self.year_to < self.year_from:
            raise ValueError(f"year_to {self.year_to} is before year_from {self.year_from}")
        return self


class TechnicianRow(_Row):
    name: Words
    skills: WordList = []
    phone: Annotated[str, AfterValidator(_like(_PHONE, "+6281219000101"))] | None = None
    email: Annotated[str, AfterValidator(_address)] | None = None
    photo_url: Url | None = None
    days_off: Annotated[list[int], BeforeValidator(_weekdays)] = []
    aliases: WordList = []
    is_available: YesNo = True
    retired: YesNo = False


CatalogueRow = PartRow | ServiceRow | CarRow | TechnicianRow


# --- to cells and sentences --------------------------------------------------------------------


def cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "|".join(_escaped(_piece(item), "|") for item in value)
        case Mapping():
            return "|".join(f"{_escaped(str(key), '|=')}={_escaped(str(item), '|')}" for key, item in value.items())
        case _:
            return str(value)


def _piece(item: Any) -> str:
    match item:
        case int():
            return WEEKDAYS[item]
        case {"brand": brand, "model": model, "year": year}:
            return f"{brand} {model} {year}"
        case _:
            return str(item)


def _escaped(text: str, signs: str) -> str:
    return re.sub(rf"[\\{signs}]", r"\\\g<0>", text)


def reason(error: ErrorDetails) -> str:
    """Why a line was refused, in words: "price must be at least 0, got -5"."""
    context = error.get("ctx", {})
    is_ours = error["type"] == "value_error"
    why = str(context["error"]) if is_ours else _REASONS[error["type"]].format(got=error["input"], **context)
    return f"{error['loc'][0]} {why}" if error["loc"] else why


_REASONS = {
    "missing": "is empty",
    "greater_than_equal": "must be at least {ge}, got {got}",
    "less_than_equal": "must be at most {le}, got {got}",
    "string_too_long": "is longer than {max_length} characters",
    "too_long": "has more than {max_length} entries",
}
