"""Which parts to buy: recommended, compared, listed by what was asked, on sale, and their warranty."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from conversations.advice.wish import (
    HUMAN,
    MAIN,
    MOST_OPTIONS,
    Advice,
    Wish,
    basket,
    before_tax,
    car_name,
    comma,
    for_car,
    goods_name,
    length_of,
    lines_of,
    matches_of,
    service_option,
    shown_parts,
    stock_of,
)
from conversations.shelf import is_sold_out, part_option, price_of
from conversations.shelf import stock_of as stock_text
from conversations.turn import Turn
from core import media
from core.catalogue import advice, facts, fit, snapshot
from core.catalogue.advice import Comparison, Difference, Fact, Match, Matches, Reason, Recommendation
from core.catalogue.attributes import Attributes, Rank
from core.catalogue.facts import Facts, facts_of
from core.catalogue.fit import Fit, FitAnswer
from core.db.tables import Part, Service
from core.messaging.messages import Document, Link, Option, Say, say
from core.money import Money

MOST_REASONS = 2
PACKAGE = "package"


# --- recommend ---------------------------------------------------------------------------------


async def recommend(turn: Turn, wish: Wish) -> Advice | None:
    """Two or three parts that fit car and budget, with reasons; in a given order, the first of that order."""
    if wish.attributes.order in (Rank.CHEAPEST, Rank.DEAREST):
        return await price(turn, wish)
    if not wish.says_what or len(wish.categories) > 1:
        return await _of_each(turn, wish)
    matches = matches_of(turn, wish)
    budget = None if "price_max" in matches.given_up else wish.attributes.price_max
    picks = advice.recommend(turn.catalogue, matches, await stock_of(turn, matches), budget=budget, car=wish.car)
    if not picks:
        return await price(turn, wish)
    if wish.attributes.order is Rank.BEST:
        picks = sorted(picks, key=lambda pick: pick.facts.quality, reverse=True)
    head = say("advice.recommend", goods=goods_name(wish), car=for_car(wish.car), budget=_budget(budget))
    says = [
        *given_up(wish.attributes, matches),
        _list(head, picks),
        *before_tax(turn),
        *_ask_for_car(turn, wish, picks),
    ]
    return Advice(says, _options(picks))


async def _of_each(turn: Turn, wish: Wish) -> Advice | None:
    """Of several categories one each, within the budget together; without a category, the best of each main one."""
    budget = wish.attributes.price_max
    if len(wish.categories) > 1:
        return await _together(turn, wish)
    if budget is None:
        return None
    picks: list[Recommendation] = []
    for found in _by_category(turn, wish, MAIN):
        if not found.given_up:
            stock = await stock_of(turn, found)
            picks += advice.recommend(turn.catalogue, found, stock, budget=budget, car=wish.car)[:1]
    packages = [each for each in turn.catalogue.services.values() if each.category == PACKAGE and each.is_available]
    affordable = sorted((each for each in packages if advice.price_of(each) <= budget), key=advice.price_of)[-1:]
    options = [*_options(picks), *(service_option(each, price_of(each)) for each in affordable)]
    if not options:
        return Advice([say("advice.nothing_for", budget=budget)], [HUMAN])
    head = say("advice.recommend_any", car=for_car(wish.car), budget=budget)
    lines = [replace(pick, reasons=()) for pick in picks]  # the best of its kind each
    return Advice([_list(head, lines), *before_tax(turn), *_ask_for_car(turn, wish, picks)], options[:MOST_OPTIONS])


async def _together(turn: Turn, wish: Wish) -> Advice:
    """One of each named category, with the total of all."""
    budget, rows = wish.attributes.price_max, _by_category(turn, wish, wish.categories)
    stock = {part: count for row in rows for part, count in (await stock_of(turn, row)).items()}
    if budget is None:
        found = [advice.recommend(turn.catalogue, row, stock, car=wish.car)[:1] for row in rows]
        picks = [pick for each in found for pick in each]
    else:
        picks = advice.together(turn.catalogue, rows, stock, budget=budget, car=wish.car)
    if not picks:
        return Advice([say("advice.none", car=for_car(wish.car))], [HUMAN])
    head = say("advice.recommend", goods=_names(wish.categories), car=for_car(wish.car), budget=_budget(budget))
    total = sum(pick.installed for pick in picks)
    key = "advice.together" if budget is None or total <= budget else "advice.together_above"
    lines = [replace(pick, reasons=()) for pick in picks]
    says = [_list(head, lines), say(key, total=total), *before_tax(turn), *_ask_for_car(turn, wish, picks)]
    return Advice(says, _options(picks)[:MOST_OPTIONS])


def _by_category(turn: Turn, wish: Wish, categories: Sequence[str]) -> list[Matches]:
    return [
        advice.matching(
            turn.catalogue, categories=(each,), attributes=wish.attributes, car=wish.car, excluded=wish.excluded
        )
        for each in categories
    ]


def _names(categories: Sequence[str]) -> Say | str:
    return comma([say(f"category.{each}") for each in categories])


def _list(head: Say, picks: Sequence[Recommendation]) -> Say:
    return lines_of([head, *map(_line, picks)])


def _line(pick: Recommendation) -> Say:
    reasons = [_reason(reason, pick) for reason in pick.reasons] or _short_facts(pick.facts)
    reasons = reasons[:MOST_REASONS]
    if pick.installation is None:
        return say("advice.pick", name=pick.part.name, why=comma(reasons))
    key = "advice.pick_adapter" if pick.adapter else "advice.pick_installed"
    return say(key, name=pick.part.name, why=comma(reasons), total=pick.installed)


def _reason(reason: Reason, pick: Recommendation) -> Say:
    match reason:
        case Reason.MOST_WATTS:
            return say("reason.most_watts", watts=_watts(pick.facts))
        case Reason.LONGEST_WARRANTY:
            return say("reason.longest_warranty", months=pick.part.warranty_months)
        case Reason.BIGGEST_SIZE:
            return say("reason.biggest_size", size=pick.facts.size)
        case Reason.ON_SALE:
            return say("reason.on_sale", percent=pick.part.discount)
    return say(f"reason.{reason}")


def _options(picks: Sequence[Recommendation]) -> list[Option]:
    return [part_option(pick.part, pick.stock, pick.fit) for pick in picks]


# --- compare -----------------------------------------------------------------------------------


async def compare(turn: Turn, wish: Wish) -> Advice | None:
    """The facts in which two parts differ: two that are named, or the like of two brands, or the two on the screen."""
    pair = _pair(turn, wish)
    if pair is None:
        return Advice([say("advice.compare_which")]) if wish.is_empty else await recommend(turn, wish)
    stock = await snapshot.stock(turn.session, [each.id for each in pair])
    found = advice.compare(turn.catalogue, *pair, stock, car=wish.car)
    lines = [_difference(each) for each in found.differences]
    first, second = (each.name for each in pair)
    head = say("advice.compare" if lines else "advice.compare_same", first=first, second=second)
    fits = [_fit_of(turn, wish, each) for each in pair]
    options = [part_option(part, stock.get(part.id, 0), answer) for part, answer in zip(pair, fits, strict=True)]
    return Advice([lines_of([head, *lines, *_verdict(found)])], options)


def _pair(turn: Turn, wish: Wish) -> tuple[Part, Part] | None:
    known = turn.catalogue.parts
    if len(wish.parts) >= 2:
        return known[wish.parts[0]], known[wish.parts[1]]
    if len(wish.parts) == 1 and (
        other := [each for each in wish.brands if each != known[wish.parts[0]].brand.casefold()]
    ):
        part = known[wish.parts[0]]
        return advice.nearest_in_price([Match(facts_of(part), None)], _of_brand(turn, wish, other[0], (part.category,)))
    if len(wish.brands) >= 2:
        one, two = (_of_brand(turn, wish, brand, wish.categories) for brand in wish.brands[:2])
        return advice.nearest_in_price(one, two)
    shown = shown_parts(turn)
    return (shown[0], shown[1]) if len(shown) >= 2 and wish.attributes == advice.ANY else None


def _of_brand(turn: Turn, wish: Wish, brand: str, categories: Sequence[str]) -> list[Match]:
    found = advice.matching(turn.catalogue, categories=categories, attributes=Attributes(brand=brand), car=wish.car)
    return found.of(advice.shortlist(found))


def _difference(each: Difference) -> Say:
    def shown(value: object) -> object:
        match each.fact:
            case Fact.TYPE:
                return say(f"type.{value}")
            case Fact.FIT:
                return say(f"advice.fit.{value}")
            case Fact.WARRANTY:
                return say("advice.months", months=value)
        return value

    return say(f"compare.{each.fact}", first=shown(each.first), second=shown(each.second))


def _verdict(found: Comparison) -> list[Say]:
    if found.cheaper is None:
        return []
    gap = abs(advice.price_of(found.first) - advice.price_of(found.second))
    return [say("advice.cheaper", name=found.cheaper.name, gap=gap)]


# --- price and stock ---------------------------------------------------------------------------


async def price(turn: Turn, wish: Wish) -> Advice | None:
    """One part with its picture, or the first five that match with their range of prices; of services their prices."""
    services = [] if wish.parts else [turn.catalogue.services[each] for each in wish.services[:MOST_OPTIONS]]
    offered = [service_option(each, price_of(each)) for each in services]
    if services and not wish.attributes:
        return Advice([say("advice.services")], offered)
    if not wish.says_what:
        return await _of_each(turn, wish)
    matches = matches_of(turn, wish)
    stock = await stock_of(turn, matches)
    found = advice.ranked(matches, stock, wish.attributes.order)
    if services:
        parts = [part_option(each.part, stock[each.facts.id], each.fit) for each in found]
        return Advice([say("advice.services")], [*offered, *parts][:MOST_OPTIONS])
    if not found:
        return Advice([say("advice.none", car=for_car(wish.car))], [HUMAN])
    if len(found) == 1 and not matches.given_up:
        return await look_at(turn, wish, found[0].part, stock.get(found[0].facts.id, 0))
    here = [each for each in found if not is_sold_out(each.part, stock.get(each.facts.id, 0))]
    shown = (here if here and not wish.parts else found)[:MOST_OPTIONS]
    options = [part_option(each.part, stock.get(each.facts.id, 0), each.fit) for each in shown]
    says = [
        *given_up(wish.attributes, matches),
        _range(wish, matches, found, stock),
        *_ask_for_car(turn, wish, shown),
    ]
    return Advice(says, options)


async def look_at(turn: Turn, wish: Wish, part: Part, stock: int) -> Advice:
    """All that is known of one part, its picture, and others where it can't be bought or doesn't fit."""
    found = fit.fit_of(turn.catalogue, part, *wish.car) if wish.car else None
    is_gone = is_sold_out(part, stock)
    is_offered = not is_gone and (found is None or found.answer is not FitAnswer.DOES_NOT_FIT)
    lines = [*_about(part, stock), *_fit_says(wish, found), *(_installed(turn, part, found) if is_offered else [])]
    says = [lines_of(lines), *(before_tax(turn) if is_offered else [])]
    document, link = await picture(turn, part)
    if is_offered:
        return Advice(says, [Option(part.id, say("advice.take"), price_of(part))], document, link)
    if is_gone and not part.is_pre_order_only:
        turn.state.put("sold_out", part.id)
        says.append(say("stock_alert.hint"))
    others = await _instead(turn, wish, part)
    return Advice([*says, say("advice.instead")] if others else says, others, document, link)


def _about(part: Part, stock: int) -> list[Say]:
    known = _short_facts(facts_of(part))
    if part.warranty_months:
        known.append(say("advice.warranty_of", months=part.warranty_months))
    return [say("advice.part", name=part.name, price=price_of(part), stock=stock_text(part, stock), about=comma(known))]


def _fit_says(wish: Wish, found: Fit | None) -> list[Say]:
    if found is None:
        return []
    car = car_name(wish.car)
    if found.adapter is not None:
        return [say("advice.fit_adapter", car=car, adapter=found.adapter.name, price=price_of(found.adapter))]
    return [say(f"advice.fit_for.{found.answer}", car=car)]


def _installed(turn: Turn, part: Part, found: Fit | None) -> list[Say]:
    """The price with its installation and the adapter it needs."""
    work = advice.installation(turn.catalogue, part)
    if work is None:
        return []
    items: list[Part | Service] = [part, work, *([found.adapter] if found and found.adapter else [])]
    total = sum(map(advice.price_of, items))
    return [say("advice.installed", service=work.name, total=total, length=length_of(work.minutes))]


async def picture(turn: Turn, part: Part) -> tuple[Document | None, Link | None]:
    """A part's first stored picture, else the first that is an address on the web."""
    images = await turn.session.scalar(select(Part.images).where(Part.id == part.id)) or []
    stored = next((Document("photo", each) for each in images if media.is_key(each)), None)
    linked = next((Link(each, say("advice.picture")) for each in images if media.is_link(each)), None)
    return stored, None if stored else linked


async def _instead(turn: Turn, wish: Wish, part: Part) -> list[Option]:
    """Others of the category that fit and can be bought, the nearest in price first."""
    found = advice.matching(
        turn.catalogue,
        categories=(part.category,),
        car=wish.car,
        excluded=wish.excluded,
    )
    kind = [each for each in found.found if part.type is None or part.type in each.types] or found.found
    nearest = sorted(kind, key=lambda each: abs(each.price - advice.price_of(part)))[: advice.MOST_OF_A_KIND]
    stock = await snapshot.stock(turn.session, [each.id for each in nearest])
    able = [each for each in nearest if not is_sold_out(each.part, stock.get(each.id, 0)) and each.id != part.id]
    return [part_option(each.part, stock[each.id], found.fits.get(each.id)) for each in able[: advice.MOST_PICKED]]


def _range(wish: Wish, matches: Matches, found: Sequence[Match], stock: Mapping[str, int]) -> Say:
    """How many can be bought, and from what price to what."""
    able = sorted(each.facts.price for each in found if not is_sold_out(each.part, stock.get(each.facts.id, 0)))
    goods, car = goods_name(wish), for_car(wish.car)
    if not able:
        return say("advice.all_gone", goods=goods, car=car)
    count = len(able) if len(found) == len(matches.found) else len(matches.found)
    key = "advice.range" if able[0] < able[-1] else "advice.one_price"
    return say(key, count=count, goods=goods, car=car, lowest=able[0], highest=able[-1])


# --- discount, warranty ------------------------------------------------------------------------


async def discount(turn: Turn, wish: Wish) -> Advice:
    """The price is fixed, politely; what is on sale; and a person for the rest."""
    on_sale = {each.id for each in facts.on_sale(turn.catalogue)}
    matches = matches_of(turn, wish)
    able = Matches([each for each in matches.found if each.id in on_sale], matches.fits)
    stock = await stock_of(turn, able)
    found = [each for each in advice.ranked(able, stock) if not is_sold_out(each.part, stock.get(each.facts.id, 0))]
    best = sorted(found, key=lambda each: -each.part.discount)[: MOST_OPTIONS - 1]
    options = [part_option(each.part, stock[each.facts.id], each.fit) for each in best]
    return Advice([say("advice.on_sale" if best else "advice.fixed_price")], [*options, HUMAN])


async def warranty(turn: Turn, wish: Wish) -> Advice:
    """The months of what is named or chosen, or from what to what they go."""
    named = [turn.catalogue.parts[each] for each in wish.parts] or ([] if not wish.is_empty else basket(turn))
    if named:
        lines = [_warranty_line(part) for part in named[:MOST_OPTIONS]]
        return Advice([lines_of([say("advice.warranty"), *lines, say("advice.warranty_from")])])
    found = advice.matching(turn.catalogue, categories=wish.categories, attributes=wish.attributes).found
    months = sorted(each.warranty_months for each in found if each.warranty_months)
    if not months:
        return Advice([say("advice.no_warranty")])
    key = "advice.warranty_range" if months[0] < months[-1] else "advice.warranty_same"
    head = say(key, goods=goods_name(wish), least=months[0], most=months[-1])
    return Advice([lines_of([head, say("advice.warranty_from")])])


def _warranty_line(part: Part) -> Say:
    key = "advice.warranty_line" if part.warranty_months else "advice.warranty_none"
    return say(key, name=part.name, months=part.warranty_months)


# --- words -------------------------------------------------------------------------------------


def _fit_of(turn: Turn, wish: Wish, part: Part) -> FitAnswer | None:
    return fit.answer_of(turn.catalogue, part, wish.car) if wish.car else None


def given_up(wanted: Attributes, matches: Matches) -> list[Say]:
    """What isn't to be had, named, since something near it is shown."""
    if not matches.given_up:
        return []
    words = [_attribute(name, getattr(wanted, name)) for name in matches.given_up]
    return [say("advice.given_up", what=comma(words))]


def _attribute(name: str, value: object) -> Say:
    return (
        say("attribute.type", value=say(f"type.{value}")) if name == "type" else say(f"attribute.{name}", value=value)
    )


def _short_facts(own: Facts) -> list[Say]:
    """What is said of a part in a few words: type, size, watts."""
    known = []
    if own.part.type is not None:
        known.append(say(f"type.{own.part.type}"))
    if own.size is not None:
        known.append(say("advice.size", size=own.size))
    if own.watts is not None:
        known.append(say("advice.watts", watts=_watts(own)))
    return known


def _watts(own: Facts) -> str:
    """ "4×80", "60"."""
    return f"{own.channels}×{own.watts}" if own.channels and own.channels > 1 else f"{own.watts}"


def _budget(budget: Money | None) -> Say | str:
    return "" if budget is None else say("advice.budget", budget=budget)


def _ask_for_car(turn: Turn, wish: Wish, shown: Sequence[Recommendation | Match]) -> list[Say]:
    """Where fit depends on the car, and no open order will ask for it."""
    depends = any(each.facts.mount != fit.UNIVERSAL for each in shown)
    return [say("advice.tell_car")] if depends and wish.car is None and turn.state.flow is None else []
