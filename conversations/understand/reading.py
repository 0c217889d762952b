"""Puts together what the readers find in one line: `understand`.

tag        every reader replaces its words with a tag
weigh      which values aren't wanted; what the question on the screen adds
tell       the fields and the acts
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from conversations.understand.act_list import acts_of, distinct, rest_of
from conversations.understand.acts import Act
from conversations.understand.attributes import attributes_in
from conversations.understand.context import FREE_TEXT, MOST_WORDS_OF_A_NAME, Asked, bare_answers, contacts_in
from conversations.understand.cues import find
from conversations.understand.intents import Intent, Topic, topics_of
from conversations.understand.lexicon import Lexicon, Named
from conversations.understand.numbers import counts_in, take_years, with_digits, without_amounts
from conversations.understand.paying import ABOUT_MONEY, paying_in, tells_how_to_pay
from conversations.understand.polarity import rejected
from conversations.understand.said import Said, overlaps
from conversations.understand.spelling import Line, Span, replace, text_at, tokenise
from conversations.understand.stances import slots_of, stances_on
from conversations.understand.understanding import Understanding
from conversations.understand.values import (
    EXCLUDABLE,
    Values,
    car_of,
    categories_of,
    excluded_of,
    named,
    services_of,
    told,
    with_bare,
    within_a_name,
    without_parts_of_others,
)
from conversations.understand.when import PieceAt, When, take_when, values_of, when_of
from core.catalogue.attributes import Attributes
from core.shop import Shop
from core.states import Location

ABOUT_A_VISIT = frozenset({None, Intent.BOOK, Intent.HOURS, Intent.RESCHEDULE, Intent.REPAIR, Intent.ADD})
"""Topics with which "sekarang" and "nanti jam 3" mean an appointment."""
GREETINGS = frozenset({"pagi", "siang", "sore", "malam"})
BEFORE_A_GREETING = frozenset({"halo", "kak", "selamat", "sugeng", "wilujeng", ",", "."})
AFTER_A_GREETING = frozenset({"", "kak", "semua", "admin", ",", ".", "!"})
ATTRIBUTES = tuple(field.name for field in fields(Attributes))
A_NAME = frozenset({"technician", "maker", "car", "brand"})
"""Kinds of names that a person may bear too."""


@dataclass(frozen=True, slots=True)
class _Tagged:
    """A line in its stages, and what was read while its words became tags."""

    typed: Line
    counted: Line
    """With names as tags and number words as digits."""
    untimed: Line
    """And amounts as tags: `pieces` have their places in it."""
    line: Line
    """With all tags."""
    names: Sequence[Named]
    attributes: Sequence[Said]
    pieces: Sequence[PieceAt]
    years: Sequence[Said]


def understand(text: str, lexicon: Lexicon, *, now: datetime, shop: Shop, asked: str | None = None) -> Understanding:
    """What a text says; never raises.

    `now` is when it was written. `asked` is the name of the step whose question is on the screen: it decides what bare
    words mean ("10", "lunas", "bebas").
    """
    tagged = _tagged(tokenise(text), lexicon, now, shop, asked)
    topics = topics_of(tagged.line)
    intents = tuple(topic.intent for topic in topics)
    if asked in FREE_TEXT and not intents and len(tagged.typed) <= MOST_WORDS_OF_A_NAME:
        names: Sequence[Named] = [each for each in tagged.names if each.name.kind not in A_NAME]  # "Agus" is a customer
    else:
        names = tagged.names
    places = [
        Said("location", Location(each.rule.name), each.span(tagged.line))
        for each in find(tagged.line, "locations.yaml")
    ]
    paying = list(paying_in(tagged.line, tagged.counted, intents, asked))
    marked = _marked(tagged.line, [*places, *(said for said in paying if said.slot == "method")])
    negations = rejected(marked)
    out = [(token.start, token.end) for token in marked if token.start in negations]
    wanted = [each for each in tagged.pieces if not overlaps(each.span, out)]
    when = when_of(wanted, tagged.untimed, now, shop)
    if _is_another_time(when, intents, asked, names):
        when = When(time=when.time, part_of_day=when.part_of_day)
    services = lexicon.services_in(tagged.typed)
    alone = [each.span for each in services if not lexicon.catalogue.services[each.value].installs]
    bare = bare_answers(asked, Asked(text, tagged.line, tagged.counted, shop.local(now), shop))
    said = without_parts_of_others(
        [
            *named(names, lexicon, alone),
            *tagged.attributes,
            *services,
            *values_of(wanted, now, shop),
            *values_of([each for each in tagged.pieces if overlaps(each.span, out)], now, shop),
            *tagged.years,
            *places,
            *paying,
            *(counts_in(tagged.line) if Intent.PAYMENT_TERMS not in intents else ()),  # "cicil 3x"
            *contacts_in(text, tagged.typed),
            *bare,
        ]
    )
    values = Values(
        wanted=[each for each in said if not overlaps(each.span, out)],
        unwanted=[_negated(each, negations) for each in said if overlaps(each.span, out)],
        when=with_bare(when, bare),
        spans=[each.span for each in tagged.pieces],
    )
    if tells_how_to_pay(values.wanted, tagged.typed, topics, asked):
        topics = [topic for topic in topics if topic.intent is not Intent.PAYMENT_TERMS]
    if intents[:1] == (Intent.GREET,) and (values.wanted or when):
        topics = topics[1:]  # "siang kak, besok bisa?" is more than a greeting
    return _understood(text, tagged.typed, marked, values, topics, lexicon, asked)


def _tagged(typed: Line, lexicon: Lexicon, now: datetime, shop: Shop, asked: str | None) -> _Tagged:
    names, line = lexicon.take_names(_with_greeting(typed, asked))
    counted = with_digits(line)
    untimed = without_amounts(counted)
    pieces, timed = take_when(untimed, now, shop)
    years, tagged = take_years(timed, shop.local(now))
    attributes = [each for each in attributes_in(line, typed) if not within_a_name(each, names)]
    return _Tagged(typed, counted, untimed, tagged, names, attributes, pieces, years)


def _is_another_time(when: When, intents: Sequence[Intent], asked: str | None, names: Sequence[Named]) -> bool:
    """Whether a day is no day to come: that of paying, or a mere "sekarang"."""
    main = intents[0] if intents else None
    pays_then = main in ABOUT_MONEY and not when.time and asked not in ("date", "time") and not names
    return pays_then or (when.faint and main not in ABOUT_A_VISIT)


def _understood(
    text: str, typed: Line, line: Line, values: Values, topics: Sequence[Topic], lexicon: Lexicon, asked: str | None
) -> Understanding:
    when, technicians = values.when, lexicon.catalogue.technicians
    flags = {found.rule.name: found.span(line) for found in find(line, "corrections.yaml")}
    intents = [topic.intent for topic in topics]
    brand, model = car_of(values)
    categories = categories_of(values, lexicon)
    technician, excluded = values.first("technician"), excluded_of(values, categories)
    stances = stances_on(text, line, {one.slot for one in values.wanted}, asked)
    acts = acts_of(
        text,
        line,
        topics=topics,
        wanted=[*told(values), *(Said(name, True, span) for name, span in flags.items() if name != "correction")],
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
        services=services_of(values, intents, categories, lexicon, own_parts="own_parts" in flags),
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
        any=slots_of(stances, Act.ANY),
        unknown=slots_of(stances, Act.UNKNOWN),
        refused=slots_of(stances, Act.REFUSE),
        rest=rest_of(text, typed, [*(span for _, span in acts), *flags.values(), *_spoken(topics), *values.spans]),
        wants_correction="correction" in flags,
        own_parts="own_parts" in flags,
        parts_only="parts_only" in flags and "own_parts" not in flags,
    )


def _with_greeting(line: Line, asked: str | None) -> Line:
    """The part of the day in "siang bang" or "selamat sore" as <greeting>; where the hour is asked, "sore" is one."""
    at = 0
    while text_at(line, at) in BEFORE_A_GREETING:
        at += 1
    led = text_at(line, at - 1) in {"selamat", "sugeng", "wilujeng"}
    alone = asked not in ("date", "time") and text_at(line, at + 1) in AFTER_A_GREETING
    if text_at(line, at) in GREETINGS and (led or alone):
        return replace(line, at, at + 1, "<greeting>")
    return line


def _marked(line: Line, said: Sequence[Said]) -> Line:
    """The line with <location> and <method> in place of those."""
    for each in sorted(said, key=lambda one: -one.span[1]):
        places = [at for at, token in enumerate(line) if each.span[0] <= token.start and token.end <= each.span[1]]
        if places:
            line = replace(line, places[0], places[-1] + 1, f"<{each.slot}>")
    return line


def _negated(said: Said, negations: Mapping[int, Span]) -> Said:
    """A value with the words that exclude it: "selain jumat"."""
    start, end = negations.get(said.span[0], said.span)
    return Said(said.slot, said.value, (min(start, said.span[0]), max(end, said.span[1])))


def _spoken(topics: Sequence[Topic]) -> Iterator[Span]:
    return (span for topic in topics for span in topic.spoken)
