"""What a message has added to an open order or changed in it, said back in one line: "Sel 24 Nov 10:00 · Avanza 2018 ✓"."""

from collections.abc import Mapping

from conversations import draft, exclusions
from conversations.shelf import joined
from conversations.turn import Turn
from conversations.understand.answers import FULL
from core.messaging.messages import Say, say

Facts = Mapping[str, Say]


def facts(turn: Turn) -> Facts:
    """What is known of the open order, by what it is about."""
    state, catalogue = turn.state, turn.catalogue
    known: dict[str, Say] = {}
    for part_id, count in draft.basket(turn):
        part = catalogue.parts[part_id]
        known[part.category] = say("taken.goods", names=part.name if count == 1 else f"{count}× {part.name}")
    if services := [service for service in state.get("services", []) if service in catalogue.services]:
        known["services"] = say("taken.goods", names=", ".join(catalogue.services[each].name for each in services))
    if model := state.get("model"):
        year = state.get("year")
        known["car"] = say("taken.car", model=model, year=year) if year else say("taken.model", model=model)
    known |= _when(turn)
    if technician := draft.technician_id(turn):
        known["technician"] = say("taken.technician", name=catalogue.technicians[technician].name)
    if unwanted := exclusions.of(turn, "technician"):
        names = ", ".join(
            sorted(catalogue.technicians[each].name for each in unwanted if each in catalogue.technicians)
        )
        known["unwanted"] = say("technician.but", names=names)
    if plan := state.get("plan"):
        known["plan"] = say("option.full") if plan == FULL else say("option.share", percent=plan)
    if "location" in state:
        known["location"] = say(f"option.{draft.location(turn)}")
    return known


def line(before: Facts, after: Facts, *, new: bool) -> list[Say]:
    """The changes in one line; with `new`, also what wasn't known before."""
    said = []
    for about, now in after.items():
        was = before.get(about)
        if was is None and new:
            said.append(now)
        elif was is not None and was != now:
            said.append(say("taken.changed", was=was, now=now))
    return [say("taken", what=joined(said))] if said else []


def _when(turn: Turn) -> dict[str, Say]:
    day, at, clock = draft.day(turn), draft.starts_at(turn), turn.state.get("time")
    if at is not None:
        return {"when": say("taken.at", at=turn.shop.local(at))}
    if day is not None:
        return {"day": say("day.short", day=day)}
    return {"time": say("taken.time", clock=clock)} if clock else {}
