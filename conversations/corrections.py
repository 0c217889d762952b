"""Answers that replace earlier ones ("eh jam 1 aja"); where the message asks, they are confirmed first."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from conversations.turn import Flow, Question, Turn, question
from core.messaging.messages import Option, Say, say

ASKS = "correction"
"""`State.asked` while the customer is asked about a correction."""


def take(turn: Turn, flow: Flow, *, ignoring: frozenset[str]) -> bool:
    """Replace earlier answers by those in this message that differ; a question ("selasa bisa ga?") is asked about."""
    said, steps = turn.understood.answers, [step.name for step in flow.steps if step.name in turn.state]
    found = {
        name: said[name]
        for name in steps
        if name in said and name not in ignoring and said[name] != turn.state.get(name)
    }
    if not found:
        return False
    turn.state.correction = found
    if "?" not in (turn.incoming.text or ""):
        settle(turn, flow, agreed=True)
    return True


def ask(turn: Turn, found: Mapping[str, Any]) -> Question:
    changes = [
        say("correction.line", what=say(f"field.{name}"), value=_shown(turn, name, value))
        for name, value in found.items()
    ]
    return question(
        say("correction.sure", changes=changes),
        options=[Option("yes", say("option.yes_change")), Option("no", say("option.no"))],
        asks=ASKS,
    )


def settle(turn: Turn, flow: Flow, *, agreed: bool) -> None:
    """Replace the answers and drop those that depend on them, or keep them as they were."""
    found, turn.state.correction = turn.state.correction or {}, None
    if not agreed:
        turn.remark("correction.kept")
        return
    for step in flow.steps:
        if step.name in found:
            turn.state.drop(*(name for name in step.drops if name not in found))
    for name, value in found.items():
        turn.state.put(name, value, tentative=True)
    turn.state.drop("confirmed")
    turn.state.recheck("time", "technician")


def _shown(turn: Turn, name: str, value: Any) -> Say | str:
    match name:
        case "date":
            return say("day.short", day=date.fromisoformat(value))
        case "technician":
            return turn.catalogue.technicians[value].name
        case "location":
            return say(f"option.{value}")
        case _:
            return str(value)
