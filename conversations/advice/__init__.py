"""Answers to what people ask before they buy, for the policy to say: `answer(turn, topic)`.

    goods   recommend, compare, price and stock, discount, warranty
    work    duration, own parts, repair
    terms   paying, delivery, what the shop does, hours in Ramadan and on holidays

An answer asks and changes nothing: the open question comes again below it. Its options are parts or services by their
id, or `human`.
"""

from collections.abc import Awaitable, Callable

from conversations.advice import goods, terms, work
from conversations.advice.wish import Advice, Wish, wish_of
from conversations.turn import Turn
from conversations.understand.choosing import read_chosen
from core.db.tables import Part

__all__ = ["TOPICS", "Advice", "Wish", "answer", "chosen", "wish_of"]

_Answer = Callable[[Turn, Wish], Awaitable[Advice | None]]
TOPICS: dict[str, _Answer] = {
    "recommend": goods.recommend,
    "compare": goods.compare,
    "price": goods.price,
    "stock": goods.price,
    "discount": goods.discount,
    "warranty": goods.warranty,
    "duration": work.duration,
    "own_parts": work.own_parts,
    "repair": work.repair,
    "payment_terms": terms.payment_terms,
    "delivery": terms.delivery,
    "not_ours": terms.not_ours,
    "hours": terms.hours,
}
"""By the topic, as an `Intent` names it."""


async def answer(turn: Turn, topic: str, wish: Wish | None = None) -> Advice | None:
    """The answer to a question about a topic; None if it says too little, or we have no answer to such a topic."""
    asked = TOPICS.get(topic)
    return await asked(turn, wish or wish_of(turn)) if asked else None


def chosen(turn: Turn, wish: Wish | None = None) -> Part | None:
    """The one of the parts on the screen that the message describes ("yg venom 8 inch", "yang murah aja")."""
    shown = [turn.catalogue.parts[option] for option, _ in turn.state.shown if option in turn.catalogue.parts]
    return read_chosen(turn.incoming.text or "", shown, (wish or wish_of(turn)).attributes)
