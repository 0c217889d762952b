"""Types of the values that clients send: cleaned, bounded, and refused with our own texts."""

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Any, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from conversations.incoming import clean
from conversations.understand.contacts import read_phone, read_plate
from core.catalogue.fit import year_span

MOST_RUPIAH = 1_000_000_000
MOST_COUNT = 1_000_000_000


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
    """A request: camelCase names only; unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


def column(name: str, source: str) -> Any:
    """A response's field that is called differently in the table: `name` in JSON, `source` in the row."""
    return Field(validation_alias=AliasChoices(name, source))


def _wrong(kind: str) -> PydanticCustomError:
    # The client reads a text chosen by this kind; this message is for logs.
    return PydanticCustomError(kind, "not a valid value")


def _must(kind: str, read: Callable[[str], T | None]) -> AfterValidator:
    """Replace a text by what `read` makes of it; refuse it as `kind` if that is nothing."""

    def value(text: str) -> T:
        if not (found := read(text)):
            raise _wrong(kind)
        return found

    return AfterValidator(value)


def _nothing_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: object) -> date:
    return _exact(value, "day", r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", date.fromisoformat)


def _clock(value: object) -> time:
    return _exact(value, "clock", r"[0-9]{2}:[0-9]{2}", time.fromisoformat)


def _exact(value: object, kind: str, form: str, parse: Callable[[str], T]) -> T:
    if isinstance(value, str) and re.fullmatch(form, value):
        try:
            return parse(value)
        except ValueError:
            pass
    raise _wrong(kind)


def _email(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _years(text: str) -> str | None:
    return text if year_span(text) else None


def _link(text: str) -> str | None:
    return text if re.fullmatch(r"https?://[!-~]+", text) else None


def _list_of_one(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _empty_if_none(value: object) -> object:
    return [] if value is None else value


IfGiven = Annotated[T | None, BeforeValidator(_nothing_if_blank)]
"""Empty text counts as not given."""
Word = Annotated[str, Field(min_length=1, max_length=100), _must("blank", clean)]
Prose = Annotated[str, Field(max_length=1000), AfterValidator(clean)]
Reason = Annotated[str, Field(max_length=500), AfterValidator(clean)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), _must("email", _email)]
Phone = Annotated[str, Field(max_length=30), _must("phone", read_phone)]
Plate = Annotated[str, Field(max_length=20), AfterValidator(lambda text: read_plate(text) or clean(text))]
Rupiah = Annotated[int, Field(ge=0, le=MOST_RUPIAH)]
Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Months = Annotated[int, Field(ge=0, le=240)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Quantity = Annotated[int, Field(ge=-MOST_COUNT, le=MOST_COUNT)]
"""The shop's rules limit how many of one part can be ordered."""
Year = Annotated[
    int,
    Field(ge=1950, le=2100),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1950, "maximum": 2100}, {"type": "string"}]}),
]
Years = Annotated[str, Field(max_length=9), _must("years", _years)]
Link = Annotated[str, Field(max_length=500), _must("link", _link)]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-24"]})
]
Clock = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]}),
]
WordList = Annotated[list[Word], Field(max_length=50), BeforeValidator(_list_of_one)]
NothingIsEmpty = BeforeValidator(_empty_if_none)


class Window(Given):
    limit: Annotated[int, Field(ge=1, le=200)] = 200
    offset: Annotated[int, Field(ge=0, le=MOST_COUNT)] = 0
