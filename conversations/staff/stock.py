"""The stock of a part: looked up, and corrected after counting."""

from conversations.registry import action
from conversations.staff.jobs import menu
from conversations.turn import Flow, Question, Step, Turn, Who, question
from core.catalogue import snapshot
from core.catalogue.snapshot import MOST_ON_HAND
from core.db.tables import Part
from core.messaging.messages import Option, say

MAX_FOUND = 30
KEEP = -1
"""The answer that keeps the stock unchanged."""


@action("stock", who=Who.ADMIN)
async def stock(turn: Turn, words: str) -> None:
    """Begin; a name typed with the command is looked up."""
    turn.state.begin(STOCK.name)
    if words and not _look_up(turn, words):
        turn.remark("again.which_part")


class WhichPart(Step):
    name = "which_part"
    free_text = True

    async def ask(self, turn: Turn) -> Question:
        found = [turn.catalogue.parts[part] for part in turn.state.get("found", []) if part in turn.catalogue.parts]
        free = await snapshot.stock(turn.session, [part.id for part in found])
        return question(
            say("team.ask.which_of_these" if found else "team.ask.which_part"),
            options=[Option(part.id, part.name, say("team.free", free=free.get(part.id, 0))) for part in found],
            button=say("button.part"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        return _look_up(turn, text)


class Counted(Step):
    name = "counted"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
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
        turn.state.put(self.name, KEEP)
        return True

    def parse(self, turn: Turn, text: str) -> int | None:
        """Digits only: a stock is never guessed."""
        is_count = text.isdecimal() and text.isascii() and len(text) < 7 and int(text) <= MOST_ON_HAND
        return int(text) if is_count else None


def _look_up(turn: Turn, text: str) -> bool:
    """Find parts by words of their name or id; choose a single match."""
    words = text.casefold().split()
    every = turn.catalogue.parts.values()
    found = [
        part.id for part in every if all(word in f"{part.id} {part.brand} {part.name}".casefold() for word in words)
    ]
    found = found or [part for part in turn.understood.parts if part in turn.catalogue.parts]
    if not found:
        return False
    if len(found) == 1:
        turn.state.put("which_part", found[0])
    else:
        turn.state.put("found", found[:MAX_FOUND])
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
