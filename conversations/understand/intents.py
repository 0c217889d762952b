"""What a line wants: its topics, by the cues of `vocabulary/intents.yaml`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from conversations.understand.acts import Act
from conversations.understand.cues import find
from conversations.understand.spelling import Line, Span


class Intent(StrEnum):
    BOOK = "book"
    FIT = "fit"
    PRICE = "price"
    STOCK = "stock"
    STATUS = "status"
    PAY = "pay"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    MY_BOOKINGS = "my_bookings"
    INVOICE = "invoice"
    WARRANTY = "warranty"
    HOURS = "hours"
    LOCATION = "location"
    HUMAN = "human"
    GREET = "greet"
    THANKS = "thanks"
    RECOMMEND = "recommend"
    COMPARE = "compare"
    DISCOUNT = "discount"
    DELIVERY = "delivery"
    PAYMENT_TERMS = "payment_terms"
    """How and when one can pay: down payment, instalments, methods, whether it is safe."""
    PAYMENT_HELP = "payment_help"
    """Paying fails, or was done and nothing came of it."""
    PAID = "paid"
    """Says that it is paid, or sends the proof."""
    COMPLAINT = "complaint"
    REPAIR = "repair"
    DURATION = "duration"
    LATE = "late"
    """Late, or on the way."""
    ADD = "add"
    """To a booking that stands."""
    STOP = "stop"
    """No more messages."""
    ERASE = "erase"
    NOT_OURS = "not_ours"
    """Work of another trade."""
    FAQ = "faq"
    """A question from the owner's FAQ. Found by `faq`, not by a cue."""


TABLE = "intents.yaml"
WISHES = frozenset({Intent.BOOK, Intent.REPAIR, Intent.ADD})
WANTING = frozenset({"mau", "minta", "tolong", "butuh", "perlu", "need", "booking", "like", "daftar", "pesan"})
OF_A_WISH = frozenset(
    {"<category>", "<part>", "<maker>", "<car>", "<year>", "<day>", "<time>", "<part_of_day>", "audio", "paket"}
)
"""What a wish is about; "biar bisa booking" alone is about none."""
VISIT = frozenset({"<day>", "<time>", "<part_of_day>"})


@dataclass(frozen=True, slots=True)
class Topic:
    intent: Intent
    act: Act
    span: Span
    spoken: Sequence[Span] = ()
    """All words that speak of it."""
    aside: bool = False
    """A question that is answered beside a wish."""


def topics_of(line: Line) -> list[Topic]:
    """All topics of a line, its main one first: of a wish and a question about it, that is the wish."""
    found = [
        Topic(
            Intent(each.rule.says.get("topic", each.rule.name)),
            Act(each.rule.says["act"]),
            each.span(line),
            [(line[at].start, line[at].end) for at in each.spoken],
            each.rule.says.get("aside", False),
        )
        for each in find(line, TABLE)
    ]
    words = {token.text for token in line}
    is_wish = bool(words & WANTING or words & VISIT or "<year>" in words)
    wish = next((topic for topic in found if topic.intent in WISHES), None)
    if wish and is_wish and words & OF_A_WISH and _may_lead(wish, found, words):
        found = [wish, *(topic for topic in found if topic is not wish)]
    return list({topic.intent: topic for topic in reversed(found)}.values())[::-1]


def _may_lead(wish: Topic, found: Sequence[Topic], words: set[str]) -> bool:
    """Whether all topics before the wish are asides; price and stock are, where a day is named too."""
    is_dated = (words & VISIT and words & WANTING) or {"<day>", "<time>"} <= words
    asked = frozenset({Intent.PRICE, Intent.STOCK, Intent.FIT}) if is_dated else frozenset()
    before = found[: found.index(wish)]
    return all(topic.aside or topic.intent in asked for topic in before)
