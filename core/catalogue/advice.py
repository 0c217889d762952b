"""What a good seller says before somebody buys, from the catalogue's facts alone: no opinion, no database.

    matching ──> Matches ── shortlist ──> ids whose stock is looked up ── ranked, recommend ──> what is shown, and why

"The best" is a rule, not a taste (`Facts.quality`): the higher list price, then more RMS watts, the larger size and the
longer warranty.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from heapq import nlargest
from itertools import islice
from operator import attrgetter

from core.catalogue import facts as all_facts
from core.catalogue import fit
from core.catalogue.attributes import Attributes, Rank
from core.catalogue.facts import Facts, facts_of, fits_description
from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import Catalogue
from core.db.tables import Part, Service
from core.money import Money, discounted
from core.pricing.installations import INSTALLATION, usual_installation

Car = tuple[str, str, int]
"""Brand, model and year."""
CAN_BE_FITTED = (FitAnswer.FITS, FitAnswer.NEEDS_ADAPTER)
MOST_PICKED = 3
MOST_OF_A_KIND = 40
"""How many of the cheapest, the best and the strongest are looked up in stock: enough that some are there."""
MOST_LISTED = 300
"""Parts of a list that is paged through."""
REPAIR = "repair"
BIGGER_IS_BETTER = ("subwoofer", "headunit")
"""Categories in which a larger size is a reason; a speaker's is the car's."""
_RELAXED = ("watts", "channels", "type", "size", "price_min", "price_max", "brand")
"""Attributes in the order in which they are given up when nothing has them all."""


class Reason(StrEnum):
    """Why a part is recommended, against the others that would do; the most telling first."""

    CHEAPEST = "cheapest"
    HIGHEST_CLASS = "highest_class"
    MOST_WATTS = "most_watts"
    LONGEST_WARRANTY = "longest_warranty"
    BIGGEST_SIZE = "biggest_size"
    FITS_WITHOUT_ADAPTER = "fits_without_adapter"
    ON_SALE = "on_sale"
    MIDDLE_PRICE = "middle_price"


class Fact(StrEnum):
    """In what two parts can differ."""

    PRICE = "price"
    STOCK = "stock"
    FIT = "fit"
    TYPE = "type"
    SIZE = "size"
    CHANNELS = "channels"
    WATTS = "watts"
    WARRANTY = "warranty"


@dataclass(frozen=True, slots=True)
class Excluded:
    """What isn't wanted."""

    parts: Collection[str] = ()
    brands: Collection[str] = ()
    types: Collection[str] = ()
    sizes: Collection[str] = ()
    categories: Collection[str] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    def has(self, facts: Facts) -> bool:
        return (
            facts.id in self.parts
            or facts.brand in {brand.casefold() for brand in self.brands}
            or not facts.types.isdisjoint(self.types)
            or facts.size in self.sizes
            or facts.category in self.categories
        )


ANY, NOTHING = Attributes(), Excluded()


@dataclass(frozen=True, slots=True)
class Match:
    facts: Facts
    fit: FitAnswer | None
    """None: no car is known."""

    @property
    def part(self) -> Part:
        return self.facts.part


@dataclass(frozen=True, slots=True)
class Matches:
    """The parts that match, the cheapest first."""

    found: Sequence[Facts]
    fits: Mapping[str, FitAnswer]
    """By id; empty if no car is known."""
    given_up: tuple[str, ...] = ()
    """The attributes that no part has together with the others, and so weren't asked for."""

    def of(self, ids: Collection[str]) -> list[Match]:
        return [Match(each, self.fits.get(each.id)) for each in self.found if each.id in ids]


@dataclass(frozen=True, slots=True)
class Recommendation:
    facts: Facts
    stock: int
    fit: FitAnswer | None
    reasons: tuple[Reason, ...]
    price: Money
    """With the adapter that it needs."""
    adapter: Part | None = None
    installation: Service | None = None

    @property
    def part(self) -> Part:
        return self.facts.part

    @property
    def installed(self) -> Money:
        """The price with its installation."""
        return self.price + (price_of(self.installation) if self.installation else 0)


@dataclass(frozen=True, slots=True)
class Difference:
    fact: Fact
    first: object
    second: object


@dataclass(frozen=True, slots=True)
class Comparison:
    first: Part
    second: Part
    differences: tuple[Difference, ...]

    @property
    def cheaper(self) -> Part | None:
        """None: they cost the same."""
        first, second = price_of(self.first), price_of(self.second)
        return None if first == second else self.first if first < second else self.second


# --- which parts -------------------------------------------------------------------------------


def matching(
    catalogue: Catalogue,
    *,
    categories: Sequence[str] = (),
    parts: Sequence[str] = (),
    attributes: Attributes = ANY,
    car: Car | None = None,
    excluded: Excluded = NOTHING,
) -> Matches:
    """The parts for sale with these attributes: of these ids, or else of these categories (none: of all).

    For a car: those that fit or need an adapter; where there is none, those of which it isn't known. Where nothing has
    all attributes, one is given up, or else more, in the order of `_RELAXED`.
    """
    for given_up in _relaxations(attributes):
        wanted = replace(attributes, **dict.fromkeys(given_up))
        found = all_facts.named(catalogue, parts, wanted) if parts else all_facts.find(catalogue, categories, wanted)
        if excluded:
            found = [each for each in found if not excluded.has(each)]
        fits = _fits(catalogue, found, car)
        if able := _able(found, fits):
            return Matches(able, fits, given_up)
    return Matches((), {})


def shortlist(matches: Matches) -> frozenset[str]:
    """The ids of those that any order puts first: their stock is enough to know."""
    found = matches.found
    if len(found) <= 3 * MOST_OF_A_KIND:
        return frozenset(each.id for each in found)
    best = nlargest(MOST_OF_A_KIND, found, key=attrgetter("list_price"))
    strongest = nlargest(MOST_OF_A_KIND, found, key=attrgetter("power"))
    fitting = (each for each in found if matches.fits.get(each.id) is FitAnswer.FITS)
    chosen = (found[:MOST_OF_A_KIND], best, strongest, islice(fitting, MOST_OF_A_KIND))
    return frozenset(each.id for row in chosen for each in row)


def listed(matches: Matches, order: Rank | None = None) -> frozenset[str]:
    """The ids of those that come first in an order, as many as anybody looks through: their stock is enough to know."""
    found = matches.found
    chosen: list[Iterable[Facts]]
    match order:
        case Rank.BEST:
            chosen = [nlargest(MOST_LISTED, found, key=attrgetter("quality"))]
        case Rank.DEAREST:
            chosen = [nlargest(MOST_LISTED, found, key=attrgetter("price"))]
        case _:  # the cheapest first, and what fits before what needs an adapter
            fitting = (each for each in found if matches.fits.get(each.id) is FitAnswer.FITS)
            chosen = [found[:MOST_LISTED], islice(fitting, MOST_LISTED)]
    return frozenset(each.id for row in chosen for each in row)


def ranked(matches: Matches, stock: Mapping[str, int], order: Rank | None = None) -> list[Match]:
    """Those whose stock is given, what can be bought now first; by default what fits before what needs an adapter."""

    def key(each: Match) -> tuple[object, ...]:
        facts = each.facts
        gone = not _can_be_bought(facts, stock)
        match order:
            case Rank.CHEAPEST:
                return gone, facts.price, facts.id
            case Rank.BEST:
                return gone, *(-value for value in facts.quality), facts.id
            case Rank.DEAREST:
                return gone, -facts.price, facts.id
        return gone, each.fit is FitAnswer.NEEDS_ADAPTER, facts.price, facts.id

    return sorted(matches.of(stock), key=key)


def chosen_among(shown: Iterable[Part], wanted: Attributes) -> Part | None:
    """The one of the parts on the screen that a description fits: by its attributes, then by its order."""
    every = [facts_of(part) for part in shown]
    found = [each for each in every if fits_description(each, replace(wanted, size=None))]
    if wanted.size is not None:
        sizes = all_facts.nearest_sizes(wanted.size, [each.size for each in found if each.size])
        found = [each for each in found if each.size in sizes]
    match wanted.order:
        case Rank.CHEAPEST:
            found = _lowest(found, [each.price for each in found])
        case Rank.DEAREST:
            found = _lowest(found, [-each.price for each in found])
        case Rank.BEST:
            found = found and [max(found, key=attrgetter("quality"))]
    return found[0].part if len(found) == 1 and wanted else None


# --- advice ------------------------------------------------------------------------------------


def recommend(
    catalogue: Catalogue,
    matches: Matches,
    stock: Mapping[str, int],
    *,
    budget: Money | None = None,
    car: Car | None = None,
) -> list[Recommendation]:
    """At most three of the matches that can be bought now, with reasons.

    With a budget: the best, the strongest and the cheapest of those that it pays with their installation, or without
    if it pays none with. Without: the cheapest, the middle and the best. The budget's matches are those up to it
    (`Attributes.price_max`).
    """
    offers = _offers(catalogue, matches, stock, car)
    pool = [each for each in offers if budget is None or each.price <= budget]
    whole = [each for each in pool if budget is None or each.installed <= budget] or pool
    if not whole:
        return []
    picks = _cheapest_middle_best(whole) if budget is None else _best_strongest_cheapest(whole)
    distinct = list({one.facts.id: one for one in picks}.values())
    if len(distinct) == 1 and len(whole) > 1:
        distinct.append(min((one for one in whole if one is not distinct[0]), key=_cost))
    return [replace(one, reasons=_reasons(one, whole, budget=budget)) for one in distinct[:MOST_PICKED]]


def together(
    catalogue: Catalogue, wanted: Sequence[Matches], stock: Mapping[str, int], *, budget: Money, car: Car | None = None
) -> list[Recommendation]:
    """One of each row of matches, installed within a budget for all: those with the highest list prices.

    The cheapest of each where the budget pays for none together; none of a row of which nothing can be bought.
    """
    rows = [sorted(_offers(catalogue, each, stock, car), key=_cost) for each in wanted]
    rows = [row for row in rows if row]
    chosen = [min(row, key=lambda one: (one.installed, one.facts.id)) for row in rows]
    left = budget - sum(one.installed for one in chosen)
    # The dearest work first: what is left of the budget betters one row after the other.
    for at in sorted(range(len(rows)), key=lambda at: -chosen[at].installed):
        able = [one for one in rows[at] if one.installed - chosen[at].installed <= left] if left > 0 else []
        if able:
            better = _best(able)
            left -= better.installed - chosen[at].installed
            chosen[at] = better
    return chosen


def compare(
    catalogue: Catalogue, first: Part, second: Part, stock: Mapping[str, int], *, car: Car | None = None
) -> Comparison:
    """The facts in which two parts differ; what the catalogue says of one alone is no difference."""
    pairs: dict[Fact, tuple[object, object]] = {
        Fact.PRICE: (price_of(first), price_of(second)),
        Fact.STOCK: (stock.get(first.id, 0), stock.get(second.id, 0)),
        Fact.TYPE: (first.type, second.type),
        Fact.SIZE: (facts_of(first).size, facts_of(second).size),
        Fact.CHANNELS: (first.channels, second.channels),
        Fact.WATTS: (first.watts, second.watts),
        Fact.WARRANTY: (first.warranty_months, second.warranty_months),
    }
    if car is not None:
        pairs[Fact.FIT] = (fit.answer_of(catalogue, first, car), fit.answer_of(catalogue, second, car))
    found = (Difference(fact, *pairs[fact]) for fact in Fact if fact in pairs)
    differ = (each for each in found if each.first is not None and each.second is not None)
    return Comparison(first, second, tuple(each for each in differ if each.first != each.second))


def nearest_in_price(one: Sequence[Match], other: Sequence[Match]) -> tuple[Part, Part] | None:
    """Of two rows of matches the pair of one category whose prices are nearest: what can fairly be compared."""
    pairs = ((a, b) for a in one for b in other if a.facts.category == b.facts.category and a.part is not b.part)
    found = min(pairs, key=lambda pair: abs(pair[0].facts.price - pair[1].facts.price), default=None)
    return (found[0].part, found[1].part) if found else None


def price_range(matches: Matches) -> tuple[Money, Money] | None:
    """The lowest and the highest price of matches."""
    return (matches.found[0].price, matches.found[-1].price) if matches.found else None


# --- work --------------------------------------------------------------------------------------


def installation(catalogue: Catalogue, part: Part) -> Service | None:
    """The service that installs a part; None: nobody can say which, and what it costs."""
    return catalogue.services.get(usual_installation(part, catalogue.services.values()) or "")


def installations(catalogue: Catalogue, category: str) -> list[Service]:
    """The services that install parts of a category, the cheapest first: also for parts that a customer brings."""
    return _cheapest_first(
        each for each in catalogue.services.values() if each.category == INSTALLATION and category in each.installs
    )


def repairs(catalogue: Catalogue, categories: Collection[str] = ()) -> list[Service]:
    """The services that repair such parts or find their fault, those for fewest categories first; without a category all.

    Where no service says what it repairs: all services of the category `repair`.
    """
    every = _cheapest_first(each for each in catalogue.services.values() if each.category == REPAIR or each.repairs)
    found = [each for each in every if not categories or not set(categories).isdisjoint(each.repairs)]
    return sorted(found, key=lambda each: len(each.repairs)) if found and categories else every


def work_minutes(catalogue: Catalogue, parts: Iterable[Part], services: Iterable[Service] = ()) -> int | None:
    """How long it takes to install one of each part and to do these services; None if that isn't known of a part."""
    works = [installation(catalogue, part) for part in parts]
    known = [each for each in works if each is not None]
    minutes = sum(each.minutes for each in known) + sum(each.minutes for each in services if each not in known)
    return minutes if len(known) == len(works) and minutes else None


def price_of(item: Part | Service) -> Money:
    """The price after discount."""
    return discounted(item.price, item.discount)


# --- helpers -----------------------------------------------------------------------------------


def _relaxations(attributes: Attributes) -> Iterable[tuple[str, ...]]:
    """What to give up, the least first: nothing, one attribute, then more and more of them."""
    said = [name for name in _RELAXED if getattr(attributes, name) is not None]
    yield ()
    yield from ((name,) for name in said)
    yield from (tuple(said[:count]) for count in range(2, len(said)))


def _fits(catalogue: Catalogue, found: Sequence[Facts], car: Car | None) -> Mapping[str, FitAnswer]:
    """Whether each of these fits, by id; perhaps also of others."""
    if car is None or not found:
        return {}
    of = {category: fit.answers(catalogue, category, car) for category in {each.category for each in found}}
    return next(iter(of.values())) if len(of) == 1 else {each.id: of[each.category][each.id] for each in found}


def _able(found: Sequence[Facts], fits: Mapping[str, FitAnswer]) -> Sequence[Facts]:
    """Those that fit or need an adapter; where there is none, those of which it isn't known."""
    if not fits:
        return found
    able = [each for each in found if fits[each.id] in CAN_BE_FITTED]
    return able or [each for each in found if fits[each.id] is FitAnswer.UNKNOWN]


def _can_be_bought(facts: Facts, stock: Mapping[str, int]) -> bool:
    return stock.get(facts.id, 0) > 0 and not facts.is_pre_order_only


def _offers(catalogue: Catalogue, matches: Matches, stock: Mapping[str, int], car: Car | None) -> list[Recommendation]:
    able = (each for each in matches.of(stock) if _can_be_bought(each.facts, stock))
    return [_offer(catalogue, each, stock[each.facts.id], car) for each in able]


def _offer(catalogue: Catalogue, match: Match, stock: int, car: Car | None) -> Recommendation:
    needs_adapter = match.fit is FitAnswer.NEEDS_ADAPTER
    adapter = fit.fit_of(catalogue, match.part, *car).adapter if needs_adapter and car else None
    price = match.facts.price + (price_of(adapter) if adapter else 0)
    return Recommendation(match.facts, stock, match.fit, (), price, adapter, installation(catalogue, match.part))


def _cost(one: Recommendation) -> tuple[Money, str]:
    return one.price, one.facts.id


def _best(pool: Sequence[Recommendation]) -> Recommendation:
    return max(sorted(pool, key=_cost), key=lambda one: one.facts.quality)


def _cheapest_middle_best(pool: Sequence[Recommendation]) -> list[Recommendation]:
    by_price = sorted(pool, key=_cost)
    return [by_price[0], by_price[len(by_price) // 2], _best(pool)]


def _best_strongest_cheapest(pool: Sequence[Recommendation]) -> list[Recommendation]:
    """Where no watts are known, the one with the longest warranty is in the place of the strongest."""
    by_price = sorted(pool, key=_cost)
    strongest = max(by_price, key=lambda one: (one.facts.power, one.facts.warranty_months))
    return [_best(pool), strongest, by_price[0]]


def _reasons(one: Recommendation, pool: Sequence[Recommendation], *, budget: Money | None) -> tuple[Reason, ...]:
    own, best = one.facts, _best(pool)

    def leads(value: float, values: Iterable[float]) -> bool:
        """Whether it is the largest, and not all are as large."""
        known = list(values)
        return value == max(known) > min(known)

    told = {
        Reason.CHEAPEST: leads(-one.price, (-each.price for each in pool)),
        Reason.HIGHEST_CLASS: one is best and len(pool) > 1,
        Reason.MOST_WATTS: leads(own.power, (each.facts.power for each in pool)),
        Reason.LONGEST_WARRANTY: leads(own.warranty_months, (each.facts.warranty_months for each in pool)),
        Reason.BIGGEST_SIZE: own.category in BIGGER_IS_BETTER and leads(own.area, (each.facts.area for each in pool)),
        Reason.FITS_WITHOUT_ADAPTER: one.fit is FitAnswer.FITS
        and any(each.fit is FitAnswer.NEEDS_ADAPTER for each in pool),
        Reason.ON_SALE: own.price < own.list_price,
        Reason.MIDDLE_PRICE: budget is None and one is not best and one is not min(pool, key=_cost),
    }
    return tuple(reason for reason in Reason if told[reason])


def _lowest(found: list[Facts], values: Sequence[int]) -> list[Facts]:
    lowest = min(values, default=0)
    return [each for each, value in zip(found, values, strict=True) if value == lowest]


def _cheapest_first(services: Iterable[Service]) -> list[Service]:
    return sorted((each for each in services if each.is_available), key=lambda each: (price_of(each), each.id))
