"""Puts together what the readers find in one line: `understand`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any

from conversations.understand.act_list import acts_of, distinct, rest_of
from conversations.understand.acts import Act
from conversations.understand.answers import read_skip, read_whatever
from conversations.understand.attributes import attributes_in
from conversations.understand.context import (
    ABOUT_PAYING,
    FREE_TEXT,
    MOST_WORDS_OF_A_NAME,
    Asked,
    bare_answers,
    contacts_in,
)
from conversations.understand.cues import find
from conversations.understand.intents import Intent, Topic, topics_of
from conversations.understand.lexicon import Lexicon, Named
from conversations.understand.numbers import counts_in, take_years, with_digits, without_amounts
from conversations.understand.paying import DOWN, is_sure, methods_in, plain_plans_in, plans_in
from conversations.understand.polarity import rejected
from conversations.understand.said import Said
from conversations.understand.spelling import Line, Span, replace, text_at, tokenise
from conversations.understand.stances import Stance, stances_in
from conversations.understand.understanding import Understanding
from conversations.understand.when import When, take_when, values_of, when_of
from core.catalogue.attributes import Attributes
from core.shop import Shop
from core.states import Location

ABOUT_A_VISIT = frozenset({None, Intent.BOOK, Intent.HOURS, Intent.RESCHEDULE, Intent.REPAIR, Intent.ADD})
"""Topics with which "sekarang" and "nanti jam 3" mean an appointment."""
ABOUT_MONEY = frozenset({Intent.PAY, Intent.PAYMENT_TERMS, Intent.PAYMENT_HELP})
"""Topics with which a day alone is that of paying: "belum bisa bayar sekarang, besok ya"."""
OPTIONAL = frozenset(
    {"email", "plate", "phone", "name", "address", "services", "service", "part", "category", "year", "technician"}
)
"""Slots that somebody may leave out."""
ASKING = frozenset({"?", "bisa", "boleh", "berapa", "apa", "apakah", "bagaimana", "kapan"})
BEFORE_A_METHOD = frozenset({"pakai", "via", "lewat"})
GREETINGS = frozenset({"pagi", "siang", "sore", "malam"})
BEFORE_A_GREETING = frozenset({"halo", "kak", "selamat", "sugeng", "wilujeng", ",", "."})
AFTER_A_GREETING = frozenset({"", "kak", "semua", "admin", ",", ".", "!"})
SLOTS = {"category": "categories", "part": "parts", "maker": "attributes.brand", "technician": "technician"}
"""The slots of names; a car's and its brand's are "model" and "brand"."""
EXCLUDABLE = frozenset(
    {"date", "time", "part_of_day", "technician", "brand", "model", "year", "categories", "parts", "services"}
    | {"location", "method", "attributes.brand", "attributes.type", "attributes.size"}
)
ATTRIBUTES = tuple(field.name for field in fields(Attributes))
A_NAME = frozenset({"technician", "maker", "car", "brand"})


@dataclass(frozen=True, slots=True)
class _Values:
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


def understand(text: str, lexicon: Lexicon, *, now: datetime, shop: Shop, asked: str | None = None) -> Understanding:
    """What a text says; never raises.

    `now` is when it was written. `asked` is the name of the step whose question is on the screen: it decides what bare
    words mean ("10", "lunas", "bebas").
    """
    typed = tokenise(text)
    names, line = lexicon.take_names(typed if asked == "time" else _with_greeting(typed))
    attributes = [each for each in attributes_in(line, typed) if not _within_a_name(each, names)]
    counted = with_digits(line)
    line = without_amounts(counted)
    pieces, tagged = take_when(line, now, shop)
    years, tagged = take_years(tagged, shop.local(now))
    topics = topics_of(tagged)
    intents = tuple(dict.fromkeys(topic.intent for topic in topics))
    if asked in FREE_TEXT and not intents and len(typed) <= MOST_WORDS_OF_A_NAME:
        names = [each for each in names if each.name.kind not in A_NAME]  # "Agus" is the customer
    places = [Said("location", Location(each.rule.name), each.span(tagged)) for each in find(tagged, "locations.yaml")]
    paying = list(_paying(tagged, counted, intents, asked))
    marked = _marked(tagged, [*places, *(said for said in paying if said.slot == "method")])
    negations = rejected(marked)
    out = [(token.start, token.end) for token in marked if token.start in negations]
    when = when_of([each for each in pieces if not _is_in(each.span, out)], line, now, shop)
    main = intents[0] if intents else None
    pays_then = main in ABOUT_MONEY and not when.time and asked not in ("date", "time") and not names
    if pays_then or (when.faint and main not in ABOUT_A_VISIT):
        when = When(time=when.time, part_of_day=when.part_of_day)
    services = lexicon.services_in(typed)
    said = [
        *_named(
            names, lexicon, [each.span for each in services if not lexicon.catalogue.services[each.value].installs]
        ),
        *attributes,
        *services,
        *values_of([each for each in pieces if not _is_in(each.span, out)], now, shop),
        *values_of([each for each in pieces if _is_in(each.span, out)], now, shop),
        *years,
        *places,
        *paying,
        *counts_in(tagged),
        *contacts_in(text, typed),
    ]
    bare = bare_answers(asked, Asked(text, tagged, counted, shop.local(now), shop))
    if Intent.PAYMENT_TERMS in intents:
        said = [each for each in said if each.slot != "quantity"]  # "cicil 3x"
    said = _without_parts_of_others([*said, *bare])
    values = _Values(
        wanted=[each for each in said if not _is_in(each.span, out)],
        unwanted=[_negated(each, negations) for each in said if _is_in(each.span, out)],
        when=_with_bare(when, bare),
        spans=[each.span for each in pieces],
    )
    if _tells_how_to_pay(values, typed, topics, asked):
        topics = [topic for topic in topics if topic.intent is not Intent.PAYMENT_TERMS]
    return _understood(text, typed, marked, values, topics, lexicon, asked)


def _understood(
    text: str, typed: Line, line: Line, values: _Values, topics: Sequence[Topic], lexicon: Lexicon, asked: str | None
) -> Understanding:
    when = values.when
    flags = {found.rule.name: found.span(line) for found in find(line, "corrections.yaml")}
    intents = [topic.intent for topic in topics]
    says_more = bool(values.wanted or when)
    if intents[:1] == [Intent.GREET] and says_more:
        intents = intents[1:]  # "siang kak, besok bisa?" is more than a greeting
    brand, model = _car(values)
    technician, technicians = values.first("technician"), lexicon.catalogue.technicians
    excluded = _excluded(values)
    categories = _categories(values, lexicon)
    stances = _stances(text, line, values, asked)
    acts = acts_of(
        text,
        line,
        topics=[topic for topic in topics if topic.intent in intents],
        wanted=[*_told(values), *(Said(name, True, span) for name, span in flags.items() if name != "correction")],
        unwanted=[said for said in values.unwanted if said.slot in EXCLUDABLE],
        stances=stances,
        correction=flags.get("correction"),
        asked=asked,
    )
    return Understanding(
        intent=intents[0] if intents else None,
        topics=tuple(intents),
        acts=distinct(acts),
        categories=categories,
        parts=list(dict.fromkeys(part for parts in values.of("parts") for part in parts)),
        services=_services(values, intents, categories, lexicon, own_parts="own_parts" in flags),
        brand=brand,
        model=model,
        year=values.first("year"),
        date=when.day,
        date_is_ambiguous=when.ambiguous,
        dates=when.days if when.ambiguous else (),
        time=when.time,
        part_of_day=when.part_of_day,
        technician=technicians[technician].name if technician else None,
        technician_id=technician,
        location=values.first("location"),
        quantity=values.first("quantity"),
        method=values.first("method"),
        plan=values.first("plan"),
        attributes=Attributes(**{field: values.first(f"attributes.{field}") for field in ATTRIBUTES}),
        excluded=excluded,
        excluded_technicians=tuple(technicians[one].name for one in excluded.get("technician", ())),
        any=_slots(stances, Act.ANY),
        unknown=_slots(stances, Act.UNKNOWN),
        refused=_slots(stances, Act.REFUSE),
        rest=rest_of(text, typed, [*(span for _, span in acts), *flags.values(), *_spoken(topics), *values.spans]),
        wants_correction="correction" in flags,
        own_parts="own_parts" in flags,
        parts_only="parts_only" in flags and "own_parts" not in flags,
    )


def _with_greeting(line: Line) -> Line:
    """The part of the day in "siang bang" or "selamat sore" as <greeting>, since it is no time to come."""
    at = 0
    while text_at(line, at) in BEFORE_A_GREETING:
        at += 1
    led = text_at(line, at - 1) in {"selamat", "sugeng", "wilujeng"}
    if text_at(line, at) in GREETINGS and (led or text_at(line, at + 1) in AFTER_A_GREETING):
        return replace(line, at, at + 1, "<greeting>")
    return line


def _named(names: Sequence[Named], lexicon: Lexicon, alone: Sequence[Span]) -> Iterator[Said]:
    """The values of names; within those of services that need no part only its category: "peredam 4 pintu"."""
    for each in names:
        name = each.name
        if name.kind == "car":
            yield Said("model", name.of, each.span)
        elif name.kind == "part" and _is_in(each.span, alone):
            yield Said("categories", lexicon.catalogue.parts[name.of[0]].category, each.span)
        elif name.kind == "part":
            yield Said("parts", list(name.of), each.span)
        elif name.kind != "nothing":
            yield Said(SLOTS.get(name.kind, name.kind), name.of[0], each.span)


def _paying(line: Line, counted: Line, intents: Sequence[Intent], asked: str | None) -> Iterator[Said]:
    """Method and plan, where the line or the question on the screen is about money."""
    about_money = asked in ABOUT_PAYING or not ABOUT_MONEY.isdisjoint(intents)
    for said in methods_in(line):
        at = next(at for at, token in enumerate(line) if token.start == said.span[0])
        is_money = text_at(line, at + 1) == "<amount>"  # "dana 3 juta"
        if not is_money and (about_money or is_sure(line, said) or text_at(line, at - 1) in BEFORE_A_METHOD):
            yield said
    if intents[:1] in ((Intent.CANCEL,), (Intent.PAID,)):
        return  # "uang dp balik ga?", "udah bayar dp kemarin"
    if about_money:
        yield from plain_plans_in(counted)
    only_asks = Intent.PAYMENT_TERMS in intents and asked not in ABOUT_PAYING and _asks(line)
    yield from (said for said in plans_in(counted) if not (only_asks and said.value == DOWN))


def _tells_how_to_pay(values: _Values, line: Line, topics: Sequence[Topic], asked: str | None) -> bool:
    """Whether words of paying answer or tell, rather than ask: "dp aja" beside the question or another topic."""
    told = values.of("plan") or values.of("method")
    return bool(told and not _asks(line) and (asked in ABOUT_PAYING or len(topics) > 1 or values.of("plan")))


def _asks(line: Line) -> bool:
    return any(token.text in ASKING for token in line)


def _marked(line: Line, said: Sequence[Said]) -> Line:
    """The line with <location> and <method> in place of those."""
    for each in sorted(said, key=lambda one: -one.span[1]):
        places = [at for at, token in enumerate(line) if each.span[0] <= token.start and token.end <= each.span[1]]
        if places:
            line = replace(line, places[0], places[-1] + 1, f"<{each.slot}>")
    return line


def _without_parts_of_others(said: Sequence[Said]) -> list[Said]:
    """Without what a longer wording of the same slot says: the "full" of "bayar full"."""
    return [each for each in said if not any(_is_part(each, other) for other in said)]


def _is_part(said: Said, other: Said) -> bool:
    inside = other.span[0] <= said.span[0] and said.span[1] <= other.span[1] and other.span != said.span
    return inside and said.slot == other.slot and said.slot in ("plan", "method", "location", "year", "quantity")


def _negated(said: Said, negations: Mapping[int, Span]) -> Said:
    """A value with the words that exclude it: "selain jumat"."""
    start, end = negations.get(said.span[0], said.span)
    return Said(said.slot, said.value, (min(start, said.span[0]), max(end, said.span[1])))


def _is_in(span: Span, spans: Sequence[Span]) -> bool:
    """Whether a span overlaps one of those."""
    return any(start < span[1] and span[0] < end for start, end in spans)


def _within_a_name(said: Said, names: Sequence[Named]) -> bool:
    """Whether a size or type is a part of a name: "AP 6.5", "Frame HU Avanza"."""
    spans = [each.span for each in names if each.name.kind in {"car", "technician", "part"}]
    start, end = said.span
    return said.slot != "attributes.type" and any(first <= start and end <= last for first, last in spans)


def _car(values: _Values) -> tuple[str | None, str | None]:
    if cars := values.of("model"):
        brand, model = cars[0]
        return brand, model
    return values.first("brand"), None


def _with_bare(when: When, bare: Sequence[Said]) -> When:
    """With the day or time that only the question on the screen makes one: "10"."""
    days = [date.fromisoformat(said.value) for said in bare if said.slot == "date"]
    times = [time.fromisoformat(said.value) for said in bare if said.slot == "time"]
    if when.day is None and not when.time and days:
        return When(days[-1], part_of_day=when.part_of_day)
    if when.time is None and times:
        return When(when.day, times[-1], ambiguous=when.ambiguous, days=when.days)
    return when


def _categories(values: _Values, lexicon: Lexicon) -> list[str]:
    """The categories named, and those of the parts, in the order of the line."""
    found: list[str] = []
    for said in values.wanted:
        if said.slot == "categories":
            found.append(said.value)
        elif said.slot == "parts":
            found.extend(lexicon.catalogue.parts[part].category for part in said.value)
    return list(dict.fromkeys(found))


def _services(
    values: _Values, intents: Sequence[Intent], categories: Sequence[str], lexicon: Lexicon, *, own_parts: bool
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


def _excluded(values: _Values) -> Mapping[str, tuple[Any, ...]]:
    """The values that aren't wanted, but those that the line says elsewhere: "jangan sabtu pagi, sabtu sore aja"."""
    found: dict[str, dict[Any, None]] = {}
    wanted = {(said.slot, str(said.value)) for said in values.wanted}
    for said in values.unwanted:
        if said.slot not in EXCLUDABLE or (said.slot, str(said.value)) in wanted:
            continue
        each = said.value if said.slot == "parts" else [said.value[1] if said.slot == "model" else said.value]
        found.setdefault(said.slot, {}).update(dict.fromkeys(each))
    return {slot: tuple(values) for slot, values in found.items()}


def _stances(text: str, line: Line, values: _Values, asked: str | None) -> list[Stance]:
    """What is said of answers; of the slots that have none in the line."""
    said = {one.slot for one in values.wanted}
    found = []
    for each in stances_in(line):
        slots = each.slots or ((asked,) if asked else ())
        if asked in slots and asked != "date":
            slots = (asked,)
        if each.act is Act.REFUSE and not each.slots and asked not in OPTIONAL:
            continue
        if not slots and not (each.act is Act.ANY and read_whatever(text)):
            continue
        slots = tuple(slot for slot in slots if slot not in said)
        if slots or not each.slots:
            found.append(Stance(each.act, slots, each.span))
    if not found and asked in OPTIONAL and not values.wanted and read_skip(text):
        found.append(Stance(Act.REFUSE, (asked,), (0, len(text))))
    return found


def _told(values: _Values) -> Iterator[Said]:
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


def _spoken(topics: Sequence[Topic]) -> Iterator[Span]:
    return (span for topic in topics for span in topic.spoken)


def _slots(stances: Sequence[Stance], act: Act) -> frozenset[str]:
    return frozenset(slot for each in stances if each.act is act for slot in each.slots or ("",))
