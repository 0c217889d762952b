"""What the second reader found, shown back before it changes anything: "Maksudnya begini, Kak?"."""

from dataclasses import replace
from datetime import date
from typing import Any

from conversations.turn import Question, Turn, question
from conversations.understand import second
from conversations.understand.acts import Act, DialogueAct
from conversations.understand.answers import read_choice, read_yes_no
from core.messaging.messages import Option, Say, say

ASKS = "guess"
"""`State.asked` while the customer is asked whether it was meant."""


def ask(turn: Turn) -> Question:
    """The question about this message's guess, which is remembered until it is answered."""
    turn.state.guess = [dict(act.as_json()) for act in turn.second]
    return question(
        say("guess.sure", lines=[_line(turn, act) for act in turn.second]),
        options=[Option("yes", say("guess.yes")), Option("no", say("guess.no"))],
        asks=ASKS,
    )


def answer(turn: Turn) -> bool | None:
    """Whether the message agrees to the guess on the screen; None if it says something else."""
    state, incoming, text = turn.state, turn.incoming, turn.incoming.text or ""
    if state.asked != ASKS or not state.guess:
        return None
    if incoming.choice is not None:
        return {f"{state.prompt}:0": True, f"{state.prompt}:1": False}.get(incoming.choice)
    if turn.understood.topics or any(act.slot not in (None, ASKS) for act in turn.understood.acts):
        return None
    index = read_choice(text, [label for _, label in state.shown])
    return read_yes_no(text) if index is None else index == 0


def take(turn: Turn) -> None:
    """Go on as if the message said what was guessed; it is checked again, the catalogue may have changed."""
    found = second.checked(turn.state.guess, turn.lexicon, now=turn.local_now, shop=turn.shop)
    turn.understood = second.understanding_of(found, turn.lexicon)
    turn.incoming = replace(turn.incoming, text=None, choice=None)
    turn.state.asked, turn.state.shown, turn.state.guess, turn.state.misses = None, [], [], 0


def _line(turn: Turn, act: DialogueAct) -> Say:
    if act.topic is not None:
        return say(f"guess.topic.{act.topic}")
    if act.act is Act.ANY:
        return say(f"guess.any.{act.slot}")
    what = say(f"guess.slot.{act.slot}", value=_shown(turn, act.slot or "", act.value))
    return say("guess.not", what=what) if act.act is Act.EXCLUDE else what


def _shown(turn: Turn, slot: str, value: Any) -> Say | str:
    known = turn.catalogue
    match slot:
        case "categories":
            return say(f"category.{value}")
        case "parts":
            return known.parts[value].name
        case "services":
            return known.services[value].name
        case "technician":
            return known.technicians[value].name
        case "date":
            return say("day.short", day=date.fromisoformat(value))
        case "location":
            return say(f"option.{value}")
        case "part_of_day":
            return say(f"guess.part_of_day.{value}")
        case _:
            return str(value)
