"""Steps that several staff flows share."""

from abc import ABC
from typing import ClassVar

from conversations.turn import Step, Turn
from conversations.understand.answers import read_yes_no

MIN_LENGTH = 3


class Words(Step, ABC):
    """Text on one line that a customer will read."""

    free_text = True
    max_length: ClassVar[int]

    async def read(self, turn: Turn, text: str) -> bool:
        if not MIN_LENGTH <= len(text) <= self.max_length:
            return False
        turn.state.put(self.name, " ".join(text.split()))
        return True


class Confirmation(Step, ABC):
    """Yes or no before something is done; both end the flow."""

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, option == "yes")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        agreed = read_yes_no(text)
        return False if agreed is None else await self.choose(turn, "yes" if agreed else "no")
