"""What one line says, and how `bengkel understand` prints it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from conversations.understand.acts import Act, DialogueAct
from conversations.understand.clock import PartOfDay
from conversations.understand.intents import Intent
from core.catalogue.attributes import Attributes
from core.states import Location


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that one line says; what it doesn't say is None or empty. No value here is one that the line excludes."""

    intent: Intent | None = None
    """The main topic; of a wish and a question about it, the wish."""
    topics: tuple[Intent, ...] = ()
    """All topics, the main one first."""
    acts: tuple[DialogueAct, ...] = ()
    """All acts, in the order of the line."""
    categories: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    """Ids; of a repair the service for what is broken, or the diagnosis."""
    brand: str | None = None
    model: str | None = None
    year: int | None = None
    date: dt.date | None = None
    date_is_ambiguous: bool = False
    dates: tuple[dt.date, ...] = ()
    """The days that could be meant, if `date_is_ambiguous` and they are known."""
    time: dt.time | None = None
    part_of_day: PartOfDay | None = None
    technician: str | None = None
    technician_id: str | None = None
    location: Location | None = None
    quantity: int | None = None
    method: str | None = None
    """A payment method, as `PaymentMethod` or "card"."""
    plan: str | None = None
    """ "full", a percent such as "30", or "dp" for a down payment without its percent."""
    attributes: Attributes = field(default_factory=Attributes)
    excluded: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Values that aren't wanted, by field and as `answers` writes them; "attributes.brand" for a brand of parts."""
    excluded_technicians: tuple[str, ...] = ()
    """The names of those in `excluded`."""
    any: frozenset[str] = frozenset()
    """Slots for which any value will do; "" if the line names none and no question is on the screen."""
    unknown: frozenset[str] = frozenset()
    """Slots whose value the customer doesn't know."""
    refused: frozenset[str] = frozenset()
    """Slots whose value the customer won't give."""
    rest: tuple[str, ...] = ()
    """Words that no act has used, as typed; without small words."""
    wants_correction: bool = False
    """ "eh", "salah", "ganti rabu": what is said replaces an earlier answer."""
    own_parts: bool = False
    """The customer brings the parts: only the work is wanted."""
    parts_only: bool = False
    """The parts are wanted without the work."""

    @property
    def answers(self) -> dict[str, Any]:
        """What was said, by the name of the step (`conversations.booking`) it answers and as that step stores it."""
        said = {
            "brand": self.brand,
            "model": self.model,
            "year": self.year,
            "date": self.date.isoformat() if self.date else None,
            "time": f"{self.time:%H:%M}" if self.time else None,
            "technician": self.technician_id,
            "location": self.location,
        }
        return {name: answer for name, answer in said.items() if answer is not None}

    def every(self, slot: str) -> list[Any]:
        """All wanted values of a slot in the order of the line: the brands of "bagusan venom atau pioneer"."""
        return [act.value for act in self.acts if act.slot == slot and act.act in (Act.INFORM, Act.CORRECT)]

    def answers_with(self, slot: str) -> bool:
        """Whether the line gives a value for a slot, as the question on the screen reads it."""
        return any(act.act is Act.INFORM and act.slot == slot for act in self.acts)

    def as_json(self) -> dict[str, object]:
        """What `bengkel understand` prints: only what was said."""
        goods = {"intent": self.intent, "categories": self.categories, "parts": self.parts}
        said = goods | self.answers | {"part_of_day": self.part_of_day, "technician": self.technician}
        said |= {
            "topics": self.topics[1:] and self.topics,
            "services": self.services,
            "quantity": self.quantity,
            "method": self.method,
            "plan": self.plan,
            "attributes": _as_json(self.attributes),
            "negated": self._negated(),
            "any": sorted(self.any),
            "unknown": sorted(self.unknown),
            "refused": sorted(self.refused),
            "own_parts": self.own_parts,
            "parts_only": self.parts_only,
            "dates": [day.isoformat() for day in self.dates],
            "rest": self.rest,
            "acts": [act.as_json() for act in self.acts],
        }
        return {key: value for key, value in said.items() if value}

    def _negated(self) -> dict[str, object]:
        shown = {**self.excluded} | ({"technician": self.excluded_technicians} if self.excluded_technicians else {})
        return {_field(slot): values[0] if len(values) == 1 else values for slot, values in shown.items()}


def _as_json(attributes: Attributes) -> dict[str, object]:
    said = ((each.name, getattr(attributes, each.name)) for each in fields(attributes))
    return {name: value for name, value in said if value is not None}


def _field(slot: str) -> str:
    """The field of a slot: of "attributes.brand" it is "brand"."""
    return slot.rpartition(".")[2]
