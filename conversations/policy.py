"""The policy: what a line of a customer does, whatever it says.

in a flow       what isn't wanted is taken out; the open question reads first, then the others; what differs from
                before is corrected; a question is answered in the same reply; a wish is done beside the order
without a flow  a choice from the screen? a change of a booking, a wish, an order, a question? -> the menu
nothing of it   the owner's answer; else asked again in other words, the third time a person is called
"""

from dataclasses import replace

from conversations import (
    actions,
    after_booking,
    asides,
    corrections,
    draft,
    exclusions,
    faq,
    person,
    registry,
    requests,
)
from conversations.advice import Advice
from conversations.after_booking import refunds
from conversations.booking import BOOKING, deciding
from conversations.booking.goods import as_answer
from conversations.state import ORDER
from conversations.stepping import HUMAN, absorb_all, act, asked_step, by_label, chosen, next_question, reply_to
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand.acts import Act
from conversations.understand.answers import Command, read_yes_no
from conversations.understand.intents import Intent
from core.messaging.messages import Option, say
from core.states import CallReason

LOOKED_AT = "looked_at"
"""The answer that keeps the goods that were asked about."""
MISSES_UNTIL_A_PERSON = 3
"""After so many messages in a row that weren't understood, a person is called."""
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


async def in_flow(turn: Turn, flow: Flow) -> Question:
    """The reply in a flow; a question that stays open is repeated in fewer words."""
    step, known = asked_step(turn, flow), [*turn.state.answers]
    if flow.strict:
        if step is not None and not await _read(turn, flow, step, turn.incoming.text or ""):
            turn.remark(f"again.{step.name}")
        return await next_question(turn)
    asked = await _heard(turn, flow, step)
    if step is not None and asked.asks == step.name and turn.state.answers == known:
        return replace(asked, says=(say(f"again.{step.name}"),))
    return asked


async def _heard(turn: Turn, flow: Flow, step: Step | None) -> Question:
    """The open question reads first, then the others; what else the message holds is answered or done."""
    state, text = turn.state, turn.incoming.text or ""
    option = by_label(turn, text)
    if state.asked == corrections.ASKS and state.correction:
        agreed = read_yes_no(text) if option is None else option == "yes"
        if agreed is not None:
            corrections.settle(turn, flow, agreed=agreed)
            return await next_question(turn)
    if state.asked is None and option is not None:
        return await chosen(turn, option)
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
        return _showing(said, await next_question(turn))
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
        return await reply_to(turn, requests.act(turn, intent))
    else:
        return await act(turn, _BESIDE_AN_ORDER[intent])
    return await next_question(turn)


async def _read(turn: Turn, flow: Flow, step: Step | None, text: str) -> bool:
    """Whether the text answers the question on the screen, or others that are open."""
    asked_about = asides.asked_about(turn)
    option = by_label(turn, text)
    if step is None or step.name in asked_about:
        return await absorb_all(turn, flow, asked_about)
    if option is not None and text.isdigit() and not step.own_numbers:
        return await step.choose(turn, option)
    if await step.read(turn, text):
        if not step.free_text:
            await absorb_all(turn, flow, asked_about | {step.name})
        return True
    if option is not None:
        return await step.choose(turn, option)
    return await absorb_all(turn, flow, asked_about)


async def without_flow(turn: Turn) -> Question:
    state, understood, text = turn.state, turn.understood, turn.incoming.text or ""
    if state.shown and text and (option := by_label(turn, text)) is not None and understood.intent is None:
        return await chosen(turn, option)
    if await refunds.begins_with_account(turn):
        return await next_question(turn)
    if understood.topics == (Intent.GREET,):
        return await next_question(turn) if turn.second else actions.menu(turn)
    _split_two_cars(turn)
    if (where := await after_booking.where_is_technician(turn)) is not None:
        return where
    said = await asides.answer(turn)
    if await after_booking.take_up_change(turn):
        turn.remarks += said.says if said else ()
        return await next_question(turn)
    wish = _wish_beside(turn)
    orders = understood.intent in asides.ORDERS
    if not orders and wish is not None:
        turn.remarks += said.says if said else ()
        return await (
            reply_to(turn, requests.act(turn, wish)) if requests.is_one(wish) else act(turn, _BESIDE_AN_ORDER[wish])
        )
    goods = understood.categories or understood.parts or understood.services or understood.attributes
    if not (orders or said or understood.model or understood.date or understood.time) and understood.parts:
        said = await asides.look_at(turn)  # a part's name alone asks about it
    if orders or (said is None and (goods or understood.model or understood.date or understood.time)):
        await actions.book(turn)
        exclusions.take(turn, BOOKING)
        await absorb_all(turn, BOOKING, asides.asked_about(turn))
        _take_up(turn)
        turn.remarks += said.says if said else ()
        return _showing(said, await next_question(turn))
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
    return await _known(turn) or (await next_question(turn) if turn.second else actions.menu(turn))


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
        asked = await next_question(turn)
        return replace(asked, always=(*asked.always, HUMAN))
    if not turn.second:
        turn.remark("unclear.first" if state.misses == 1 else "unclear.second")
    return await next_question(turn)


async def _known(turn: Turn) -> Question | None:
    """The owner's answer to a customer's question, and what was open; None if there is none."""
    text = turn.incoming.text or ""
    answer = await faq.find(turn.ctx, text, turn.contact.language) if text and turn.member is None else None
    if answer is None:
        return None
    turn.remark("faq.answer", answer=answer)
    return await next_question(turn) if turn.state.flow else question()
