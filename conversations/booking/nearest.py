"""The nearest free slots as options to tap."""

from datetime import datetime

from conversations.turn import Turn
from core.messaging.messages import Option, say
from core.refusals import NotFound
from core.schedule import availability


async def nearest_slots(
    turn: Turn,
    around: datetime,
    minutes: int,
    *,
    action: str = "",
    technician_id: str | None = None,
    moving: int | None = None,
    excluding: datetime | None = None,
    count: int = 3,
) -> list[Option]:
    """Free starts for a job of so many minutes; an option's id is `action` and the local start.

    `moving` is the id of a booking whose own seats count as free.
    """
    found = await availability.nearest_free(
        turn.ctx, around, minutes, technician_id=technician_id, moving=moving, count=count
    )
    local = [turn.shop.local(at) for at in found if at != excluding]
    return [Option(f"{action}{at:%Y-%m-%dT%H:%M}", say("slot.day_and_time", at=at)) for at in local]


def read_start(turn: Turn, text: str) -> datetime:
    """The start that such an option carries; raises `NotFound` for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=turn.shop.zone)
    except ValueError:
        raise NotFound from None
