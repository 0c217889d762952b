"""The values of a line, those that are wanted apart from those that aren't, and the fields they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from conversations.understand.intents import Intent
from conversations.understand.lexicon import Lexicon, Named
from conversations.understand.said import Said, overlaps
from conversations.understand.spelling import Span
from conversations.understand.when import When

SLOTS = {"category": "categories", "part": "parts", "maker": "attributes.brand", "technician": "technician"}
"""The slots of names; a car's and its brand's are "model" and "brand"."""
EXCLUDABLE = frozenset(
    {"date", "time", "part_of_day", "technician", "brand", "model", "year", "categories", "parts", "services"}
    | {"location", "method", "attributes.brand", "attributes.type", "attributes.size"}
)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a line, those that are wanted apart from those that aren't."""

    wanted: Sequence[Said]
    unwanted: Sequence[Said]
    when: When
    spans: Sequence[Span]
    """The words of days and times."""

    def of(self, slot: str) -> list[Any]:
        return [said.value for said in self.wanted if said.slot == slot]

    def first(self, slot: str) -> Any:
        return next(iter(self.of(slot)), None)


def named(names: Sequence[Named], lexicon: Lexicon, alone: Sequence[Span]) -> Iterator[Said]:
    """The values of names; within those of services that need no part only its category: "peredam 4 pintu"."""
    for each in names:
        name = each.name
        if name.kind == "car":
            yield Said("model", name.of, each.span)
        elif name.kind == "part" and overlaps(each.span, alone):
            yield Said("categories", lexicon.catalogue.parts[name.of[0]].category, each.span)
        elif name.kind == "part":
            yield Said("parts", list(name.of), each.span)
        elif name.kind != "nothing":
            yield Said(SLOTS.get(name.kind, name.kind), name.of[0], each.span)


def within_a_name(said: Said, names: Sequence[Named]) -> bool:
    """Whether a size or type is a part of a name: "AP 6.5", "Frame HU Avanza"."""
    spans = [each.span for each in names if each.name.kind in {"car", "technician", "part"}]
    start, end = said.span
    return said.slot != "attributes.type" and any(first <= start and end <= last for first, last in spans)


def without_parts_of_others(said: Sequence[Said]) -> list[Said]:
    """Without what a longer wording of the same slot says: the "full" of "bayar full"."""
    return [each for each in said if not any(_is_part(each, other) for other in said)]


def _is_part(said: Said, other: Said) -> bool:
    inside = other.span[0] <= said.span[0] and said.span[1] <= other.span[1] and other.span != said.span
    return inside and said.slot == other.slot and said.slot in ("plan", "method", "location", "year", "quantity")


def with_bare(when: When, bare: Sequence[Said]) -> When:
    """With the day or time that only the question on the screen makes one: "10"."""
    days = [date.fromisoformat(said.value) for said in bare if said.slot == "date"]
    times = [time.fromisoformat(said.value) for said in bare if said.slot == "time"]
    if when.day is None and not when.time and days:
        return When(days[-1], part_of_day=when.part_of_day)
    if when.time is None and times:
        return When(when.day, times[-1], ambiguous=when.ambiguous, days=when.days)
    return when


def told(values: Values) -> Iterator[Said]:
    """The wanted values; of days and times, those that were taken."""
    when = values.when
    for said in values.wanted:
        match said.slot:
            case "time" if when.time:
                yield Said("time", f"{when.time:%H:%M}", said.span)
            case "date" if date.fromisoformat(said.value) in {when.day, *when.days}:
                yield said
            case "part_of_day" if when.part_of_day:
                yield said
            case "time" | "date" | "part_of_day":
                continue
            case _:
                yield said


def car_of(values: Values) -> tuple[str | None, str | None]:
    if cars := values.of("model"):
        brand, model = cars[0]
        return brand, model
    return values.first("brand"), None


def categories_of(values: Values, lexicon: Lexicon) -> list[str]:
    """The categories named, and those of the parts, in the order of the line."""
    found: list[str] = []
    for said in values.wanted:
        if said.slot == "categories":
            found.append(said.value)
        elif said.slot == "parts":
            found.extend(lexicon.catalogue.parts[part].category for part in said.value)
    return list(dict.fromkeys(found))


def services_of(
    values: Values, intents: Sequence[Intent], categories: Sequence[str], lexicon: Lexicon, *, own_parts: bool
) -> list[str]:
    """The services named; for a repair, that of what is broken; for the customer's own parts, their installation."""
    services = lexicon.catalogue.services
    found = values.of("services")
    if Intent.REPAIR in intents and not any(services[one].category == "repair" for one in found):
        found = [lexicon.repairs.get(category) or lexicon.repairs.get("") for category in categories or [""]]
    elif own_parts and not found:
        found = [
            one.id
            for one in services.values()
            if one.category == "installation" and not set(categories).isdisjoint(one.installs)
        ]
    return list(dict.fromkeys(one for one in found if one))


def excluded_of(values: Values, categories: Sequence[str]) -> Mapping[str, tuple[Any, ...]]:
    """The values that aren't wanted, but those that the line says elsewhere: "jangan sabtu pagi, sabtu sore aja"."""
    wanted = {("categories", each) for each in categories} | {each for said in values.wanted for each in _plain(said)}
    found: dict[str, dict[Any, None]] = {}
    for said in values.unwanted:
        for slot, value in _plain(said)[:1] if said.slot == "model" else _plain(said):
            if slot in EXCLUDABLE and (slot, value) not in wanted:
                found.setdefault(slot, {})[value] = None
    return {slot: tuple(each) for slot, each in found.items()}


def _plain(said: Said) -> list[tuple[str, Any]]:
    """A value as fields hold it: of parts each, of a car its model, then its brand."""
    if said.slot == "parts":
        return [("parts", part) for part in said.value]
    if said.slot == "model":
        brand, model = said.value
        return [("model", model), ("brand", brand)]
    return [(said.slot, said.value)]
