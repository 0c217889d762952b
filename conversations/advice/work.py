"""What the shop's work costs and how long it takes: installation, also of own parts, and repair."""

from collections.abc import Sequence

from conversations import draft
from conversations.advice.wish import (
    HUMAN,
    MOST_OPTIONS,
    Advice,
    Wish,
    category_name,
    length_of,
    service_option,
)
from conversations.shelf import price_of
from conversations.turn import Turn
from core.catalogue import advice
from core.db.tables import Part, Service
from core.messaging.messages import Option, Say, say
from core.states import Location

OFTEN_BROUGHT = ("speaker", "headunit", "subwoofer", "amplifier")


async def duration(turn: Turn, wish: Wish) -> Advice | None:
    """How long the named or chosen parts and services take; of a category, from the shortest to the longest."""
    known = turn.catalogue
    if wish.is_empty:
        ordered = sum(known.services[each].minutes * count for each, count in draft.times(turn).items())
        return Advice(_takes(turn, ordered, ordered) if ordered else [say("advice.duration_of_what")])
    services = [known.services[each] for each in wish.services]
    if not wish.parts and not services:
        works = sorted(each.minutes for each in _of_types(turn, wish) or _installations(turn, wish.categories))
        return Advice(_takes(turn, works[0], works[-1])) if works else None
    spans = [
        [advice.work_minutes(known, [part]) for part in parts]
        for parts in _alternatives([known.parts[each] for each in wish.parts])
    ]
    if any(minutes is None for span in spans for minutes in span):
        return Advice([say("advice.duration_unknown")], [HUMAN])
    lengths = [sorted(filter(None, span)) for span in spans]
    installing = {work.id for each in wish.parts if (work := advice.installation(known, known.parts[each]))}
    rest = sum(each.minutes for each in services if each.id not in installing)
    shortest, longest = (rest + sum(span[at] for span in lengths) for at in (0, -1))
    return Advice(_takes(turn, shortest, longest))


async def own_parts(turn: Turn, wish: Wish) -> Advice:
    """The price of the installation alone, for a part that the customer brings."""
    categories = wish.categories or tuple(turn.catalogue.parts[each].category for each in wish.parts)
    named = sorted((turn.catalogue.services[each] for each in wish.services), key=advice.price_of)
    works = _of_types(turn, wish) or named or _installations(turn, categories or OFTEN_BROUGHT)
    if not works:
        return Advice([say("advice.own_parts_ask")], [HUMAN])
    return Advice([say("advice.own_parts", goods=category_name(categories))], _options(works))


async def repair(turn: Turn, wish: Wish) -> Advice:
    """The services that repair such parts, or find the fault: never parts for sale."""
    categories = {*wish.categories, *(turn.catalogue.parts[each].category for each in wish.parts)}
    services = [turn.catalogue.services[each] for each in wish.services]
    named = [each for each in services if each.category == advice.REPAIR or each.repairs]
    works = named or advice.repairs(turn.catalogue, categories)
    if not works:
        return Advice([say("advice.repair_none")], [HUMAN])
    return Advice([say("advice.repair")], _options(works))


def _takes(turn: Turn, shortest: int, longest: int) -> list[Say]:
    key = "advice.duration" if shortest == longest else "advice.duration_range"
    return [say(key, length=length_of(shortest), longest=length_of(longest)), *_onsite(turn)]


def _alternatives(parts: Sequence[Part]) -> list[list[Part]]:
    """Named parts by category: two of one category are one or the other, as a name may mean both."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.category, []).append(part)
    return list(found.values())


def _of_types(turn: Turn, wish: Wish) -> list[Service]:
    """The installations for the described type: "pasang split doang"."""
    wanted = wish.attributes.type
    return [each for each in _installations(turn, wish.categories) if wanted and wanted in each.installs_types]


def _installations(turn: Turn, categories: Sequence[str]) -> list[Service]:
    found = [each for category in categories for each in advice.installations(turn.catalogue, category)]
    return list({each.id: each for each in found}.values())


def _onsite(turn: Turn) -> list[Say]:
    travel = turn.shop.onsite_travel_minutes
    is_onsite = turn.state.get("location") == Location.ONSITE and travel
    return [say("advice.travel", length=length_of(travel))] if is_onsite else []


def _options(works: Sequence[Service]) -> list[Option]:
    return [service_option(each, price_of(each)) for each in works[:MOST_OPTIONS]]
