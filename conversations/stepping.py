"""The steps of an open flow: which question is next, what a button or an action does, and the end of a flow."""

from collections.abc import Awaitable
from dataclasses import replace

from conversations import actions, after_booking, corrections, guesses, registry, staff
from conversations.booking import BOOKING, deciding
from conversations.state import ORDER
from conversations.turn import Flow, Question, Step, Turn, Who
from conversations.understand.answers import read_choice, read_yes_no
from core.messaging.messages import Option, say
from core.refusals import Refusal

FLOWS = {flow.name: flow for flow in (BOOKING, *after_booking.FLOWS, *staff.FLOWS)}
HUMAN = Option("human", say("option.human"))


def open_flow(turn: Turn) -> Flow | None:
    """The open flow, if the writer (still) may do it."""
    flow = FLOWS.get(turn.state.flow or "")
    return flow if flow and turn.may(flow.who) else None


def asked_step(turn: Turn, flow: Flow | None) -> Step | None:
    """The step whose question is on the screen, if it is still needed."""
    steps = flow.steps if flow else ()
    return next((step for step in steps if step.name == turn.state.asked and step.needed(turn)), None)


async def next_question(turn: Turn) -> Question:
    flow = open_flow(turn)
    if turn.second:
        return guesses.ask(turn)
    if flow is None:
        return await staff.menu(turn) if turn.may(Who.STAFF) else actions.menu(turn)
    if turn.state.correction:
        return corrections.ask(turn, turn.state.correction)
    step = await _open_and_checked(turn, flow)
    if step is None:
        return await _finish(turn, flow) or await next_question(turn)
    if step.name != turn.state.asked:
        turn.state.page = 0
    return replace(await step.ask(turn), asks=step.name)


async def _finish(turn: Turn, flow: Flow) -> Question | None:
    """Do what the flow is for. A refusal undoes it, and asks again what it is about or ends the flow."""
    second_car = turn.state.get(deciding.NEXT_ORDER)
    try:
        async with turn.undone_if_refused():
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
    if second_car is not None:
        return await _begin(turn, second_car)
    return last if flow.strict or not last.says else replace(last, always=(*last.always, registry.TO_MENU))


async def _begin(turn: Turn, words: str) -> Question | None:
    """Begin the order for the second car with what was said of it."""
    turn.reread(words)
    turn.state.begin(ORDER)
    turn.remark("two_cars.next", model=turn.understood.model)
    await absorb_all(turn, BOOKING)
    return None


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


async def absorb_all(turn: Turn, flow: Flow, ignoring: frozenset[str] = frozenset()) -> bool:
    return any([await step.absorb(turn) for step in flow.steps if step.name not in ignoring])


def by_label(turn: Turn, text: str) -> str | None:
    """The option that text means: by number, by label or a near spelling, or by yes or no if one label begins so."""
    labels = [label for _, label in turn.state.shown]
    index = read_choice(text, labels)
    if index is None and (agreed := read_yes_no(text)) is not None:
        begins = [read_yes_no(label.partition(",")[0]) for label in labels]
        index = begins.index(agreed) if begins.count(agreed) == 1 else None
    return None if index is None else turn.state.shown[index][0]


async def chosen(turn: Turn, option: str) -> Question:
    state, flow = turn.state, open_flow(turn)
    state.misses = 0
    if option == registry.NEXT_PAGE.id:
        state.page += 1
        return await (next_question(turn) if flow or not state.screen else act(turn, state.screen))
    if state.asked == corrections.ASKS and flow:
        corrections.settle(turn, flow, agreed=option == "yes")
        return await next_question(turn)
    step = asked_step(turn, flow)
    if step is None or option == HUMAN.id:
        return await act(turn, option)
    await step.choose(turn, option)
    return await next_question(turn)


async def act(turn: Turn, choice: str) -> Question:
    """The reply to an action, or the next question."""
    return await reply_to(turn, registry.run(turn, choice))


async def reply_to(turn: Turn, doing: Awaitable[Question | None]) -> Question:
    """The reply of what is done, or the next question; a refusal undoes it and is said."""
    try:
        async with turn.undone_if_refused():
            done = await doing
    except Refusal as refusal:
        turn.remark_refusal(refusal)
        done = None
    return done or await next_question(turn)
