"""The start in the id of a button for a free slot."""

from datetime import datetime

from conversations.turn import Turn
from core.refusals import NotFound


def read_start(turn: Turn, text: str) -> datetime:
    """The start that such an option carries; raises `NotFound` for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=turn.shop.zone)
    except ValueError:
        raise NotFound from None
