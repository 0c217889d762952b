"""What a customer does with a job under way or behind: answers a cost, rates, looks back, books it again.

An action returns what to say, or None to go on with the open flow; it raises a `Refusal`.
"""

from collections.abc import Awaitable, Callable, Mapping

from conversations import actions
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand.answers import read_skip
from core import bookings, work
from core.messages import Option, say
from core.refusals import NotFound
from core.tables import Booking

LONGEST_COMMENT = 1000


def knows(action: str) -> bool:
    """Whether it is one of these actions."""
    return action.partition(":")[0] in _ACTIONS


async def act(turn: Turn, action: str) -> Question | None:
    """Do what a button says; raises a `Refusal`."""
    name, _, argument = action.partition(":")
    return await _ACTIONS[name](turn, argument)


async def agree(turn: Turn, cost: str) -> Question:
    """Agree to an additional cost; what it means for the price comes as a message of its own."""
    return await _decide(turn, cost, agreed=True)


async def refuse(turn: Turn, cost: str) -> Question:
    """Refuse an additional cost; it is never billed."""
    return await _decide(turn, cost, agreed=False)


async def rate(turn: Turn, argument: str) -> Question | None:
    """Give a completed job its stars, then ask for a word about it."""
    code, _, stars = argument.partition(":")
    booking = await own(turn, code)
    count = int(stars) if stars.isdecimal() and len(stars) == 1 else 0
    await work.rate(turn.session, booking, count, None, customer_id=turn.contact.customer_id, now=turn.now)
    turn.remark("rated", stars="⭐" * count)
    if turn.state.flow is None:
        turn.state.begin(COMMENT.name, about=code)
    return None


class Words(Step):
    """What the customer has to say beside the stars."""

    name = "words"
    free_text = True
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """Type it, or go without."""
        return question(say("ask.comment"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        """Only going without is a button."""
        turn.state.put(self.name, "")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Any words; a word that means none is none."""
        if not text:
            return False
        turn.state.put(self.name, "" if read_skip(text) else text[:LONGEST_COMMENT])
        return True


async def own(turn: Turn, code: str) -> Booking:
    """The booking of that code if it is this customer's; raises `NotFound` for anybody else's."""
    booking = await bookings.load(turn.session, code=code)
    if booking.customer_id != turn.contact.customer_id:
        raise NotFound
    return booking


async def _decide(turn: Turn, cost: str, *, agreed: bool) -> Question:
    if not cost.isdecimal() or len(cost) > 9:
        raise NotFound
    decided = await work.decide_cost(
        turn.session,
        int(cost),
        agreed=agreed,
        customer_id=turn.contact.customer_id,
        shop=turn.shop,
        now=turn.now,
    )
    booking = await bookings.load(turn.session, booking_id=decided.booking_id)
    return question(
        say("cost.answered"),
        options=[Option(f"see:{booking.code}", say("option.see_booking")), Option("menu", say("option.menu"))],
    )


async def _comment(turn: Turn) -> Question:
    code, words = turn.state.about or "", turn.state.get("words")
    turn.state.begin(None)
    if words:
        booking = await own(turn, code)
        await work.comment_on(turn.session, booking, words, customer_id=turn.contact.customer_id)
    return actions.menu(turn, say("comment.thanks"))


COMMENT = Flow("comment", (Words(),), _comment, strict=True)

_ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {
    "cost-yes": agree,
    "cost-no": refuse,
    "rate": rate,
}
