"""What to say to a message, in the order in which it is tried.

taken over by an admin? passed on
shared contact -> tap -> photo -> staff's command -> slash command -> a button's label, without a flow
    -> words that work everywhere
    -> in a strict flow: the answer -> asked again
    -> in a flow: the open question reads first, then the other questions; what differs from before is corrected,
       a question is answered, a wish is done beside the order -> nothing of these: not understood
    -> without a flow: a choice from the menu? a wish to book, a question, a wish about a booking? -> menu
"""

import re
from dataclasses import replace

from conversations import (
    actions,
    after_booking,
    asides,
    consent,
    corrections,
    draft,
    exclusions,
    faq,
    kinds,
    person,
    registry,
    requests,
    staff,
    taken,
)
from conversations.advice import Advice
from conversations.after_booking import refunds
from conversations.booking import BOOKING, deciding
from conversations.booking.deciding import GiveUp
from conversations.booking.goods import as_answer
from conversations.staff import takeover
from conversations.state import ORDER
from conversations.turn import Flow, Question, Step, Turn, Who, question
from conversations.understand.acts import Act
from conversations.understand.answers import Command, read_choice, read_command, read_staff_action, read_yes_no
from conversations.understand.intents import Intent
from core.messaging.messages import Option, say
from core.people import contacts
from core.refusals import Refusal
from core.states import CallReason

FLOWS = {flow.name: flow for flow in (BOOKING, *after_booking.FLOWS, *staff.FLOWS)}
LOOKED_AT = "looked_at"
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
    if kinds.needs_no_answer(turn):
        return None
    before, greeted = taken.facts(turn), len(turn.remarks)
    asked = await _reply(turn)
    if choice is None and turn.state.flow == ORDER:
        turn.remarks[greeted:greeted] = taken.line(before, taken.facts(turn), new=asked.asks != "confirmed")
    return asked


async def _reply(turn: Turn) -> Question:
    incoming, flow = turn.incoming, _flow(turn)
    if incoming.phone and not turn.contact.customer.phone_proven:
        await contacts.prove_phone(turn.session, turn.contact, incoming.phone)
        if turn.state.get("asking") == "phone":
            turn.state.drop("asking")
        if not incoming.text:
            turn.remark("phone.noted")
            return await _next(turn)
    if incoming.choice is not None:
        return await _tapped(turn, incoming.choice)
    step = _asked(turn, flow)
    if (said := kinds.unread(turn, step)) is not None:
        turn.remarks.append(await person.pass_media(turn) or said)
        return await _next(turn)
    text = incoming.text or ""
    if incoming.phone and not (text or incoming.media or incoming.place):
        return await _next(turn)  # a number that is known already
    is_answer = flow is not None and flow.strict and not text.startswith("/")
    if (action := read_staff_action(text)) and registry.exists(turn, action) and not is_answer:
        return await _act(turn, action)
    if (action := _SLASH.get(text.split(" ")[0])) is not None:
        return await _act(turn, action)
    # Exactly a button's label counts as a tap, whatever else the words could mean.
    same = [option for option, label in turn.state.shown if label.casefold() == text.strip().casefold()]
    if len(same) == 1:
        return await _chosen(turn, same[0])
    if (command := read_command(text)) is not None:
        return await _commanded(turn, command)
    if not (flow and flow.strict) and (wish := consent.wish_of(turn)) is not None:
        return await _act(turn, wish)
    is_text = flow is not None and (flow.strict or (step is not None and step.free_text))
    changes_order = flow is BOOKING and bool(turn.understood.excluded)  # "jgn sama agus, kurang rapi" is no complaint
    if (
        turn.member is None
        and not (is_text or changes_order)
        and (reason := person.reason_of(turn.understood)) is not None
    ):
        return await _act(turn, f"human:{reason}")
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
        return await (_next(turn) if flow or not state.screen else _act(turn, state.screen))
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
        async with turn.undone_if_refused():
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
        case Command.CANCEL if "giving_up" in state:
            await GiveUp().choose(turn, "yes")
        case Command.CANCEL | Command.START_OVER if draft.is_worth_keeping(turn) and state.flow == ORDER:
            state.put("giving_up", command.value)
        case Command.START_OVER if state.flow is None and turn.contact.customer.stopped_at is not None:
            return await _act(turn, "receive")
        case Command.START_OVER:
            state.begin(ORDER)
        case Command.CANCEL if state.flow:
            open_flow = _flow(turn) or BOOKING
            state.begin(None)
            turn.remark(open_flow.cancelled)
        case Command.CANCEL if turn.understood.intent is Intent.STOP:
            return await _act(turn, "stop")
        case Command.CANCEL:
            return await requests.act(turn, Intent.CANCEL) or await _next(turn)
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
    """The reply in a flow; a question that stays open is repeated in fewer words."""
    step, known = _asked(turn, flow), [*turn.state.answers]
    if flow.strict:
        if step is not None and not await _read(turn, flow, step, turn.incoming.text or ""):
            turn.remark(f"again.{step.name}")
        return await _next(turn)
    asked = await _heard(turn, flow, step)
    if step is not None and asked.asks == step.name and turn.state.answers == known:
        return replace(asked, says=(say(f"again.{step.name}"),))
    return asked


async def _heard(turn: Turn, flow: Flow, step: Step | None) -> Question:
    """The open question reads first, then the others; what else the message holds is answered or done."""
    state, text = turn.state, turn.incoming.text or ""
    option = _by_label(turn, text)
    if state.asked == corrections.ASKS and state.correction:
        agreed = read_yes_no(text) if option is None else option == "yes"
        if agreed is not None:
            corrections.settle(turn, flow, agreed=agreed)
            return await _next(turn)
    if state.asked is None and option is not None:
        return await _chosen(turn, option)
    is_text = step is not None and step.free_text and "?" not in text
    heard = is_text and await _read(turn, flow, step, text)
    said, excluded = None, False
    if not heard:  # no name or address: a question or a wish
        said, excluded = await asides.answer(turn), exclusions.take(turn, flow)
        heard = await _read(turn, flow, None if excluded else step, text)
    if not (is_text and heard):
        answered = {step.name} if step and heard else set()
        heard |= corrections.take(turn, flow, ignoring=asides.asked_about(turn) | answered)
    turn.remarks += said.says if said else ()
    if not heard and _declines(turn):
        turn.remark("declined")
        heard = True
    if said or heard or excluded or _says_what_is_known(turn):
        state.misses, state.page = 0, 0
        return _showing(said, await _next(turn))
    if (wish := _wish_beside(turn)) is not None:
        return await _beside(turn, wish)
    return await _missed(turn)


def _declines(turn: Turn) -> bool:
    """Whether the customer won't or can't give something that the order doesn't need: "gak usah email"."""
    return bool((turn.understood.refused | turn.understood.unknown) & {"email", "plate", "technician", "method"})


def _says_what_is_known(turn: Turn) -> bool:
    """Whether the message repeats what the order holds already."""
    said, services = turn.understood.answers, turn.understood.services
    return any(turn.state.get(name) == value for name, value in said.items()) or (
        bool(services) and set(services) <= set(draft.services(turn))
    )


def _showing(said: Advice | None, asked: Question) -> Question:
    """The open question; while a part is chosen, an answer's parts stand in place of the list."""
    if said is None or not said.options or asked.asks not in ("category", "part"):
        return asked
    return replace(asked, says=(), options=said.options, document=said.document, link=said.link)


def _wish_beside(turn: Turn) -> Intent | None:
    return next((topic for topic in turn.understood.topics if topic in _BESIDE_AN_ORDER), None)


async def _beside(turn: Turn, intent: Intent | None) -> Question:
    """A wish in the middle of a flow: it speaks of the open order if it can, else of a booking, and loses nothing."""
    if turn.state.flow == ORDER and intent is Intent.PAY:
        turn.remark("draft.pays_later")
    elif turn.state.flow == ORDER and intent is Intent.CANCEL:
        turn.state.put("giving_up", Command.CANCEL.value)
    elif turn.state.flow == ORDER and intent is Intent.RESCHEDULE and "date" in turn.state:
        turn.state.drop("date", "time", "part_of_day", "confirmed")
    elif requests.is_one(intent):
        return await _act_on(turn, intent)
    else:
        return await _act(turn, _BESIDE_AN_ORDER[intent])
    return await _next(turn)


async def _act_on(turn: Turn, intent: Intent | None) -> Question:
    try:
        async with turn.undone_if_refused():
            done = await requests.act(turn, intent)
    except Refusal as refusal:
        turn.remark_refusal(refusal)
        done = None
    return done or await _next(turn)


async def _read(turn: Turn, flow: Flow, step: Step | None, text: str) -> bool:
    """Whether the text answers the question on the screen, or others that are open."""
    asked_about = asides.asked_about(turn)
    option = _by_label(turn, text)
    if step is None or step.name in asked_about:
        return await _absorbed(turn, flow, asked_about)
    if option is not None and text.isdigit() and not step.own_numbers:
        return await step.choose(turn, option)
    if await step.read(turn, text):
        if not step.free_text:
            await _absorbed(turn, flow, asked_about | {step.name})
        return True
    if option is not None:
        return await step.choose(turn, option)
    return await _absorbed(turn, flow, asked_about)


async def _absorbed(turn: Turn, flow: Flow, ignoring: frozenset[str] = frozenset()) -> bool:
    return any([await step.absorb(turn) for step in flow.steps if step.name not in ignoring])


async def _without_flow(turn: Turn) -> Question:
    state, understood, text = turn.state, turn.understood, turn.incoming.text or ""
    if state.shown and text and (option := _by_label(turn, text)) is not None and understood.intent is None:
        return await _chosen(turn, option)
    if await refunds.begins_with_account(turn):
        return await _next(turn)
    if understood.topics == (Intent.GREET,):
        return actions.menu(turn)
    _split_two_cars(turn)
    if (where := await after_booking.where_is_technician(turn)) is not None:
        return where
    said = await asides.answer(turn)
    if await after_booking.take_up_change(turn):
        turn.remarks += said.says if said else ()
        return await _next(turn)
    wish = _wish_beside(turn)
    orders = understood.intent in asides.ORDERS
    if not orders and wish is not None:
        turn.remarks += said.says if said else ()
        return await (_act_on(turn, wish) if requests.is_one(wish) else _act(turn, _BESIDE_AN_ORDER[wish]))
    goods = understood.categories or understood.parts or understood.services or understood.attributes
    if not (orders or said or understood.model or understood.date or understood.time) and understood.parts:
        said = await asides.look_at(turn)  # a part's name alone asks about it
    if orders or (said is None and (goods or understood.model or understood.date or understood.time)):
        await actions.book(turn)
        exclusions.take(turn, BOOKING)
        await _absorbed(turn, BOOKING, asides.asked_about(turn))
        _take_up(turn)
        turn.remarks += said.says if said else ()
        return _showing(said, await _next(turn))
    if said is not None:
        for step in BOOKING.steps:
            if step.name in ("brand", "model", "year"):
                await step.absorb(turn)  # the car is remembered for the booking that may follow
        _look_at(turn)
        options = said.options or [Option("book", say("option.book"))]
        return question(*said.says, options=options, always=[registry.TO_MENU], document=said.document, link=said.link)
    if _only_acknowledges(turn):
        return question(say("aside.acknowledged"))
    if text and not turn.remarks:
        return await _missed(turn)
    return await _known(turn) or actions.menu(turn)


async def _begin(turn: Turn, words: str) -> Question | None:
    """Begin the order for the second car with what was said of it."""
    turn.reread(words)
    turn.state.begin(ORDER)
    turn.remark("two_cars.next", model=turn.understood.model)
    await _absorbed(turn, BOOKING)
    return None


def _split_two_cars(turn: Turn) -> None:
    """Two cars in one message are two orders: the second waits until the first is placed."""
    models = [act for act in turn.understood.acts if act.slot == "model" and act.act is Act.INFORM]
    if len({act.value for act in models}) < 2:
        return
    text = turn.incoming.text or ""
    at = text.find(models[1].text, text.find(models[0].text) + len(models[0].text))
    if at > 0:
        turn.reread(text[:at])
        turn.state.put(deciding.NEXT_ORDER, text[at:])
        turn.remark("two_cars", first=models[0].value, second=models[1].value)


def _look_at(turn: Turn) -> None:
    """Remember the goods that were asked about, for the order that may follow."""
    if turn.understood.categories:
        seen = {"category": turn.understood.categories[0], "narrow": as_answer(turn.understood.attributes)}
        turn.state.put(LOOKED_AT, seen)


def _take_up(turn: Turn) -> None:
    """An order that names no goods is about those that were asked about before."""
    seen = turn.state.get(LOOKED_AT, {})
    if seen and not any(answer in turn.state for answer in ("category", "shopped", "basket")):
        for name, value in seen.items():
            turn.state.put(name, value)


def _only_acknowledges(turn: Turn) -> bool:
    acts = {each.act for each in turn.understood.acts}
    return bool(acts) and acts <= {Act.ACKNOWLEDGE, Act.CONFIRM, Act.THANK, Act.SMALLTALK}


async def _missed(turn: Turn) -> Question:
    """Not understood: the owner's answer, if it is a known question; else ask again in other words, and the third
    time in a row call a person.
    """
    if (known := await _known(turn)) is not None:
        return known
    state = turn.state
    if turn.member is None:
        await faq.remember_unanswered(turn.ctx, turn.contact, turn.incoming.text or "")
        if person.waiting_for_person(turn) and state.flow is None:
            return question(await person.told(turn))
    state.misses += 1
    if state.misses >= MISSES_UNTIL_A_PERSON:
        state.misses = 0
        turn.remarks.append(await person.call(turn, CallReason.MISSES))
        asked = await _next(turn)
        return replace(asked, always=(*asked.always, _HUMAN))
    turn.remark("unclear.first" if state.misses == 1 else "unclear.second")
    return await _next(turn)


async def _known(turn: Turn) -> Question | None:
    """The owner's answer to a customer's question, and what was open; None if there is none."""
    text = turn.incoming.text or ""
    answer = await faq.find(turn.ctx, text, turn.contact.language) if text and turn.member is None else None
    if answer is None:
        return None
    turn.remark("faq.answer", answer=answer)
    return await _next(turn) if turn.state.flow else question()


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
_BESIDE_AN_ORDER: dict[Intent | None, str] = {
    Intent.MY_BOOKINGS: "mine",
    Intent.STATUS: "mine",
    Intent.PAY: "mine",
    Intent.INVOICE: "mine",
    Intent.CANCEL: "mine",
    Intent.RESCHEDULE: "move",
    Intent.PAYMENT_HELP: "mine",
    Intent.PAID: f"human:{CallReason.PROOF}",
    Intent.COMPLAINT: f"human:{CallReason.COMPLAINT}",
    Intent.LATE: "late",
    Intent.HUMAN: "human",
    Intent.STOP: "stop",
    Intent.ERASE: "erase",
}
"""Wishes about bookings or for a person, and the action of those that aren't about one booking (`requests`)."""
