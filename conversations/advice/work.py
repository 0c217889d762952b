"""What the shop's work costs and how long it takes: installation, also of own parts, and repair."""

from collections.abc import Sequence

from conversations.advice.wish import (
    HUMAN,
    MOST_OPTIONS,
    Advice,
    Wish,
    basket,
    category_name,
    length_of,
    matches_of,
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
    services = [known.services[each] for each in wish.services]
    parts = _parts(turn, wish)
    if parts or services:
        minutes = advice.work_minutes(known, parts, services)
        if minutes is None:
            return Advice([say("advice.duration_unknown")], [HUMAN])
        return Advice([say("advice.duration", length=length_of(minutes)), *_onsite(turn)])
    works = sorted(_installations(turn, wish.categories), key=lambda each: each.minutes)
    if not works:
        return Advice([say("advice.duration_of_what")]) if wish.is_empty else None
    shortest, longest = works[0].minutes, works[-1].minutes
    key = "advice.duration" if shortest == longest else "advice.duration_range"
    return Advice([say(key, length=length_of(shortest), longest=length_of(longest))])


async def own_parts(turn: Turn, wish: Wish) -> Advice:
    """The price of the installation alone, for a part that the customer brings."""
    categories = wish.categories or tuple(turn.catalogue.parts[each].category for each in wish.parts)
    works = _of_types(turn, wish) or _installations(turn, categories or OFTEN_BROUGHT)
    if not works:
        return Advice([say("advice.own_parts_ask")], [HUMAN])
    return Advice([say("advice.own_parts", goods=category_name(categories))], _options(works))


async def repair(turn: Turn, wish: Wish) -> Advice:
    """The services that repair such parts, or find the fault: never parts for sale."""
    categories = {*wish.categories, *(turn.catalogue.parts[each].category for each in wish.parts)}
    named = [turn.catalogue.services[each] for each in wish.services]
    works = named or advice.repairs(turn.catalogue, categories)
    if not works:
        return Advice([say("advice.repair_none")], [HUMAN])
    return Advice([say("advice.repair")], _options(works))


def _of_types(turn: Turn, wish: Wish) -> list[Service]:
    """The installations for the described type: "pasang split doang"."""
    wanted = wish.attributes.type
    return [each for each in _installations(turn, wish.categories) if wanted and wanted in each.installs_types]


def _installations(turn: Turn, categories: Sequence[str]) -> list[Service]:
    found = [each for category in categories for each in advice.installations(turn.catalogue, category)]
    return list({each.id: each for each in found}.values())


def _parts(turn: Turn, wish: Wish) -> list[Part]:
    if wish.parts:
        return [turn.catalogue.parts[each] for each in wish.parts]
    if wish.services or wish.categories:
        return []
    if wish.attributes:
        return [each.part for each in matches_of(turn, wish).found[:1]]
    return basket(turn)


def _onsite(turn: Turn) -> list[Say]:
    travel = turn.shop.onsite_travel_minutes
    is_onsite = turn.state.get("location") == Location.ONSITE and travel
    return [say("advice.travel", length=length_of(travel))] if is_onsite else []


def _options(works: Sequence[Service]) -> list[Option]:
    return [service_option(each, price_of(each)) for each in works[:MOST_OPTIONS]]
