"""Types of the values that clients send: cleaned, bounded, and refused with our own texts.

A form sends everything as text: numbers, booleans, and lists and objects as JSON, as repeated fields, or with brackets
in their names (`forms`).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from conversations.incoming import clean
from conversations.understand.contacts import read_phone, read_plate
from core import media
from core.catalogue.fit import year_span

MOST_RUPIAH = 1_000_000_000
MOST_COUNT = 1_000_000_000
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+")
_OWN_PHOTO = re.compile(r"(?:https?://[^/]+)?/files/photo/([^/?]+)\?[!-~]*")

T = TypeVar("T")


class Model(BaseModel):
    """A response: camelCase outside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        from_attributes=True,
        frozen=True,
        json_schema_serialization_defaults_required=True,
    )


class Given(BaseModel):
    """A request: camelCase names only; unknown fields are ignored, null and blank text count as not given."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)
    may_be_blank: ClassVar[frozenset[str]] = frozenset()
    """Fields whose blank text is a value."""

    @model_validator(mode="before")
    @classmethod
    def _only_given(cls, data: object, info: ValidationInfo) -> object:
        data = _parsed(data)
        if not isinstance(data, dict):
            return data
        given = {name: value for name, value in data.items() if name in cls.may_be_blank or not _is_blank(value)}
        return given | cls.implied(given, info.context or {})

    @classmethod
    def implied(cls, given: Mapping[str, object], context: Mapping[str, Any]) -> dict[str, object]:
        """Fields that follow from others; `context` is the endpoint's."""
        return {}


def column(name: str, source: str) -> Any:
    """A response's field that is called differently in the table: `name` in JSON, `source` in the row."""
    return Field(validation_alias=AliasChoices(name, source))


def wrong(kind: str) -> PydanticCustomError:
    # The client reads a text chosen by this kind; this message is for logs.
    return PydanticCustomError(kind, "not a valid value")


def _one_line(text: str) -> str:
    """Names stand in messages, on buttons and papers: a line end in one could pass for the shop's own words."""
    return " ".join(clean(text).split())


def _must(kind: str, read: Callable[[str], T | None]) -> AfterValidator:
    """Replace a text by what `read` makes of it; refuse it as `kind` if that is nothing."""

    def value(text: str) -> T:
        if not (found := read(text)):
            raise wrong(kind)
        return found

    return AfterValidator(value)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _day(value: object, info: ValidationInfo) -> date:
    """A date; of an ISO date-time with an offset (`Date.toISOString()`), the date at the workshop."""
    if isinstance(value, str) and re.match(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", value):
        try:
            moment = datetime.fromisoformat(value)
            return info.context["shop"].local(moment).date() if info.context and moment.tzinfo else moment.date()
        except (ValueError, OverflowError):
            raise wrong("day") from None
    return _exact(value, "day", r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", date.fromisoformat)


def _clock(value: object) -> time:
    """A time of day; browsers leave the leading zero out, or add seconds."""
    return _exact(value, "clock", r"[0-9]{1,2}:[0-9]{2}(:00)?", _time)


def _time(text: str) -> time:
    hour, minute, *_ = map(int, text.split(":"))
    return time(hour, minute)


def _exact(value: object, kind: str, form: str, parse: Callable[[str], T]) -> T:
    if isinstance(value, str) and re.fullmatch(form, value):
        try:
            return parse(value)
        except ValueError:
            pass
    raise wrong(kind)


def _email(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _years(text: str) -> str | None:
    return text if year_span(text) else None


def _link(text: str) -> str | None:
    return text if re.fullmatch(r"https?://[!-~]+", text) else None


def _image(text: str) -> str | None:
    """A link; of the link to a stored photo that the client was shown, which expires, the photo's key."""
    shown = _OWN_PHOTO.fullmatch(text)
    return shown[1] if shown and media.is_key(shown[1]) else _link(text)


def _parsed(value: object) -> object:
    """A form's JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            pass
    return value


def _listed(value: object) -> object:
    """A form's list: JSON, numbered fields, or one text."""
    value = _parsed(value)
    if isinstance(value, dict) and all(name.isdecimal() for name in value):
        value = list(value.values())
    if isinstance(value, str | dict):
        value = [value]
    return [each for each in value if each != ""] if isinstance(value, list) else value


def _words(value: object) -> object:
    """A list, or one text with commas or line breaks between the words."""
    value = _parsed(value)
    return re.split(r"[,\n]", value) if isinstance(value, str) else _listed(value)


def _whole(value: object) -> object:
    """A number as text: "1.250.000" is more than a million, not one and a quarter."""
    if isinstance(value, bool):  # pydantic takes true for 1
        raise wrong("int_type")
    if not isinstance(value, str):
        return value
    text = re.sub(r"^rp\.?\s*", "", value.strip(), flags=re.IGNORECASE)
    text = re.sub(r"(?<=[0-9])(,00|,-)$", "", text)
    return re.sub(r"[.,]", "", text) if _THOUSANDS.fullmatch(text) else text


def _all_is_none(value: object) -> object:
    return None if value == "all" else value


def _as_text(value: object) -> object:
    """A number or a boolean where only text is stored, as JSON writes it."""
    return json.dumps(value) if isinstance(value, bool | int | float) else value


FromText = BeforeValidator(_whole)
AsText = BeforeValidator(_as_text)
NoneIfBlank = BeforeValidator(
    lambda value: None if isinstance(value, dict) and all(map(_is_blank, value.values())) else value
)
"""An object whose fields are all blank, as a form sends what nobody filled in."""
AsList = BeforeValidator(_listed)
FromJson = BeforeValidator(_parsed)
Filter = Annotated[T | None, BeforeValidator(_all_is_none)]
"""`all` filters nothing."""
Word = Annotated[str, Field(min_length=1, max_length=100), _must("blank", _one_line)]
Prose = Annotated[str, Field(max_length=1000), AfterValidator(clean)]
Address = Annotated[str, Field(max_length=1000), AfterValidator(_one_line)]
Reason = Annotated[str, Field(max_length=500), AfterValidator(clean)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), _must("email", _email)]
Phone = Annotated[str, Field(max_length=30), _must("phone", read_phone)]
Plate = Annotated[str, Field(max_length=20), AfterValidator(lambda text: read_plate(text) or _one_line(text))]
Rupiah = Annotated[int, FromText, Field(ge=0, le=MOST_RUPIAH)]
Percent = Annotated[int, FromText, Field(ge=0, le=100)]
Count = Annotated[int, FromText, Field(ge=0, le=100_000)]
Months = Annotated[int, FromText, Field(ge=0, le=240)]
Minutes = Annotated[int, FromText, Field(ge=1, le=1440)]
Quantity = Annotated[int, FromText, Field(ge=-MOST_COUNT, le=MOST_COUNT)]
"""The shop's rules limit how many of one part can be ordered."""
Year = Annotated[
    int,
    FromText,
    Field(ge=1950, le=2100),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1950, "maximum": 2100}, {"type": "string"}]}),
]
Years = Annotated[str, AsText, Field(max_length=9), _must("years", _years)]
Image = Annotated[str, Field(max_length=500), _must("link", _image)]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-24"]})
]
Clock = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]}),
]
WordList = Annotated[list[Word], Field(max_length=50), BeforeValidator(_words)]


class Window(Given):
    limit: Annotated[int, Field(ge=1, le=200)] = 200
    offset: Annotated[int, Field(ge=0, le=MOST_COUNT)] = 0
