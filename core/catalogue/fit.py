"""Whether a part fits a car: the cars that a part lists decide, or else its mount and the car's openings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from core.catalogue.snapshot import Catalogue
from core.db.tables import Car, Part
from core.money import discounted

UNIVERSAL = "universal"
CAR_MOUNTS = (
    "speaker-4",
    "speaker-5.25",
    "speaker-6.5",
    "speaker-6x9",
    "dash-1din",
    "dash-2din",
    "dash-9",
    "dash-10",
)
"""The openings that a car can have for audio."""
MOUNTS = (*CAR_MOUNTS, UNIVERSAL)
"""What a part can go into."""
MOST_ALTERNATIVES = 5

_YEARS = re.compile(r"([0-9]{4})(-)?([0-9]{4})?")


class FitAnswer(StrEnum):
    FITS = "fits"
    NEEDS_ADAPTER = "needs_adapter"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fit:
    """An answer, with the adapter that is needed, or with parts of the same category that fit, best first."""

    answer: FitAnswer
    adapter: Part | None = None
    alternatives: tuple[Part, ...] = ()


# Called for each part of a list, and many people drive the same cars.
@lru_cache(maxsize=4096)
def fit_of(catalogue: Catalogue, part: Part, brand: str, model: str, year: int) -> Fit:
    car = find_car(catalogue, brand, model, year)
    vehicle = _Vehicle(_key(brand + model), year, frozenset(car.mounts) if car else frozenset())
    answer = _answer(part, vehicle)
    if answer is not FitAnswer.DOES_NOT_FIT:
        return Fit(answer)
    if adapter := _adapter(catalogue, part, vehicle):
        return Fit(FitAnswer.NEEDS_ADAPTER, adapter=adapter)
    return Fit(answer, alternatives=_alternatives(catalogue, part, vehicle))


@lru_cache(maxsize=256)
def find_car(catalogue: Catalogue, brand: str, model: str, year: int) -> Car | None:
    """The generation of that year, or the newer of two; "crv" finds "CR-V"."""
    wanted = _key(brand), _key(model)
    generations = [
        car
        for car in catalogue.cars.values()
        if (_key(car.brand), _key(car.model)) == wanted
        and car.year_from <= year
        and (car.year_to is None or year <= car.year_to)
    ]
    return max(generations, key=lambda car: car.year_from, default=None)


def year_span(years: str) -> tuple[int, int | None] | None:
    """First and last year of "2015-2023", "2018" or "2018-" (still built: None); None for any other text."""
    found = _YEARS.fullmatch(years)
    if found is None:
        return None
    first, dash, last = int(found[1]), found[2], found[3]
    if last is not None and (dash is None or int(last) < first):
        return None
    return first, int(last) if last else None if dash else first


# --- the rule ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Vehicle:
    name: str
    year: int
    mounts: frozenset[str]
    """Empty: not known."""


def _answer(part: Part, vehicle: _Vehicle) -> FitAnswer:
    """The answer without adapters."""
    years = [car["year"] for car in part.compatible_vehicles if _key(car["brand"] + car["model"]) == vehicle.name]
    spans = [span for span in map(year_span, years) if span is not None]
    listed = any(first <= vehicle.year and (last is None or vehicle.year <= last) for first, last in spans)
    if listed or part.mount == UNIVERSAL:
        return FitAnswer.FITS
    if part.mount is None or not vehicle.mounts:
        return FitAnswer.DOES_NOT_FIT if years else FitAnswer.UNKNOWN
    return FitAnswer.FITS if part.mount in vehicle.mounts else FitAnswer.DOES_NOT_FIT


def _adapter(catalogue: Catalogue, part: Part, vehicle: _Vehicle) -> Part | None:
    """The adapter for one of the car's openings: made for that car before universal, then the cheapest."""
    return min(
        (
            other
            for other in _sold(catalogue)
            if part.mount is not None
            and other.adapts_mount == part.mount
            and other.adapts_into in vehicle.mounts
            and (not other.compatible_vehicles or _answer(other, vehicle) is FitAnswer.FITS)
        ),
        key=lambda other: (not other.compatible_vehicles, _price(other), other.id),
        default=None,
    )


def _alternatives(catalogue: Catalogue, part: Part, vehicle: _Vehicle) -> tuple[Part, ...]:
    """Parts of the same kind that fit: those in the shop before those to order, then the nearest in price."""
    fitting = (
        other
        for other in _sold(catalogue)
        if (other.category, other.adapts_mount) == (part.category, part.adapts_mount)
        and _answer(other, vehicle) is FitAnswer.FITS
    )
    best = sorted(
        fitting, key=lambda other: (other.is_pre_order_only, abs(_price(other) - _price(part)), _price(other), other.id)
    )
    return tuple(best[:MOST_ALTERNATIVES])


def _sold(catalogue: Catalogue) -> Iterable[Part]:
    return (part for part in catalogue.parts.values() if part.is_available)


def _price(part: Part) -> int:
    return discounted(part.price, part.discount)


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
