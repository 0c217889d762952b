"""What a line does: dialogue acts, several to a line, each with the words that say it.

"jumat ga bisa, sabtu jam 10 aja, garansinya berapa lama?"
exclude(date, Friday) · inform(date, Saturday) · inform(time, 10:00) · ask(warranty)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Act(StrEnum):
    INFORM = "inform"
    """A slot's value."""
    EXCLUDE = "exclude"
    """A value that isn't wanted: "bukan avanza", "selain jumat", "senin ga bisa"."""
    CORRECT = "correct"
    """A value that replaces an earlier one, said in so many words: "eh selasa aja", "ganti skeleton"."""
    ANY = "any"
    """Any value of a slot will do: "kapan aja", "siapa aja"."""
    UNKNOWN = "unknown"
    """The customer doesn't know a slot's value: "ga inget platnya"."""
    REFUSE = "refuse"
    """The customer won't give a slot's value: "gak usah email"."""
    ASK = "ask"
    """A question about a topic."""
    REQUEST = "request"
    """A wish that something be done."""
    CONFIRM = "confirm"
    DENY = "deny"
    GREET = "greet"
    THANK = "thank"
    ACKNOWLEDGE = "acknowledge"
    """ "ok siap", 👍."""
    COMPLAIN = "complain"
    SMALLTALK = "smalltalk"


@dataclass(frozen=True, slots=True)
class DialogueAct:
    """One act; `slot` is a field of `Understanding`, `topic` an `Intent`, `value` as that field is written in JSON."""

    act: Act
    text: str
    """The words of the line that say it, as typed."""
    slot: str | None = None
    topic: str | None = None
    value: Any = None

    def as_json(self) -> Mapping[str, Any]:
        said = {"act": self.act.value, "slot": self.slot, "topic": self.topic, "value": self.value, "text": self.text}
        return {key: value for key, value in said.items() if value is not None}
