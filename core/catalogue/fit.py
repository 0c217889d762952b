"""Whether a part fits a car: the cars that a part lists decide, or else its mount and the car's openings.

A catalogue is indexed once, so that no question looks at each part for each part.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache, partial

from core.catalogue.snapshot import Catalogue, PerCatalogue
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


Shelf = Sequence[tuple[Part, FitAnswer | None]]
"""Parts with whether they fit; None: no car is known."""


def prepare(catalogue: Catalogue) -> None:
    """Build the index, which takes some hundred milliseconds for tens of thousands of parts."""
    _index(catalogue)


def fit_of(catalogue: Catalogue, part: Part, brand: str, model: str, year: int) -> Fit:
    vehicle = _index(catalogue).vehicle(_key(brand), _key(model), year)
    answer = _answer(part.mount, vehicle, _lists(part, vehicle))
    if answer is not FitAnswer.DOES_NOT_FIT:
        return Fit(answer)
    if adapter := vehicle.adapter(part.mount):
        return Fit(FitAnswer.NEEDS_ADAPTER, adapter=adapter)
    return Fit(answer, alternatives=_alternatives(part, vehicle))


def answer_of(catalogue: Catalogue, part: Part, car: tuple[str, str, int]) -> FitAnswer:
    """As `fit_of`, without looking for alternatives."""
    brand, model, year = car
    return _index(catalogue).vehicle(_key(brand), _key(model), year).answer(part.id, part.mount)


def answers(catalogue: Catalogue, category: str, car: tuple[str, str, int]) -> Mapping[str, FitAnswer]:
    """Whether each part for sale of a category fits, by id; found once for a car."""
    brand, model, year = car
    return _index(catalogue).vehicle(_key(brand), _key(model), year).answers(category)


def shelf(catalogue: Catalogue, category: str, car: tuple[str, str, int] | None) -> Shelf:
    """The parts of a category that are for sale: what fits the car first, then the cheapest."""
    if car is None:
        return [(part, None) for part in catalogue.shelves.get(category, ())]
    brand, model, year = car
    return _index(catalogue).vehicle(_key(brand), _key(model), year).shelf(category)


def find_car(catalogue: Catalogue, brand: str, model: str, year: int) -> Car | None:
    """The generation of that year, or the newer of two; "crv" finds "CR-V"."""
    return _index(catalogue).car(_key(brand), _key(model), year)


def year_span(years: str) -> tuple[int, int | None] | None:
    """First and last year of "2015-2023", "2018" or "2018-" (still built: None); None for any other text."""
    found = _YEARS.fullmatch(years)
    if found is None:
        return None
    first, dash, last = int(found[1]), found[2], found[3]
    if last is not None and (dash is None or int(last) < first):
        return None
    return first, int(last) if last else None if dash else first


# --- the index ---------------------------------------------------------------------------------


class _Index:
    """What questions about a catalogue look up, and what was found for the last cars."""

    def __init__(self, catalogue: Catalogue) -> None:
        # With what is read of each part, since reading it from a mapped object takes most of the time.
        self.shelves = {
            category: [(part, part.id, part.mount) for part in parts] for category, parts in catalogue.shelves.items()
        }
        self.sold: dict[tuple[str, str | None], list[Part]] = {}
        """By category and the mount that an adapter carries, the cheapest first."""
        self.adapters: dict[str, list[Part]] = {}
        """By the mount that they carry."""
        self.listed: dict[str, dict[str, list[str]]] = {}
        """By the name of a car: the parts that list it, with the years."""
        self._cars: dict[tuple[str, str], list[Car]] = {}
        for car in catalogue.cars.values():
            self._cars.setdefault((_key(car.brand), _key(car.model)), []).append(car)
        available = (part for parts in catalogue.shelves.values() for part in parts)
        for part in sorted(available, key=lambda part: (_price(part), part.id)):
            self.sold.setdefault((part.category, part.adapts_mount), []).append(part)
            if part.adapts_mount is not None:
                self.adapters.setdefault(part.adapts_mount, []).append(part)
            for listed in part.compatible_vehicles:
                self.listed.setdefault(_named(listed), {}).setdefault(part.id, []).append(listed["year"])
        # Many people drive the same cars.
        self.vehicle = lru_cache(maxsize=16)(self._vehicle)

    def car(self, brand: str, model: str, year: int) -> Car | None:
        generations = (
            car
            for car in self._cars.get((brand, model), ())
            if car.year_from <= year and (car.year_to is None or year <= car.year_to)
        )
        return max(generations, key=lambda car: car.year_from, default=None)

    def _vehicle(self, brand: str, model: str, year: int) -> "_Vehicle":
        car, name = self.car(brand, model, year), brand + model
        listed = {part: _covers(tuple(years), year) for part, years in self.listed.get(name, {}).items()}
        return _Vehicle(self, name, year, frozenset(car.mounts) if car else frozenset(), listed)


class _Vehicle:
    """A car of one year, with what was found for it."""

    def __init__(self, index: _Index, name: str, year: int, mounts: frozenset[str], listed: Mapping[str, bool]) -> None:
        self.name = name
        self.year = year
        self.mounts = mounts
        """Empty: not known."""
        self.listed = listed
        """The parts for sale that list this car, and whether in this year."""
        self._index = index
        self.adapter = cache(self._adapter)
        self.shelf = cache(self._shelf)
        self.answers = cache(self._answers)
        self.fitting = cache(self._fitting)
        self._unlisted = cache(partial(self._with_adapter, listed=None))  # parts have few mounts

    def answer(self, part_id: str, mount: str | None) -> FitAnswer:
        listed = self.listed.get(part_id)
        return self._unlisted(mount) if listed is None else self._with_adapter(mount, listed=listed)

    def _answers(self, category: str) -> Mapping[str, FitAnswer]:
        shelf = self._index.shelves.get(category, ())
        return {part_id: self.answer(part_id, mount) for _, part_id, mount in shelf}

    def _adapter(self, mount: str | None) -> Part | None:
        """The adapter for one of the car's openings: made for that car before universal, then the cheapest."""
        usable = (
            other
            for other in self._index.adapters.get(mount or "", ())
            if other.adapts_into in self.mounts and (not other.compatible_vehicles or self._fits(other))
        )
        return min(usable, key=lambda other: (not other.compatible_vehicles, _price(other), other.id), default=None)

    def _shelf(self, category: str) -> Shelf:
        found: dict[FitAnswer, list[tuple[Part, FitAnswer | None]]] = {answer: [] for answer in FitAnswer}
        answers = self.answers(category)
        for part, part_id, _ in self._index.shelves.get(category, ()):
            answer = answers[part_id]
            found[answer].append((part, answer))
        return tuple(row for rows in found.values() for row in rows)

    def _with_adapter(self, mount: str | None, *, listed: bool | None) -> FitAnswer:
        answer = _answer(mount, self, listed)
        has_adapter = answer is FitAnswer.DOES_NOT_FIT and self.adapter(mount) is not None
        return FitAnswer.NEEDS_ADAPTER if has_adapter else answer

    def _fitting(self, category: str, adapts_mount: str | None, *, to_order: bool) -> tuple[list[Part], list[int]]:
        """The parts of a kind that fit, in the shop or to order, the cheapest first, and their prices."""
        kind = self._index.sold.get((category, adapts_mount), ())
        parts = [part for part in kind if part.is_pre_order_only == to_order and self._fits(part)]
        return parts, [_price(part) for part in parts]

    def _fits(self, part: Part) -> bool:
        return _answer(part.mount, self, self.listed.get(part.id)) is FitAnswer.FITS


_index = PerCatalogue(_Index)


# --- the rule ----------------------------------------------------------------------------------


def _answer(mount: str | None, vehicle: _Vehicle, listed: bool | None) -> FitAnswer:
    """The answer without adapters; `listed`: whether the part lists the car in its year, None: not at all."""
    if listed or mount == UNIVERSAL:
        return FitAnswer.FITS
    if mount is None or not vehicle.mounts:
        return FitAnswer.UNKNOWN if listed is None else FitAnswer.DOES_NOT_FIT
    return FitAnswer.FITS if mount in vehicle.mounts else FitAnswer.DOES_NOT_FIT


def _lists(part: Part, vehicle: _Vehicle) -> bool | None:
    years = [car["year"] for car in part.compatible_vehicles if _named(car) == vehicle.name]
    return _covers(tuple(years), vehicle.year) if years else None


@lru_cache(maxsize=4096)
def _covers(years: tuple[str, ...], year: int) -> bool:
    spans = (span for span in map(year_span, years) if span is not None)
    return any(first <= year and (last is None or year <= last) for first, last in spans)


def _alternatives(part: Part, vehicle: _Vehicle) -> tuple[Part, ...]:
    """Parts of the same kind that fit: those in the shop before those to order, then the nearest in price."""
    in_shop, to_order = (
        _nearest(*vehicle.fitting(part.category, part.adapts_mount, to_order=later), _price(part))
        for later in (False, True)
    )
    return tuple([*in_shop, *to_order][:MOST_ALTERNATIVES])


def _nearest(parts: Sequence[Part], prices: Sequence[int], price: int) -> list[Part]:
    """Of parts sorted by price and id, those nearest to a price; of two as near, the cheaper."""
    at = bisect_left(prices, price)
    near = list(parts[at : at + MOST_ALTERNATIVES])
    end, wanted = at, len(near) + MOST_ALTERNATIVES
    while end and len(near) < wanted:
        begin = bisect_left(prices, prices[end - 1])
        near += parts[begin : min(end, begin + MOST_ALTERNATIVES)]
        end = begin
    return sorted(near, key=lambda one: (abs(_price(one) - price), _price(one), one.id))[:MOST_ALTERNATIVES]


def _price(part: Part) -> int:
    return discounted(part.price, part.discount)


def _named(car: Mapping[str, str]) -> str:
    return _key(car["brand"] + car["model"])


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
