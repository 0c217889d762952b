"""What the customer doesn't want ("bukan senin", "jgn sama agus"): taken out of the order, and offered no more."""

from collections.abc import Iterable
from typing import Any

from conversations import draft
from conversations.advice.wish import KEPT, excluded_of
from conversations.turn import Flow, Turn
from core.catalogue.advice import Excluded


def take(turn: Turn, flow: Flow) -> bool:
    """Remember what the message excludes, and drop the answers that it contradicts; False if it excludes nothing."""
    said = turn.understood.excluded
    if not said:
        return False
    kept: dict[str, list[Any]] = {slot: [*values] for slot, values in turn.state.get(KEPT, {}).items()}
    for slot, values in said.items():
        kept[slot] = list(dict.fromkeys([*kept.get(slot, []), *values]))
    turn.state.put(KEPT, {slot: _wanted_again(turn, slot, values) for slot, values in kept.items()})
    for step in flow.steps:
        if step.name in said and turn.state.get(step.name) in said[step.name]:
            turn.state.drop(step.name, *step.drops)
            if step.name == "date":
                turn.state.drop("time")
    _take_out_parts(turn)
    return True


def of(turn: Turn, slot: str) -> frozenset[Any]:
    """The values of a question that aren't wanted."""
    return frozenset(turn.state.get(KEPT, {}).get(slot, ()))


def goods(turn: Turn) -> Excluded:
    """The parts, brands and the like that aren't wanted."""
    return excluded_of(turn.state.get(KEPT, {}))


def _wanted_again(turn: Turn, slot: str, values: Iterable[Any]) -> list[Any]:
    """Without what the same message wants."""
    wanted = turn.understood.answers.get(slot)
    return [value for value in values if value != wanted]


def _take_out_parts(turn: Turn) -> None:
    said = excluded_of(turn.understood.excluded)
    for part in draft.basket_parts(turn):
        if part.id in said.parts or part.brand in said.brands or part.category in said.categories:
            draft.put_in_basket(turn, part.id, 0)
            turn.state.put("category", part.category)
            turn.state.drop("shopped", "confirmed")
    services = [
        each for each in turn.state.get("services", []) if each not in turn.understood.excluded.get("services", ())
    ]
    if services != turn.state.get("services", []):
        turn.state.put("services", services)
