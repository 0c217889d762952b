"""A value that a line says, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.understand.spelling import Span


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a slot, as `Understanding.answers` writes it, and the words that say it."""

    slot: str
    value: Any
    span: Span


def overlaps(span: Span, spans: Sequence[Span]) -> bool:
    """Whether a span overlaps one of those."""
    return any(start < span[1] and span[0] < end for start, end in spans)
