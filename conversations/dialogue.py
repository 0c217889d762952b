"""What to say to a message, in the order in which it is tried.

taken over by an admin? passed on
shared contact -> tap -> photo -> staff's command -> slash command -> a button's label, without a flow
    -> words that work everywhere
    -> in a strict flow: the answer -> asked again
    -> in a flow: correction settled? aside? the answer? other answers? a correction? another wish? -> not understood
    -> without a flow: a choice from the menu? a question? a wish? -> menu
"""

import re
from dataclasses import replace

from conversations import actions, after_booking, asides, corrections, kinds, registry, staff
from conversations.after_booking import refunds
from conversations.booking import BOOKING
from conversations.staff import takeover
from conversations.turn import Flow, Question, Step, Turn, Who
from conversations.understand.answers import Command, read_choice, read_command, read_staff_action, read_yes_no
from conversations.understand.intents import Intent
from core.messaging.messages import Option, say
from core.people import contacts
from core.refusals import Refusal

FLOWS = {flow.name: flow for flow in (BOOKING, *after_booking.FLOWS, *staff.FLOWS)}
MISSES_UNTIL_A_PERSON = 3
"""After so many messages in a row that weren't understood, a person is offered."""


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
    return None if kinds.needs_no_answer(turn) else await _reply(turn)


async def _reply(turn: Turn) -> Question:
    incoming, flow = turn.incoming, _flow(turn)
    if incoming.phone and not turn.contact.customer.phone_proven:
        await contacts.prove_phone(turn.session, turn.contact, incoming.phone)
        turn.state.drop("other_phone")
        if not incoming.text:
            turn.remark("phone.noted")
            return await _next(turn)
    if incoming.choice is not None:
        return await _tapped(turn, incoming.choice)
    step = _asked(turn, flow)
    if (said := kinds.unread(turn, step)) is not None:
        turn.remarks.append(said)
        return await _next(turn)
    text = incoming.text or ""
    is_answer = flow is not None and flow.strict and not text.startswith("/")
    if (action := read_staff_action(text)) and registry.exists(turn, action) and not is_answer:
        return await _act(turn, action)
    if (action := _SLASH.get(text.split(" ")[0])) is not None:
        return await _act(turn, action)
    # Exactly a button's label counts as a tap, whatever else the words could mean.
    same = [option for option, label in turn.state.shown if label.casefold() == text.strip().casefold()]
    if flow is None and len(same) == 1:
        return await _chosen(turn, same[0])
    if (command := read_command(text)) is not None:
        return await _commanded(turn, command)
    return await (_in_flow(turn, flow) if flow else _without_flow(turn))


def _flow(turn: Turn) -> Flow | None:
    """The open flow, if the writer (still) may do it."""
    flow = FLOWS.get(turn.state.flow or "")
    return flow if flow and turn.may(flow.who) else None


async def _tapped(turn: Turn, choice: str) -> Question:
    """A button: an action of its own, or an option of the newest question; older ones are answered kindly."""
    if registry.exists(turn, choice):
        return await _act(turn, choice)
    number = re.fullmatch(r"(\d{1,9}):(\d{1,3})", choice)
    if not number or int(number[1]) != turn.state.prompt or int(number[2]) >= len(turn.state.shown):
        turn.remark("tap.stale")
        return await _next(turn)
    return await _chosen(turn, turn.state.shown[int(number[2])][0])


async def _chosen(turn: Turn, option: str) -> Question:
    state, flow = turn.state, _flow(turn)
    state.misses = 0
    if option == registry.NEXT_PAGE.id:
        state.page += 1
        return await _next(turn)
    if state.asked == corrections.ASKS and flow:
        corrections.settle(turn, flow, agreed=option == "yes")
        return await _next(turn)
    step = _asked(turn, flow)
    if step is None or option == _HUMAN.id:
        return await _act(turn, option)
    await step.choose(turn, option)
    return await _next(turn)


async def _act(turn: Turn, choice: str) -> Question:
    try:
        async with turn.session.begin_nested():
            done = await registry.run(turn, choice)
    except Refusal as refusal:
        turn.remark_refusal(refusal)
        done = None
    return done or await _next(turn)


async def _commanded(turn: Turn, command: Command) -> Question:
    state = turn.state
    match command:
        case Command.BACK:
            return await _back(turn)
        case Command.CANCEL if state.flow:
            open_flow = _flow(turn) or BOOKING
            state.begin(None)
            return actions.menu(turn, say(open_flow.cancelled))
        case Command.CANCEL:
            return await actions.my_bookings(turn)
        case Command.START_OVER:
            await actions.book(turn)
            state.begin("booking")
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
    return await _next(turn)


async def _back(turn: Turn) -> Question:
    """Drop the newest answers, with those that depend on them, until another question is open."""
    state, flow = turn.state, _flow(turn)
    if flow is None or not state.answers:
        return actions.menu(turn)
    before = state.asked
    while state.answers:
        name, _ = state.answers[-1]
        step = next((step for step in flow.steps if step.name == name), None)
        state.drop(name, *(step.drops if step else ()))
        current = next((step for step in flow.steps if step.needed(turn) and step.name not in state), None)
        if current is not None and current.name != before:
            break
    return await _next(turn)


async def _in_flow(turn: Turn, flow: Flow) -> Question:
    state, text = turn.state, turn.incoming.text or ""
    step = _asked(turn, flow)
    if flow.strict:
        if step is not None and not await _read(turn, flow, step, text):
            turn.remark(f"again.{step.name}")
        return await _next(turn)
    option = _by_label(turn, text)
    if state.asked == corrections.ASKS and state.correction:
        agreed = read_yes_no(text) if option is None else option == "yes"
        if agreed is not None:
            corrections.settle(turn, flow, agreed=agreed)
            return await _next(turn)
    if state.asked is None and option is not None:
        return await _chosen(turn, option)
    if (not step or not step.free_text or "?" in text) and (said := await asides.answer(turn)) is not None:
        turn.remarks += said
        return await _next(turn)
    if await _read(turn, flow, step, text):
        state.misses, state.page, state.correction = 0, 0, None
        return await _next(turn)
    if found := corrections.find(turn, flow):
        return corrections.ask(turn, found)
    if (action := _WANTED.get(turn.understood.intent)) is not None:
        return await _act(turn, action)
    return await _missed(turn, step)


async def _read(turn: Turn, flow: Flow, step: Step | None, text: str) -> bool:
    """Whether the text answers the question on the screen, or others that are open."""
    if step is None:
        return _absorbed(turn, flow)
    option = _by_label(turn, text)
    if option is not None and text.isdigit() and not step.own_numbers:
        return await step.choose(turn, option)
    if await step.read(turn, text):
        if not step.free_text:
            _absorbed(turn, flow)
        return True
    if option is not None:
        return await step.choose(turn, option)
    return not step.free_text and _absorbed(turn, flow)


def _absorbed(turn: Turn, flow: Flow) -> bool:
    return any([step.absorb(turn) for step in flow.steps])


async def _without_flow(turn: Turn) -> Question:
    state, understood, text = turn.state, turn.understood, turn.incoming.text or ""
    if state.shown and text and (option := _by_label(turn, text)) is not None and understood.intent is None:
        return await _chosen(turn, option)
    if await refunds.begins_with_account(turn):
        return await _next(turn)
    said = await asides.answer(turn) if understood.intent not in (Intent.GREET, Intent.BOOK) else None
    if said is not None:
        for step in BOOKING.steps:
            if step.name in ("brand", "model", "year"):
                step.absorb(turn)  # the car is remembered for the booking that may follow
        return actions.menu(turn, *said)
    if (action := _WANTED.get(understood.intent)) is not None:
        return await _act(turn, action)
    goods = understood.categories or understood.parts or understood.services
    if understood.intent is Intent.BOOK or goods or understood.model or understood.date or understood.time:
        await actions.book(turn)
        _absorbed(turn, BOOKING)
        return await _next(turn)
    if text and understood.intent is None and not turn.remarks:
        return await _missed(turn, None)
    return actions.menu(turn)


async def _missed(turn: Turn, step: Step | None) -> Question:
    """Not understood: ask again in other words; after the third time in a row, offer a person and notify staff."""
    state = turn.state
    state.misses += 1
    if state.misses >= MISSES_UNTIL_A_PERSON:
        state.misses = 0
        await actions.call_staff(turn)
        turn.remark("unclear.human")
        asked = await _next(turn)
        return replace(asked, always=(*asked.always, _HUMAN))
    turn.remark("unclear.first" if state.misses == 1 else "unclear.second")
    if step is not None:
        turn.remark(f"again.{step.name}")
    return await _next(turn)


async def _next(turn: Turn) -> Question:
    flow = _flow(turn)
    if flow is None:
        return await staff.menu(turn) if turn.may(Who.STAFF) else actions.menu(turn)
    if turn.state.correction:
        return corrections.ask(turn, turn.state.correction)
    step = await _open_and_checked(turn, flow)
    if step is None:
        return await _finish(turn, flow) or await _next(turn)
    if step.name != turn.state.asked:
        turn.state.page = 0
    return replace(await step.ask(turn), asks=step.name)


async def _finish(turn: Turn, flow: Flow) -> Question | None:
    """Do what the flow is for. A refusal undoes it, and asks again what it is about or ends the flow."""
    try:
        async with turn.session.begin_nested():
            last = await flow.finish(turn)
    except Refusal as refusal:
        turn.remark_refusal(refusal)
        reopened = [step for step in flow.steps if isinstance(refusal, step.reopened_by)]
        for step in reopened:
            step.reopen(turn, refusal)
        if reopened:
            return None
        about, _ = turn.state.close()
        if flow.refused is None:
            return None
        last = await flow.refused(turn, about)
    return last if flow.strict else replace(last, always=(*last.always, registry.TO_MENU))


async def _open_and_checked(turn: Turn, flow: Flow) -> Step | None:
    """The first open step; tentative answers before it are checked, and dropped if they can't stand."""
    for step in flow.steps:
        if not step.needed(turn):
            continue
        if step.name not in turn.state:
            return step
        if step.name in turn.state.tentative:
            turn.state.tentative.remove(step.name)
            complaint = await step.check(turn, turn.state.get(step.name))
            if complaint is not None:
                if complaint not in turn.remarks:
                    turn.remarks.append(complaint)
                turn.state.drop(step.name, *step.drops)
                return step
    return None


def _asked(turn: Turn, flow: Flow | None) -> Step | None:
    """The step whose question is on the screen, if it is still needed."""
    steps = flow.steps if flow else ()
    return next((step for step in steps if step.name == turn.state.asked and step.needed(turn)), None)


def _by_label(turn: Turn, text: str) -> str | None:
    """The option that text means: by number, by label or a near spelling, or by yes or no if one label begins so."""
    labels = [label for _, label in turn.state.shown]
    index = read_choice(text, labels)
    if index is None and (agreed := read_yes_no(text)) is not None:
        begins = [read_yes_no(label.partition(",")[0]) for label in labels]
        index = begins.index(agreed) if begins.count(agreed) == 1 else None
    return None if index is None else turn.state.shown[index][0]


_SLASH = {"/start": "menu", "/menu": "menu", "/booking": "book", "/bookings": "mine"}
"""Telegram's commands that `read_command` doesn't read."""
_HUMAN = Option("human", say("option.human"))
_WANTED: dict[Intent | None, str] = {
    Intent.MY_BOOKINGS: "mine",
    Intent.STATUS: "mine",
    Intent.PAY: "mine",
    Intent.INVOICE: "mine",
    Intent.WARRANTY: "warranties",
    Intent.CANCEL: "mine",
    Intent.RESCHEDULE: "move",
    Intent.HUMAN: "human",
}
