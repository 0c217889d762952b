"""What a message wants changed in a booking that stands: goods, technician, place or car; it reads only.

"nambah kamera mundur"   goods added, with their installation      "ga jadi subwoofernya"   taken out
"jbl nya ganti pioneer"  one in place of another of its category   "jadi 2"                 another quantity
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conversations.advice.wish import excluded_of
from conversations.turn import Turn
from conversations.understand.answers import reads_as_changing, reads_as_dropping, reads_as_joining
from conversations.understand.intents import Intent
from core.booking import Order
from core.catalogue.advice import matching
from core.catalogue.attributes import Attributes
from core.catalogue.snapshot import Catalogue
from core.db.tables import Part
from core.pricing.installations import INSTALLATION, usual_installation
from core.states import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A booking as the customer wants it, and what must still be asked."""

    order: Order
    parts: tuple[str, ...] = ()
    """The parts to choose from; none: no part is to be chosen."""
    instead: tuple[str, ...] = ()
    """The parts in whose place the chosen one comes."""
    quantity: int = 1
    not_by: tuple[str, ...] = ()
    """The technicians who aren't wanted, where another is to be chosen."""
    asks: frozenset[str] = field(default_factory=frozenset)
    """Of "part", "technician" and "address", what must be asked."""


def wanted_of(turn: Turn, order: Order) -> Wanted | None:
    """What the message wants changed of an order; None if nothing."""
    wanted = Wanted(order=order)
    if not _is_about_another_car(turn, order):
        wanted = _place(turn, _technician(turn, _goods(turn, wanted)))
    wanted = _car(turn, wanted)
    return wanted if wanted != Wanted(order=order) else None


def with_part(catalogue: Catalogue, order: Order, part: Part, quantity: int, instead: Iterable[str] = ()) -> Order:
    """The order with a part more, and with its usual installation; the parts in whose place it comes are taken out."""
    kept = without_parts(catalogue, order, instead) if instead else order
    had = _installs(catalogue, order, part.category)
    parts = dict(kept.parts)
    parts[part.id] = parts.get(part.id, 0) + quantity
    services = [*kept.services]
    is_new = part.category not in {catalogue.parts[each].category for each, _ in order.parts if each in catalogue.parts}
    if not _installs(catalogue, kept, part.category) and (is_new or had):
        usual = usual_installation(part, catalogue.services.values())
        services += [usual] if usual and usual not in services else []
    order = replace(kept, parts=tuple(parts.items()), services=tuple(services))
    return _with_usual_counts(catalogue, order, part.category)


def without_parts(catalogue: Catalogue, order: Order, gone: Iterable[str]) -> Order:
    """The order without these parts, and without the installations that nothing of their category needs any more."""
    gone = frozenset(gone)
    left = tuple((part, count) for part, count in order.parts if part not in gone)
    for category in {catalogue.parts[each].category for each in gone if each in catalogue.parts}:
        needed = any(catalogue.parts[part].category == category for part, _ in left if part in catalogue.parts)
        over = () if needed else _installs(catalogue, order, category)
        services = tuple(each for each in order.services if each not in over)
        order = _with_usual_counts(catalogue, replace(order, services=services), category)
    return replace(order, parts=left)


def _installs(catalogue: Catalogue, order: Order, category: str) -> tuple[str, ...]:
    """The order's services that install a category."""
    known = ((each, catalogue.services[each]) for each in order.services if each in catalogue.services)
    return tuple(each for each, it in known if it.category == INSTALLATION and category in it.installs)


def _with_usual_counts(catalogue: Catalogue, order: Order, category: str) -> Order:
    """How often the category's installations are done follows from the pieces again."""
    recounted = _installs(catalogue, order, category)
    times = tuple((each, count) for each, count in order.times if each in order.services and each not in recounted)
    return replace(order, times=times)


def _is_about_another_car(turn: Turn, order: Order) -> bool:
    said = turn.understood
    return said.model is not None and said.model != order.car_model


# --- goods ---------------------------------------------------------------------------------------


def _goods(turn: Turn, wanted: Wanted) -> Wanted:
    text, order = turn.incoming.text or "", wanted.order
    own = {part: turn.catalogue.parts[part] for part, _ in order.parts if part in turn.catalogue.parts}
    gone = _excluded(turn, own)
    drops = reads_as_dropping(text)
    joins = Intent.ADD in turn.understood.topics or reads_as_joining(text)
    if joins and not drops and not (turn.understood.date or turn.understood.time):
        return _added(turn, wanted, own)
    if gone or (reads_as_changing(text) and not drops):
        replaced = _replaced(turn, wanted, own, gone)
        if replaced is not None:
            return replaced
    return _dropped(turn, wanted, own, gone, drops=drops)


def _excluded(turn: Turn, own: Mapping[str, Part]) -> list[str]:
    """The booking's parts that the message doesn't want."""
    excluded = excluded_of(turn.understood.excluded)
    return [
        part.id
        for part in own.values()
        if part.id in excluded.parts or part.brand in excluded.brands or part.category in excluded.categories
    ]


def _added(turn: Turn, wanted: Wanted, own: Mapping[str, Part]) -> Wanted:
    said, order, categories = turn.understood, wanted.order, _categories(turn)
    services = [each for each in said.services if each not in order.services and not _installs_one(turn, each)]
    wanted = replace(wanted, order=replace(order, services=(*order.services, *services)))
    if not categories or (services and not said.parts):
        return wanted
    same = [part.id for part in own.values() if part.category in categories]
    if len(same) == 1 and not said.parts and not said.attributes and "lagi" in (turn.incoming.text or "").split():
        count = dict(order.parts)[same[0]] + (said.quantity or 1)
        return replace(wanted, order=_with_quantity(turn.catalogue, wanted.order, same[0], count))
    return _choose(turn, wanted, categories, ())


def _replaced(turn: Turn, wanted: Wanted, own: Mapping[str, Part], gone: Sequence[str]) -> Wanted | None:
    """One part in place of another of its category, or more or fewer of it."""
    said, order, categories = turn.understood, wanted.order, _categories(turn)
    touched = [part.id for part in own.values() if part.category in categories] or [*gone]
    if not touched and len(own) == 1 and (said.attributes or said.quantity):
        touched = [*own]
    if len(touched) != 1:
        return None
    part = own[touched[0]]
    if _names_another(said.parts, said.attributes, part):
        count = said.quantity or dict(order.parts)[part.id]
        return _choose(turn, replace(wanted, quantity=count), (part.category,), (part.id,))
    if gone:
        return None
    if said.quantity:
        return replace(wanted, order=_with_quantity(turn.catalogue, order, part.id, said.quantity))
    return _choose(turn, wanted, (part.category,), (part.id,)) if categories else None


def _dropped(turn: Turn, wanted: Wanted, own: Mapping[str, Part], gone: Sequence[str], *, drops: bool) -> Wanted:
    said, order, categories = turn.understood, wanted.order, _categories(turn)
    parts = gone or [part.id for part in own.values() if drops and part.category in categories]
    unwanted = {*said.excluded.get("services", ()), *(said.services if drops and not parts else ())}
    services = tuple(each for each in order.services if each not in unwanted)
    left = without_parts(turn.catalogue, replace(order, services=services), parts)
    # A booking of which nothing is left is cancelled instead.
    return replace(wanted, order=left) if left.parts or left.services else wanted


def _categories(turn: Turn) -> tuple[str, ...]:
    said, parts = turn.understood, turn.catalogue.parts
    named = [parts[each].category for each in said.parts if each in parts]
    return tuple(dict.fromkeys(named or said.categories))


def _installs_one(turn: Turn, service: str) -> bool:
    """Whether a service is the installation of what the message names, which comes with the part."""
    known = turn.catalogue.services.get(service)
    return known is not None and known.category == INSTALLATION and bool({*known.installs} & {*_categories(turn)})


def _names_another(parts: Iterable[str], attributes: Attributes, own: Part) -> bool:
    named = [each for each in parts if each != own.id]
    brand = attributes.brand is not None and attributes.brand != own.brand
    other_type = own.type is not None and attributes.type not in (None, own.type)
    return bool(named) or brand or other_type


def _with_quantity(catalogue: Catalogue, order: Order, part: str, count: int) -> Order:
    parts = tuple((each, count if each == part else many) for each, many in order.parts)
    return _with_usual_counts(catalogue, replace(order, parts=parts), catalogue.parts[part].category)


def _choose(turn: Turn, wanted: Wanted, categories: tuple[str, ...], instead: tuple[str, ...]) -> Wanted:
    """The only part that fits the words, or the parts to choose from."""
    said, order = turn.understood, wanted.order
    quantity = wanted.quantity if instead else min(said.quantity or 1, turn.shop.max_quantity)
    car = order.car_brand, order.car_model, order.car_year
    named = tuple(each for each in said.parts if each in turn.catalogue.parts and each not in instead)
    excluded = excluded_of(said.excluded)
    found = (
        matching(
            turn.catalogue, categories=categories, parts=named, attributes=said.attributes, car=car, excluded=excluded
        ).found
        or matching(turn.catalogue, categories=categories, parts=named, attributes=said.attributes).found
    )
    parts = [each.part for each in found if each.part.id not in instead]
    if len(parts) == 1:
        return replace(wanted, order=with_part(turn.catalogue, order, parts[0], quantity, instead))
    ids = tuple(part.id for part in parts)
    return replace(wanted, parts=ids, instead=instead, quantity=quantity, asks=wanted.asks | {"part"})


# --- technician, place, car ----------------------------------------------------------------------


def _technician(turn: Turn, wanted: Wanted) -> Wanted:
    said, order = turn.understood, wanted.order
    swaps = Intent.RESCHEDULE in said.topics and not (said.date or said.time or said.part_of_day)
    unwanted: tuple[str, ...] = tuple(said.excluded.get("technician", ()))
    is_named = said.technician_id is not None and said.technician_id != order.technician_id
    words = turn.incoming.text or ""
    if is_named and (swaps or unwanted or reads_as_changing(words)):
        return replace(wanted, order=replace(order, technician_id=said.technician_id))
    if unwanted and order.technician_id in (None, *unwanted):
        return replace(wanted, not_by=unwanted, asks=wanted.asks | {"technician"})
    if swaps and speaks_of_technician(words) and not said.technician_id:
        return replace(wanted, not_by=unwanted, asks=wanted.asks | {"technician"})
    return wanted


def _place(turn: Turn, wanted: Wanted) -> Wanted:
    said, order = turn.understood, wanted.order
    asks_where = Intent.LOCATION in said.topics
    if speaks_of_address(turn.incoming.text or "") and order.location is Location.ONSITE:
        return replace(wanted, asks=wanted.asks | {"address"})
    if said.location is None or said.location == order.location or asks_where or Intent.BOOK in said.topics:
        return wanted
    if said.location is Location.WORKSHOP:
        there = replace(order, location=Location.WORKSHOP, address=None, latitude=None, longitude=None)
        return replace(wanted, order=there)
    return replace(wanted, order=replace(order, location=Location.ONSITE), asks=wanted.asks | {"address"})


def _car(turn: Turn, wanted: Wanted) -> Wanted:
    """Another car, by its model and year; the booking's own must be denied or the car named as what changes."""
    said, order = turn.understood, wanted.order
    text = turn.incoming.text or ""
    if not (said.brand and said.model and said.year) or not _is_about_another_car(turn, order):
        return wanted
    denied = order.car_model in said.excluded.get("model", ())
    if not denied and not (reads_as_changing(text) and speaks_of_car(text)):
        return wanted
    car = replace(order, car_brand=said.brand, car_model=said.model, car_year=said.year, plate=None)
    return replace(wanted, order=car)


def speaks_of_technician(text: str) -> bool:
    return _has_word(text, ("teknisi", "technician", "mekanik", "montir"))


def speaks_of_address(text: str) -> bool:
    return _has_word(text, ("alamat", "address")) and reads_as_changing(text)


def speaks_of_car(text: str) -> bool:
    return _has_word(text, ("mobil", "car"))


def _has_word(text: str, beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in text.casefold().split())


# --- as answers of a conversation ----------------------------------------------------------------

_KEPT = (
    *("parts", "services", "times", "technician_id", "location", "address", "latitude", "longitude"),
    *("car_brand", "car_model", "car_year", "plate"),
)
_PAIRS = ("parts", "times")


def as_answer(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _KEPT}


def from_answer(order: Order, kept: Mapping[str, Any]) -> Order:
    """An order with what was kept of a change."""
    values: dict[str, Any] = dict(kept)
    for name in _PAIRS:
        if name in values:
            values[name] = tuple((each, count) for each, count in values[name])
    if "services" in values:
        values["services"] = tuple(values["services"])
    if "location" in values:
        values["location"] = Location(values["location"])
    return replace(order, **values)
