"""The staff menu."""

from conversations import registry
from conversations.registry import TO_MENU, action
from conversations.staff import who
from conversations.turn import Question, Turn, Who, question
from core.messaging.messages import Option, Say, say

_ENTRIES = (
    *("jobs:today", "jobs:tomorrow"),
    *("pending", "figures", "report", "stock", "close", "refunds", "stuck"),
)


@action("staff", who=Who.STAFF)
async def menu(turn: Turn, _: str = "", *, first: Say | None = None) -> Question:
    """What the staff member may do, below what was just done."""
    member = who.acting(turn)
    return question(
        *([first] if first else []),
        say(f"team.menu.{member.role}", name=member.name),
        options=[
            Option(entry, say(f"team.option.{entry.replace(':', '.')}"))
            for entry in _ENTRIES
            if registry.allows(turn, entry)
        ],
        always=[TO_MENU],
        button=say("button.menu"),
    )
