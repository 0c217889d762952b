"""What a customer decides about their messages and their data.

stop      no reminders, offers, alerts and requests for a rating any more; `receive` takes it back
erase     what will be erased and what the law keeps, then `erase-yes`; refused while something is open
"""

from collections.abc import Mapping

from conversations import actions
from conversations.registry import TO_MENU, action, to_booking
from conversations.state import State
from conversations.turn import Question, Turn, Who, question
from conversations.understand.intents import Intent
from conversations.understand.wishes import wants_messages_again
from core import booking
from core.messaging.messages import Option, say
from core.people import privacy
from core.people.privacy import Open, StillNeeded

_WISHES = {Intent.STOP: "stop", Intent.ERASE: "erase"}
_HUMAN = Option("human", say("option.human"))
MOST_LISTED = 3


def wish_of(turn: Turn) -> str | None:
    """The action that a message asks for, None if it is about something else."""
    understood, text = turn.understood, turn.incoming.text or ""
    if turn.contact.customer.stopped_at is not None and wants_messages_again(text) and not understood.topics:
        return "receive"
    is_only_that = not (understood.rest and turn.state.flow)
    return _WISHES.get(understood.intent) if understood.intent and is_only_that else None


@action("stop", who=Who.CUSTOMER)
async def stop(turn: Turn, _: str) -> Question | None:
    left = await booking.stop_messages(turn.ctx, turn.contact.customer)
    says = [say("consent.stopped"), *([say("consent.left")] if left else []), say("consent.goes_on")]
    if turn.state.flow:
        turn.remarks += says
        return None
    return question(*says, options=[Option("receive", say("consent.option.receive"))], always=[TO_MENU])


@action("receive", who=Who.CUSTOMER)
async def receive(turn: Turn, _: str) -> Question | None:
    await booking.resume_messages(turn.ctx, turn.contact.customer)
    if turn.state.flow:
        turn.remark("consent.received")
        return None
    return actions.menu(turn, say("consent.received"))


@action("erase", who=Who.CUSTOMER)
async def erase(turn: Turn, _: str) -> Question:
    """Ask first: it can't be undone."""
    try:
        await privacy.check_erasable(turn.session, turn.contact.customer)
    except StillNeeded as needed:
        return _not_yet(turn, needed.matters)
    back = "resume" if turn.state.flow else "menu"
    return question(
        say("erase.what"),
        say("erase.kept"),
        say("erase.ask"),
        options=[Option("erase-yes", say("erase.option.yes")), Option(back, say("erase.option.no"))],
    )


@action("erase-yes", who=Who.CUSTOMER)
async def erase_now(turn: Turn, _: str) -> Question:
    """The chat and its state go with the customer; stored photos go when nothing names them any more."""
    try:
        await privacy.erase(turn.ctx, turn.contact.customer)
    except StillNeeded as needed:
        return _not_yet(turn, needed.matters)
    turn.state = State(prompt=turn.state.prompt)
    return question(say("erase.done"))


def _not_yet(turn: Turn, matters: Mapping[str, Open]) -> Question:
    """Why it can't be done yet, where to look, and a person who helps."""
    listed = [*matters.items()][:MOST_LISTED]
    own = [
        Option(f"wait:{code}", say("wait.option")) if what is Open.WAITLIST else to_booking(code)
        for code, what in listed
    ]
    return question(
        say("erase.not_yet", lines=[say(f"erase.open.{what}", code=code) for code, what in listed]),
        say("erase.not_yet_then"),
        options=[*(own[:1]), _HUMAN],
        always=[TO_MENU],
    )
