"""What a question is about, and what an answer is made of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial, reduce
from typing import Any

from conversations import draft
from conversations.shelf import joined
from conversations.turn import Turn
from conversations.understand.choosing import read_names
from core.catalogue import facts, snapshot
from core.catalogue.advice import ANY, NOTHING, Car, Excluded, Matches, matching, shortlist
from core.catalogue.attributes import Attributes
from core.db.tables import Part, Service
from core.messaging.messages import Document, Link, Option, Say, say

HUMAN = Option("human", say("option.human"))
MOST_OPTIONS = 5
MAIN = ("speaker", "headunit", "subwoofer", "amplifier")
"""What is meant by somebody who names no category."""
KEPT = "not"
"""The answer of an order that keeps what the customer doesn't want (`exclusions`)."""
_SHOWS_PARTS = (None, "category", "part")
"""Questions beside which the parts on the screen are what "it" means."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to say, above the open question; options are parts or services by their id, or `human`."""

    says: Sequence[Say]
    options: Sequence[Option] = ()
    document: Document | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message names and describes; the open order says what it leaves out."""

    text: str = ""
    categories: Sequence[str] = ()
    parts: Sequence[str] = ()
    services: Sequence[str] = ()
    attributes: Attributes = ANY
    excluded: Excluded = NOTHING
    car: Car | None = None
    day: date | None = None
    brands: Sequence[str] = field(default=())
    """The brands of parts that it names, in small letters."""
    own_parts: bool = False
    """The customer brings the parts: only the work is wanted."""

    @property
    def is_empty(self) -> bool:
        """Whether no goods are named or described."""
        return not (self.categories or self.parts or self.services or self.attributes or self.brands)

    @property
    def says_what(self) -> bool:
        """Whether it says which goods, and not only for how much or in which order."""
        of = self.attributes
        return bool(self.categories or self.parts or of.brand or of.size or of.type or of.channels or of.watts)


def wish_of(turn: Turn, attributes: Attributes | None = None, excluded: Excluded | None = None) -> Wish:
    """What the message wishes, with the car and the goods of the open order where it names none."""
    understood, known = turn.understood, turn.catalogue
    wanted = attributes or understood.attributes
    text = turn.incoming.text or ""
    named = [part for part in understood.parts if part in known.parts]
    categories = [each for each in understood.categories if not named]
    if not (named or categories or understood.services):
        categories = _open_category(turn) or (_ordered_categories(turn) if wanted else [])
    return Wish(
        text=text,
        categories=tuple(categories),
        parts=tuple(named),
        services=tuple(each for each in understood.services if each in known.services),
        attributes=wanted,
        excluded=excluded or _excluded(turn, wanted, [*named, *understood.categories]),
        car=car_of(turn),
        day=understood.date,
        brands=tuple(read_names(text, facts.brands(known))),
        own_parts=understood.own_parts,
    )


def excluded_of(by_slot: Mapping[str, Collection[Any]]) -> Excluded:
    """What the reader found excluded, by its slots; "brand" is that of a car."""
    return Excluded(
        parts=frozenset(by_slot.get("parts", ())),
        brands=frozenset(by_slot.get("attributes.brand", ())),
        types=frozenset(by_slot.get("attributes.type", ())),
        sizes=frozenset(by_slot.get("attributes.size", ())),
        categories=frozenset(by_slot.get("categories", ())),
    )


def car_of(turn: Turn) -> Car | None:
    """The car that the message names, or the open order's; None while its year isn't known."""
    understood, state = turn.understood, turn.state
    if understood.brand and understood.model:
        year = understood.year or (state.get("year") if state.get("model") == understood.model else None)
        return (understood.brand, understood.model, year) if year else None
    return draft.car(turn)


def matches_of(turn: Turn, wish: Wish) -> Matches:
    """The parts that a wish describes: named ones whether they fit or not, unless they aren't as it says.

    Without a category those of the main ones, if there are any: "pioneer ada?" isn't about a steering remote.
    """
    named = matching(turn.catalogue, parts=wish.parts, attributes=wish.attributes, excluded=wish.excluded)
    if wish.parts and named.found and not named.given_up:
        return named
    of_parts = tuple(dict.fromkeys(turn.catalogue.parts[each].category for each in wish.parts))
    search = partial(matching, turn.catalogue, attributes=wish.attributes, car=wish.car, excluded=wish.excluded)
    categories = wish.categories or of_parts
    found = search(categories=categories or MAIN)
    return found if categories or (found.found and not found.given_up) else search(categories=())


def goods_name(wish: Wish) -> Say | str:
    """ "Speaker", "Speaker Pioneer", "Pioneer"."""
    brand, goods = wish.attributes.brand, category_name(wish.categories)
    if brand is None:
        return goods
    return say("advice.of_brand", goods=goods, brand=brand) if wish.categories else brand


async def stock_of(turn: Turn, matches: Matches) -> dict[str, int]:
    return await snapshot.stock(turn.session, shortlist(matches))


def car_name(car: Car | None) -> str:
    return " ".join(map(str, car)) if car else ""


def for_car(car: Car | None) -> Say | str:
    return say("advice.for_car", car=car_name(car)) if car else ""


def category_name(categories: Sequence[str]) -> Say:
    return say(f"category.{categories[0]}") if len(categories) == 1 else say("advice.goods")


def before_tax(turn: Turn) -> list[Say]:
    """Prices of the catalogue are before PPN, which some shops add."""
    return [say("advice.before_tax")] if turn.shop.charge_ppn else []


def comma(words: Iterable[Say]) -> Say | str:
    """Texts in a row."""
    every = list(words)
    return reduce(lambda first, second: say("advice.and", first=first, second=second), every) if every else ""


def lines_of(lines: Sequence[Say]) -> Say:
    """One paragraph."""
    return say("advice.lines", lines=[*lines])


def length_of(minutes: int) -> Say:
    """ "1 jam 30 menit"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return say("advice.minutes", minutes=rest)
    return say("advice.hours", hours=hours) if not rest else say("advice.hours_minutes", hours=hours, minutes=rest)


def service_option(service: Service, price: Say) -> Option:
    return Option(service.id, service.name, joined([price, length_of(service.minutes)]))


def basket(turn: Turn) -> list[Part]:
    return draft.basket_parts(turn)


def shown_parts(turn: Turn) -> list[Part]:
    """The parts on the screen."""
    if turn.state.asked not in _SHOWS_PARTS:
        return []
    return parts_on_screen(turn)


def parts_on_screen(turn: Turn) -> list[Part]:
    """Also those whose button orders them at once ("order:jbl-club-605csq")."""
    ids = (option.rpartition(":")[2] for option, _ in turn.state.shown)
    return [turn.catalogue.parts[each] for each in ids if each in turn.catalogue.parts]


def _excluded(turn: Turn, wanted: Attributes, named: Collection[str]) -> Excluded:
    """What this message and earlier ones don't want, but what it names itself."""
    slots = [*_slots(turn.state.get(KEPT, {})), *_slots(turn.understood.excluded)]
    again = {*named, wanted.brand, wanted.type, wanted.size}
    values: dict[str, list[Any]] = {}
    for slot, value in slots:
        if value not in again:
            values.setdefault(slot, []).append(value)
    return excluded_of(values)


def _slots(by_slot: Mapping[str, Collection[Any]]) -> Iterable[tuple[str, Any]]:
    return ((slot, value) for slot, values in by_slot.items() for value in values)


def _ordered_categories(turn: Turn) -> list[str]:
    """What "pioneer ada?" means to somebody who has chosen a speaker."""
    return list(dict.fromkeys(part.category for part in basket(turn)))


def _open_category(turn: Turn) -> list[str]:
    category = turn.state.get("category")
    return [category] if category in turn.catalogue.shelves else []
