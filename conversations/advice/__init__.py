"""Answers to what people ask before they buy, for the policy to say: `answer(turn, topic)`, or `answer_all`.

    goods   recommend, compare, price and stock, discount, warranty
    work    duration, own parts, repair
    terms   paying, delivery, what the shop does, hours in Ramadan and on holidays

An answer asks and changes nothing: the open question comes again below it. Its options are parts or services by their
id, or `human`.
"""

from collections.abc import Awaitable, Callable, Iterable

from conversations.advice import goods, terms, work
from conversations.advice.wish import MOST_OPTIONS, Advice, Wish, parts_on_screen, wish_of
from conversations.turn import Turn
from conversations.understand.choosing import read_chosen
from core.db.tables import Part

__all__ = ["TOPICS", "Advice", "Wish", "answer", "answer_all", "chosen", "wish_of"]

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


_ABOUT_GOODS = ("compare", "recommend", "repair", "own_parts", "price", "stock")
"""Topics of which one answer is enough: the first."""


async def answer(turn: Turn, topic: str, wish: Wish | None = None) -> Advice | None:
    """The answer to a question about a topic; None if it says too little, or we have no answer to such a topic."""
    wish = wish or wish_of(turn)
    asked = TOPICS.get("own_parts" if topic == "price" and wish.own_parts else topic)
    return await asked(turn, wish) if asked else None


async def answer_all(turn: Turn, topics: Iterable[str], wish: Wish | None = None) -> Advice | None:
    """The answers to several topics of one message as one; "ada? berapa?" is answered once."""
    wish, asked = wish or wish_of(turn), [*topics]
    about_goods = [topic for topic in _ABOUT_GOODS if topic in asked][:1]
    rest = [topic for topic in dict.fromkeys(asked) if topic in TOPICS and topic not in _ABOUT_GOODS]
    found = [said for topic in (*about_goods, *rest) if (said := await answer(turn, topic, wish)) is not None]
    if not found:
        return None
    options = {option.id: option for said in found for option in said.options}
    return Advice(
        says=[each for said in found for each in said.says],
        options=list(options.values())[:MOST_OPTIONS],
        document=next((said.document for said in found if said.document), None),
        link=next((said.link for said in found if said.link), None),
    )


def chosen(turn: Turn, wish: Wish | None = None) -> Part | None:
    """The one of the parts on the screen that the message describes ("yg venom 8 inch", "yang murah aja").

    None where it asks about them: "yang paling bagus apa".
    """
    if any(topic in TOPICS for topic in turn.understood.topics):
        return None
    return read_chosen(turn.incoming.text or "", parts_on_screen(turn), (wish or wish_of(turn)).attributes)
