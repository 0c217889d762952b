"""What to say to a message: which of its readers it is for.

taken over by an admin? passed on
shared contact -> tap -> photo -> staff's command -> slash command -> a button's label -> words that work everywhere
    -> a call for a person -> `policy`
"""

import re

from conversations import (
    actions,
    consent,
    draft,
    guesses,
    kinds,
    person,
    registry,
    requests,
    taken,
)
from conversations.booking import BOOKING
from conversations.booking.deciding import GiveUp
from conversations.policy import in_flow, without_flow
from conversations.staff import takeover
from conversations.state import ORDER
from conversations.stepping import act, asked_step, chosen, next_question, open_flow
from conversations.turn import Flow, Question, Turn, Who
from conversations.understand.answers import Command, read_command, read_staff_action
from conversations.understand.intents import Intent
from core.people import contacts

_SLASH = {"/start": "menu", "/menu": "menu", "/booking": "book", "/bookings": "mine"}
"""Telegram's commands that `read_command` doesn't read."""


async def answer(turn: Turn) -> Question | None:
    """What to say to this message; None while an admin has taken the conversation over, and to a reaction.

    During a takeover, the bot answers staff's taps and slash commands, and a customer's taps on actions.
    """
    choice = turn.incoming.choice
    if turn.may(Who.STAFF):
        is_for_the_bot = choice is not None or (turn.incoming.text or "").startswith("/")
    else:
        is_for_the_bot = choice is not None and registry.exists(turn, choice)
    if takeover.is_on(turn) and not is_for_the_bot:
        return await takeover.pass_on(turn)
    if kinds.needs_no_answer(turn):
        return None
    before, greeted = taken.facts(turn), len(turn.remarks)
    asked = await _reply(turn)
    if choice is None and turn.state.flow == ORDER:
        turn.remarks[greeted:greeted] = taken.line(before, taken.facts(turn), new=asked.asks != "confirmed")
    return asked


async def _reply(turn: Turn) -> Question:
    incoming, flow = turn.incoming, open_flow(turn)
    if incoming.phone and not turn.contact.customer.phone_proven:
        await contacts.prove_phone(turn.session, turn.contact, incoming.phone)
        if turn.state.get("asking") == "phone":
            turn.state.drop("asking")
        if not incoming.text:
            turn.remark("phone.noted")
            return await next_question(turn)
    if (agreed := guesses.answer(turn)) is not None:
        return await _guessed(turn, flow, agreed=agreed)
    if incoming.choice is not None:
        return await _tapped(turn, incoming.choice)
    step = asked_step(turn, flow)
    if (said := kinds.unread(turn, step)) is not None:
        turn.remarks.append(await person.pass_media(turn) or said)
        return await next_question(turn)
    text = incoming.text or ""
    if incoming.phone and not (text or incoming.media or incoming.place):
        return await next_question(turn)  # a number that is known already
    is_answer = flow is not None and flow.strict and not text.startswith("/")
    if (action := read_staff_action(text)) and registry.exists(turn, action) and not is_answer:
        return await act(turn, action)
    if (action := _SLASH.get(text.split(" ")[0])) is not None:
        return await act(turn, action)
    # Exactly a button's label counts as a tap, whatever else the words could mean.
    same = [option for option, label in turn.state.shown if label.casefold() == text.strip().casefold()]
    if len(same) == 1:
        return await chosen(turn, same[0])
    if (command := read_command(text)) is not None:
        return await _commanded(turn, command)
    if not (flow and flow.strict) and (wish := consent.wish_of(turn)) is not None:
        return await act(turn, wish)
    is_text = flow is not None and (flow.strict or (step is not None and step.free_text))
    changes_order = flow is BOOKING and bool(turn.understood.excluded)  # "jgn sama agus, kurang rapi" is no complaint
    if (
        turn.member is None
        and not (is_text or changes_order)
        and (reason := person.reason_of(turn.understood)) is not None
    ):
        return await act(turn, f"human:{reason}")
    return await (in_flow(turn, flow) if flow else without_flow(turn))


async def _guessed(turn: Turn, flow: Flow | None, *, agreed: bool) -> Question:
    """A guess counts once the customer agrees; a denied one is no answer, and the misses before it stay counted."""
    if not agreed:
        turn.remark("guess.wrong")
        return await next_question(turn)
    guesses.take(turn)
    return await (in_flow(turn, flow) if flow else without_flow(turn))


async def _tapped(turn: Turn, choice: str) -> Question:
    """A button: an action of its own, or an option of the newest question; older ones are answered kindly."""
    if registry.exists(turn, choice):
        return await act(turn, choice)
    number = re.fullmatch(r"(\d{1,9}):(\d{1,3})", choice)
    if not number or int(number[1]) != turn.state.prompt or int(number[2]) >= len(turn.state.shown):
        turn.remark("tap.stale")
        return await next_question(turn)
    return await chosen(turn, turn.state.shown[int(number[2])][0])


async def _commanded(turn: Turn, command: Command) -> Question:
    state = turn.state
    match command:
        case Command.BACK:
            return await _back(turn)
        case Command.CANCEL if "giving_up" in state:
            await GiveUp().choose(turn, "yes")
        case Command.CANCEL | Command.START_OVER if draft.is_worth_keeping(turn) and state.flow == ORDER:
            state.put("giving_up", command.value)
        case Command.START_OVER if state.flow is None and turn.contact.customer.stopped_at is not None:
            return await act(turn, "receive")
        case Command.START_OVER:
            state.begin(ORDER)
        case Command.CANCEL if state.flow:
            given_up = open_flow(turn) or BOOKING
            state.begin(None)
            turn.remark(given_up.cancelled)
        case Command.CANCEL if turn.understood.intent is Intent.STOP:
            return await act(turn, "stop")
        case Command.CANCEL:
            return await requests.act(turn, Intent.CANCEL) or await next_question(turn)
        case Command.MENU:
            return actions.menu(turn)
        case Command.HELP:
            turn.remark("help")
        case Command.HUMAN:
            return await actions.human(turn)
        case Command.LANGUAGE:
            await actions.switch_language(turn)
        case Command.LANGUAGE_ID | Command.LANGUAGE_EN:
            actions.speak(turn, "id" if command is Command.LANGUAGE_ID else "en")
    return await next_question(turn)


async def _back(turn: Turn) -> Question:
    """Drop the newest answers, with those that depend on them, until another question is open."""
    state, flow = turn.state, open_flow(turn)
    if flow is None or not state.answers:
        return actions.menu(turn)
    before = state.asked
    while state.answers:
        name, _ = state.answers[-1]
        step = next((step for step in flow.steps if step.name == name), None)
        state.drop(name, *(step.drops if step else ()))
        current = next((step for step in flow.steps if step.needed(turn) and step.name not in state), None)
        if current is not None and current.name != before and not current.on_request:
            break
    return await next_question(turn)
