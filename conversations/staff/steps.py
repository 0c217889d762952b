"""Steps that several of the staff's flows share."""

from abc import ABC
from typing import ClassVar

from conversations.turn import Step, Turn
from conversations.understand.answers import read_yes_no

SHORTEST = 3
"""Letters: fewer say nothing to whoever reads them."""


class Words(Step, ABC):
    """Words of a sensible length, which a customer will read."""

    free_text = True
    longest: ClassVar[int]

    async def read(self, turn: Turn, text: str) -> bool:
        """Whatever is neither too short nor too long, on one line."""
        if not SHORTEST <= len(text) <= self.longest:
            return False
        turn.state.put(self.name, " ".join(text.split()))
        return True


class OnceMore(Step, ABC):
    """Yes or no before something is done; either way the flow ends."""

    async def choose(self, turn: Turn, option: str) -> bool:
        """One of the options yes and no."""
        turn.state.put(self.name, option == "yes")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Yes or no in words."""
        agreed = read_yes_no(text)
        return False if agreed is None else await self.choose(turn, "yes" if agreed else "no")
