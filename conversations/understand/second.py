"""What a second reader, a language model, found in a line. None of it is trusted.

    JSON ── the acts that do no harm ── slots, catalogue, calendar ──▶ acts ──▶ Understanding

No act here confirms, pays, cancels or takes a call for a person back; a complaint may be added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from conversations.understand.acts import Act, DialogueAct
from conversations.understand.answers import read_yes_no
from conversations.understand.clock import PartOfDay
from conversations.understand.intents import Intent
from conversations.understand.lexicon import Lexicon
from conversations.understand.spelling import tokenise
from conversations.understand.understanding import Understanding
from core.shop import Shop
from core.states import Location

MOST_ACTS = 12
LONGEST_LINE = 400
"""Characters; who writes more tells a story for a person."""
ASKS = frozenset(
    {
        Intent.PRICE,
        Intent.STOCK,
        Intent.FIT,
        Intent.COMPARE,
        Intent.DISCOUNT,
        Intent.DURATION,
        Intent.WARRANTY,
        Intent.DELIVERY,
        Intent.RECOMMEND,
        Intent.HOURS,
        Intent.LOCATION,
        Intent.PAYMENT_TERMS,
        Intent.NOT_OURS,
    }
)
WISHES = frozenset({Intent.BOOK, Intent.REPAIR})
CALLS = frozenset({Intent.COMPLAINT, Intent.HUMAN})
READABLE = ASKS | WISHES | {Intent.GREET, Intent.THANKS}
"""Topics beside which a line may hold more; with any other, our own reading stands alone."""
CONTACTS = frozenset({"name", "address", "phone", "email", "plate"})
"""Questions whose answers are personal data: they go to no second reader."""
SLOTS = (
    *("categories", "parts", "services", "brand", "model", "year"),
    *("date", "time", "part_of_day", "technician", "location", "quantity"),
)
ANY_OF = frozenset({"date", "time", "technician"})


def is_needed(understood: Understanding, text: str, asked: str | None) -> bool:
    """Whether a line left words, or said nothing at all, and isn't one that our own reading must decide alone."""
    left = bool(understood.rest) or not understood.acts
    is_ours = asked in CONTACTS or not set(understood.topics) <= READABLE or read_yes_no(text) is not None
    return left and not is_ours and len(text) <= LONGEST_LINE and any(sign.isalpha() for sign in text)


def checked(found: Sequence[Any], lexicon: Lexicon, *, now: datetime, shop: Shop) -> tuple[DialogueAct, ...]:
    """The acts that may count; anything else is left out. `now` is in the workshop's zone."""
    acts = (_act(each, lexicon, now, shop) for each in found[:MOST_ACTS] if isinstance(each, Mapping))
    return tuple(dict.fromkeys(act for act in acts if act is not None))


def new_in(acts: Sequence[DialogueAct], understood: Understanding) -> tuple[DialogueAct, ...]:
    """Without what our own reading says of the same slots and topics: that stands."""
    slots = {act.slot for act in understood.acts} - {None}
    if understood.categories or understood.parts or understood.services:
        slots |= {"categories", "parts", "services"}
    return tuple(act for act in acts if act.slot not in slots and act.topic not in understood.topics)


def with_calls(understood: Understanding, acts: Sequence[DialogueAct]) -> Understanding:
    """With the complaint or the call for a person that was found; nothing is taken out."""
    calls = [act for act in acts if act.topic in CALLS]
    if not calls:
        return understood
    return _with(understood, calls)


def understanding_of(acts: Sequence[DialogueAct], lexicon: Lexicon) -> Understanding:
    """Acts that the customer has agreed to, as if the customer had said so in plain words."""
    said: dict[str, list[Any]] = {}
    excluded: dict[str, tuple[Any, ...]] = {}
    for act in acts:
        if act.slot and act.act is Act.INFORM:
            said.setdefault(act.slot, []).append(act.value)
        elif act.slot and act.act is Act.EXCLUDE:
            excluded[act.slot] = (*excluded.get(act.slot, ()), act.value)
    first = {slot: values[0] for slot, values in said.items()}
    technicians, of_day = lexicon.catalogue.technicians, first.get("part_of_day")
    technician = first.get("technician")
    parts = said.get("parts", [])
    found = Understanding(
        categories=list(dict.fromkeys([*said.get("categories", []), *(_category(lexicon, part) for part in parts)])),
        parts=parts,
        services=said.get("services", []),
        brand=_brand_of(lexicon, first["model"]) if "model" in first else first.get("brand"),
        model=first.get("model"),
        year=first.get("year"),
        date=date.fromisoformat(first["date"]) if "date" in first else None,
        time=time.fromisoformat(first["time"]) if "time" in first else None,
        part_of_day=PartOfDay(of_day) if of_day else None,
        technician=technicians[technician].name if technician else None,
        technician_id=technician,
        location=Location(first["location"]) if "location" in first else None,
        quantity=first.get("quantity"),
        excluded=excluded,
        excluded_technicians=tuple(technicians[each].name for each in excluded.get("technician", ())),
        any=frozenset(act.slot for act in acts if act.act is Act.ANY and act.slot),
    )
    return _with(found, acts)


def _with(understood: Understanding, acts: Sequence[DialogueAct]) -> Understanding:
    """With more acts and their topics; of several topics a wish is the main one."""
    new = sorted((Intent(act.topic) for act in acts if act.topic), key=lambda topic: topic not in WISHES)
    topics = tuple(dict.fromkeys([*understood.topics, *new]))
    return replace(understood, intent=next(iter(topics), None), topics=topics, acts=(*understood.acts, *acts))


def _act(one: Mapping[Any, Any], lexicon: Lexicon, now: datetime, shop: Shop) -> DialogueAct | None:
    name, slot, topic = (one.get(key) if isinstance(one.get(key), str) else None for key in ("act", "slot", "topic"))
    match name:
        case "ask" if topic in ASKS:
            return DialogueAct(Act.ASK, "", topic=topic)
        case "request" if topic in WISHES or topic == Intent.HUMAN:
            return DialogueAct(Act.REQUEST, "", topic=topic)
        case "complain":
            return DialogueAct(Act.COMPLAIN, "", topic=Intent.COMPLAINT.value)
        case "any" if slot in ANY_OF:
            return DialogueAct(Act.ANY, "", slot=slot)
        case "inform" | "exclude" if slot in SLOTS:
            value = _value(slot, one.get("value"), lexicon, now, shop)
            return None if value is None else DialogueAct(Act(name), "", slot=slot, value=value)
    return None


def _value(slot: str, value: Any, lexicon: Lexicon, now: datetime, shop: Shop) -> Any:
    """The value as `DialogueAct` writes it; None if there is no such thing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    match slot:
        case "year":
            return _number(value, 1950, now.year + 1)
        case "quantity":
            return _number(value, 1, shop.max_quantity)
        case "date":
            return _day(str(value), now.date(), shop)
        case "time":
            return _clock(str(value))
        case "location" | "part_of_day":
            kinds: Sequence[str] = [*Location] if slot == "location" else [*PartOfDay]
            return str(value) if value in kinds else None
        case _:
            return _named(slot, str(value), lexicon)


def _named(slot: str, value: str, lexicon: Lexicon) -> str | None:
    """What the catalogue holds under this id or name; None if it is nothing, or several things."""
    known = lexicon.catalogue
    ids: Mapping[str, Mapping[str, Any]] = {
        "categories": known.shelves,
        "parts": {key: part for key, part in known.parts.items() if part.is_available},
        "services": {key: service for key, service in known.services.items() if service.is_available},
        "technician": known.technicians,
    }
    if value in ids.get(slot, {}) or slot in ("categories", "services"):
        return value if value in ids[slot] else None
    names, _ = lexicon.take_names(tokenise(value))
    kind = {"parts": "part", "model": "car"}.get(slot, slot)
    found = [each.name.of for each in names if each.name.kind == kind]
    if len(found) != 1 or (kind == "part" and len(found[0]) != 1):
        return None
    return found[0][-1]


def _number(value: str | int, least: int, most: int) -> int | None:
    text = str(value)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else None
    return number if number is not None and least <= number <= most else None


def _day(text: str, today: date, shop: Shop) -> str | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day.isoformat() if 0 <= (day - today).days <= shop.book_ahead_days else None


def _clock(text: str) -> str | None:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return None
    return f"{clock:%H:%M}" if clock.tzinfo is None else None


def _category(lexicon: Lexicon, part: str) -> str:
    return lexicon.catalogue.parts[part].category


def _brand_of(lexicon: Lexicon, model: str) -> str | None:
    return next((car.brand for car in lexicon.catalogue.cars.values() if car.model == model), None)
