"""A value that a line says, and where."""

from dataclasses import dataclass
from typing import Any

from conversations.understand.spelling import Span


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a slot, as `Understanding.answers` writes it, and the words that say it."""

    slot: str
    value: Any
    span: Span
