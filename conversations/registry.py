"""The one registry of actions: what a button or a typed command does, and who may do it.

    @action("cancel", who=Who.CUSTOMER)
    async def cancel(turn: Turn, code: str) -> Question: ...

A button's id is the action's name and its argument, "see:BK-7F3K2Q". Ids stay in old messages, so a name is never
given another meaning. An action returns what to say, or None to go on with the open flow (or the menu); it raises a
`Refusal`, which `dialogue` undoes and says.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from conversations.turn import Question, Turn, Who
from core.messaging.messages import Option, say

TO_MENU = Option("menu", say("option.menu"))
TO_BOOKINGS = Option("mine", say("option.my_bookings"))
NEXT_PAGE = Option("page:next", say("option.next_page"))
Handler = Callable[[Turn, str], Awaitable[Question | None]]
_H = TypeVar("_H", bound=Handler)
ACTIONS: dict[str, tuple[Who, Handler]] = {}


def action(name: str, *, who: Who) -> Callable[[_H], _H]:
    def register(handler: _H) -> _H:
        if name in ACTIONS:
            raise ValueError(f"two actions are called {name}")
        ACTIONS[name] = (who, handler)
        return handler

    return register


def exists(turn: Turn, choice: str) -> bool:
    """Whether the writer has such an action; for customers, staff's actions don't exist."""
    who, _ = ACTIONS.get(_name(choice), (None, None))
    return who is not None and (who is Who.CUSTOMER or turn.may(Who.STAFF))


async def run(turn: Turn, choice: str) -> Question | None:
    """Do what a button says, if the writer may; an unknown action (an older version's button) does nothing."""
    if not exists(turn, choice):
        return None
    who, handler = ACTIONS[_name(choice)]
    if not turn.may(who):
        turn.remark("team.admins_only")
        return None
    if choice != turn.state.screen:
        turn.state.screen, turn.state.page = choice, 0
    return await handler(turn, choice.partition(":")[2])


def allows(turn: Turn, choice: str) -> bool:
    return exists(turn, choice) and turn.may(ACTIONS[_name(choice)][0])


def to_booking(code: str) -> Option:
    return Option(f"see:{code}", say("option.see_booking"))


def _name(choice: str) -> str:
    return choice.partition(":")[0]
