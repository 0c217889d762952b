"""What a staff member may do in the chat."""

from conversations.staff import who
from conversations.turn import Question, Turn, question
from core.messaging.messages import Option, Say, say

_FOR_STAFF = ("jobs:today", "jobs:tomorrow")
_FOR_ADMINS = ("pending", "figures", "report", "stock", "close", "refunds", "stuck")


async def menu(turn: Turn, _: str = "", *, first: Say | None = None) -> Question:
    """The person's own menu."""
    member = who.acting(turn)
    names = _FOR_STAFF + (_FOR_ADMINS if member.role == "admin" else ())
    return question(
        *([first] if first else []),
        say(f"team.menu.{member.role}", name=member.name),
        options=[Option(name, say(f"team.option.{name.replace(':', '.')}")) for name in names],
        always=[Option("menu", say("option.menu"))],
        button=say("button.menu"),
    )
