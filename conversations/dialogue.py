"""What to say to a message: the order in which a turn looks at it.

a person speaks? passed on
shared contact -> tap -> photo -> staff's command -> slash command -> a button's own words, at the desk
    -> words that work everywhere
    -> in a strict flow: the answer -> asked again
    -> in a flow: correction settled? aside? the answer? other answers? a correction? another wish? -> missed
    -> at the desk: a choice from the menu? a question? a wish? -> menu
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from conversations import actions, asides, corrections, paging, papers, staff
from conversations.after_booking import cancelling, history, refunds, rescheduling
from conversations.booking import BOOKING, waitlist
from conversations.staff import takeover
from conversations.staff.commands import read_action
from conversations.turn import Flow, Question, Step, Turn
from conversations.understand import Intent, Understanding
from conversations.understand.answers import Command, read_choice, read_command, read_yes_no
from core.messaging.messages import Option, say
from core.people import contacts
from core.refusals import Refusal

FLOWS = {flow.name: flow for flow in (BOOKING, history.COMMENT, rescheduling.MOVE, refunds.ACCOUNT)}
PATIENCE = 3
"""After so many answers in a row that nobody understood, a person is offered."""


async def answer(turn: Turn) -> Question | None:
    """What to say to this message; None where a person speaks in the bot's place."""
    if takeover.is_on(turn) and not _is_for_the_bot(turn):
        return await takeover.pass_on(turn)
    return await _said(turn)


def _is_for_the_bot(turn: Turn) -> bool:
    """While a person speaks: a button that says what it does, and staff's slash commands."""
    choice, text = turn.incoming.choice, turn.incoming.text or ""
    if staff.knows(turn, "staff"):
        return choice is not None or text.startswith("/")
    return choice is not None and (_name(choice) in OF_A_BOOKING or actions.is_action(choice))


async def _said(turn: Turn) -> Question:
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
    if incoming.media and not incoming.text and not (step and step.takes_photos):
        turn.remark("media.unread")
        return await _next(turn)
    text = incoming.text or ""
    if (action := read_action(text)) and staff.knows(turn, action) and (not _is_strict(flow) or text.startswith("/")):
        return await _act(turn, action)
    if (action := _SLASH.get(text.split(" ")[0])) is not None:
        return await _act(turn, action)
    if flow is None and (option := _typed_out(turn, text)) is not None:
        return await _chosen(turn, option)
    command = read_command(text)
    if command is not None:
        return await _commanded(turn, command)
    return await (_in_flow(turn, flow) if flow else _at_the_desk(turn))


def _flow(turn: Turn) -> Flow | None:
    return FLOWS.get(turn.state.flow or "") or staff.flow_of(turn)


def _is_strict(flow: Flow | None) -> bool:
    return flow is not None and flow.strict


async def _tapped(turn: Turn, choice: str) -> Question:
    """A button: an action of its own, or an option of the newest question; older ones are answered kindly."""
    if staff.knows(turn, choice) or _name(choice) in OF_A_BOOKING or actions.is_action(choice):
        return await _act(turn, choice)
    number = re.fullmatch(r"(\d{1,9}):(\d{1,3})", choice)
    if not number or int(number[1]) != turn.state.prompt or int(number[2]) >= len(turn.state.shown):
        turn.remark("tap.stale")
        return await _next(turn)
    return await _chosen(turn, turn.state.shown[int(number[2])][0])


async def _chosen(turn: Turn, option: str) -> Question:
    """An option of the question on the screen, by tap, number or label."""
    state, flow = turn.state, _flow(turn)
    state.misses = 0
    if option == paging.NEXT_PAGE:
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


async def _act(turn: Turn, action: str) -> Question:
    """What a button says: staff's, of a job under way, or of the front desk."""
    if staff.knows(turn, action):
        return await _unless_refused(turn, lambda: staff.act(turn, action)) or await _next(turn)
    if (deed := OF_A_BOOKING.get(_name(action))) is not None:
        return await _unless_refused(turn, lambda: deed(turn, action.partition(":")[2])) or await _next(turn)
    return await actions.act(turn, action) or await _next(turn)


def _name(action: str) -> str:
    return action.partition(":")[0]


async def _unless_refused(turn: Turn, deed: Callable[[], Awaitable[Question | None]]) -> Question | None:
    """Do it; a refusal undoes what was written and is said, below the menu or the open question."""
    try:
        async with turn.session.begin_nested():
            return await deed()
    except Refusal as refusal:
        turn.remark(f"refusal.{refusal.code}", **refusal.params)
        return None


async def _commanded(turn: Turn, command: Command) -> Question:
    """Words that work everywhere."""
    state = turn.state
    match command:
        case Command.BACK:
            return await _back(turn)
        case Command.CANCEL if state.flow:
            open_flow = _flow(turn) or BOOKING
            state.begin(None)
            return actions.menu(turn, say(open_flow.given_up))
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
            await actions.language(turn)
        case Command.LANGUAGE_ID | Command.LANGUAGE_EN:
            actions.speak(turn, "id" if command is Command.LANGUAGE_ID else "en")
    return await _next(turn)


async def _back(turn: Turn) -> Question:
    """Drop the newest answer and what hung on it, until another question comes up."""
    state, flow = turn.state, _flow(turn)
    if flow is None or not state.answers:
        return actions.menu(turn)
    before = state.asked
    while state.answers:
        name, _ = state.answers[-1]
        step = next((step for step in flow.steps if step.name == name), None)
        state.drop(name, *(step.drops if step else ()))
        current = _open(turn, flow)
        if current is not None and current.name != before:
            break
    return await _next(turn)


async def _in_flow(turn: Turn, flow: Flow) -> Question:
    """Text while a flow is open: a question aside, the answer, answers to other questions, or nothing we know."""
    state, text = turn.state, turn.incoming.text or ""
    step = _asked(turn, flow)
    if flow.strict:
        return await _answered(turn, flow, step, text)
    if state.asked == corrections.ASKS and state.correction and (agreed := _agreed(turn, text)) is not None:
        corrections.settle(turn, flow, agreed=agreed)
        return await _next(turn)
    if state.asked is None and (option := _by_label(turn, text)) is not None:
        return await _chosen(turn, option)
    if (not step or not step.free_text or "?" in text) and (said := await asides.answer(turn)) is not None:
        turn.remarks += said
        return await _next(turn)
    if await _read(turn, flow, step, text):
        state.misses, state.page, state.correction = 0, 0, None
        return await _next(turn)
    found = corrections.find(turn, flow)
    if found:
        return corrections.ask(turn, found)
    if (action := _WANTED.get(turn.heard.intent)) is not None:
        return await _act(turn, action)
    return await _missed(turn, step)


async def _answered(turn: Turn, flow: Flow, step: Step | None, text: str) -> Question:
    """Text in a strict flow: the answer, or the question again in other words."""
    if step is not None and not await _read(turn, flow, step, text):
        turn.remark(f"again.{step.name}")
    return await _next(turn)


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
    """Whether the message answers any open question of the flow."""
    return any([step.absorb(turn) for step in flow.steps])


async def _at_the_desk(turn: Turn) -> Question:
    """Text while nothing is open: a question, a wish, or a choice from the menu."""
    state, heard, text = turn.state, turn.heard, turn.incoming.text or ""
    if state.shown and text and (option := _by_label(turn, text)) is not None and heard.intent is None:
        return await _chosen(turn, option)
    if await refunds.told(turn):
        return await _next(turn)
    said = await asides.answer(turn) if heard.intent not in (Intent.GREET, Intent.BOOK) else None
    if said is not None:
        for step in BOOKING.steps:
            if step.name in ("brand", "model", "year"):
                step.absorb(turn)  # the car is remembered for the booking that may follow
        return actions.menu(turn, *said)
    if (action := _WANTED.get(heard.intent)) is not None:
        return await _act(turn, action)
    if heard.intent is Intent.BOOK or _names_something(heard):
        await actions.book(turn)
        _absorbed(turn, BOOKING)
        return await _next(turn)
    if text and heard.intent is None and not turn.remarks:
        return await _missed(turn, None)
    return actions.menu(turn)


async def _missed(turn: Turn, step: Step | None) -> Question:
    """Nobody understood: ask again in other words; the third time a person is offered and staff is told."""
    state = turn.state
    state.misses += 1
    if state.misses >= PATIENCE:
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
    """The question that comes now: the first open one of the flow, its end, or the menu."""
    flow = _flow(turn)
    if flow is None:
        return await staff.menu(turn) if staff.knows(turn, "staff") else actions.menu(turn)
    if turn.state.correction:
        return corrections.ask(turn, turn.state.correction)
    while True:
        step = await _open_and_checked(turn, flow)
        if step is None:
            if flow.strict:
                return await _unless_refused(turn, partial(flow.finish, turn)) or await _next(turn)
            last = await flow.finish(turn)
            if last is not None:
                return replace(last, always=(*last.always, _MENU))
            continue
        if step.name != turn.state.asked:
            turn.state.page = 0
        return replace(await step.ask(turn), asks=step.name)


async def _open_and_checked(turn: Turn, flow: Flow) -> Step | None:
    """The first open step, after tentative answers before it were checked, and dropped where they can't stand."""
    for step in flow.steps:
        if not step.needed(turn):
            continue
        if step.name not in turn.state:
            return step
        if step.name in turn.state.tentative:
            turn.state.tentative.remove(step.name)
            complaint = await step.check(turn)
            if complaint is not None:
                if complaint not in turn.remarks:
                    turn.remarks.append(complaint)
                turn.state.drop(step.name, *step.drops)
                return step
    return None


def _open(turn: Turn, flow: Flow) -> Step | None:
    return next((step for step in flow.steps if step.needed(turn) and step.name not in turn.state), None)


def _asked(turn: Turn, flow: Flow | None) -> Step | None:
    """The step whose question is on the screen, if it still arises."""
    steps = flow.steps if flow else ()
    return next((step for step in steps if step.name == turn.state.asked and step.needed(turn)), None)


def _by_label(turn: Turn, text: str) -> str | None:
    """The option meant by a typed number, a label or its near spelling, or by a yes or a no where one begins so."""
    labels = [label for _, label in turn.state.shown]
    index = read_choice(text, labels)
    if index is None and (agreed := read_yes_no(text)) is not None:
        begins = [read_yes_no(label.partition(",")[0]) for label in labels]
        index = begins.index(agreed) if begins.count(agreed) == 1 else None
    return None if index is None else turn.state.shown[index][0]


def _typed_out(turn: Turn, text: str) -> str | None:
    """The option whose label this is, letter by letter: as good as a tap, whatever else the words could mean."""
    same = [option for option, label in turn.state.shown if label.casefold() == text.strip().casefold()]
    return same[0] if len(same) == 1 else None


def _agreed(turn: Turn, text: str) -> bool | None:
    option = _by_label(turn, text)
    return read_yes_no(text) if option is None else option == "yes"


def _names_something(heard: Understanding) -> bool:
    """Whether a message names anything that a booking could be about."""
    return bool(heard.categories or heard.parts or heard.services or heard.model or heard.date or heard.time)


OF_A_BOOKING = {
    **history.ACTIONS,
    **papers.ACTIONS,
    **cancelling.ACTIONS,
    **rescheduling.ACTIONS,
    **refunds.ACTIONS,
    **waitlist.ACTIONS,
}
"""What a customer does with a booking, by the names of the buttons; these raise refusals."""
_SLASH = {"/start": "menu", "/menu": "menu", "/booking": "book", "/bookings": "mine"}
"""Telegram's commands that no words stand for; the others are read like words (`read_command`)."""
_HUMAN = Option("human", say("option.human"))
_MENU = Option("menu", say("option.menu"))
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
"""What the customer wants of an existing booking, and the action that leads there."""
