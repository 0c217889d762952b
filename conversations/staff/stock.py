"""How many of a part lie in the shop: looked up, and corrected after counting."""

from conversations.registry import action
from conversations.staff.menu import menu
from conversations.turn import Flow, Question, Step, Turn, Who, question
from core.catalogue import snapshot
from core.catalogue.snapshot import MOST_ON_HAND
from core.db.tables import Part
from core.messaging.messages import Option, say

MOST_FOUND = 30
KEEP = -1
"""The answer that leaves the stock as it is."""


@action("stock", who=Who.ADMIN)
async def stock(turn: Turn, words: str) -> None:
    """Look a part up, by its name when it was typed with the command."""
    turn.state.begin(STOCK.name)
    if words and not _look_up(turn, words):
        turn.remark("again.which_part")


class WhichPart(Step):
    """The part, by words of its name."""

    name = "which_part"
    free_text = True

    async def ask(self, turn: Turn) -> Question:
        """Type it, or pick one of those that the words fit."""
        found = [turn.catalogue.parts[part] for part in turn.state.get("found", []) if part in turn.catalogue.parts]
        free = await snapshot.stock(turn.session, [part.id for part in found])
        return question(
            say("team.ask.which_of_these" if found else "team.ask.which_part"),
            options=[Option(part.id, part.name, say("team.free", free=free.get(part.id, 0))) for part in found],
            button=say("button.part"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """One of those found."""
        turn.state.put(self.name, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Words of its name, or its id."""
        return _look_up(turn, text)


class Counted(Step):
    """How many there are."""

    name = "counted"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """What the books say, to be left or corrected."""
        part = await turn.session.get(Part, turn.state.get("which_part"))
        if part is None:
            return question(say("refusal.not_found"))
        return question(
            say(
                "team.ask.counted",
                name=part.name,
                on_hand=part.on_hand,
                reserved=part.reserved,
                free=part.on_hand - part.reserved,
            ),
            options=[Option("keep", say("team.option.keep"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """It is right as it is."""
        turn.state.put(self.name, KEEP)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """A whole number in digits, and nothing else: a stock is not guessed."""
        if not (text.isdecimal() and text.isascii() and len(text) < 7 and int(text) <= MOST_ON_HAND):
            return False
        turn.state.put(self.name, int(text))
        return True


def _look_up(turn: Turn, text: str) -> bool:
    """Find parts by the words, and take the only one."""
    words = text.casefold().split()
    every = turn.catalogue.parts.values()
    found = [
        part.id for part in every if all(word in f"{part.id} {part.brand} {part.name}".casefold() for word in words)
    ]
    found = found or [part for part in turn.heard.parts if part in turn.catalogue.parts]
    if not found:
        return False
    if len(found) == 1:
        turn.state.put("which_part", found[0])
    else:
        turn.state.put("found", found[:MOST_FOUND])
        turn.state.page = 0
    return True


async def _finish(turn: Turn) -> Question:
    _, answers = turn.state.close()
    part_id, count = answers["which_part"], answers["counted"]
    if count == KEEP:
        return await menu(turn, first=say("team.stock_kept"))
    part = await snapshot.set_stock(turn.session, part_id, count)
    return await menu(turn, first=say("team.stock_set", name=part.name, on_hand=count, free=count - part.reserved))


STOCK = Flow("staff.stock", (WhichPart(), Counted()), _finish, who=Who.ADMIN, strict=True)
