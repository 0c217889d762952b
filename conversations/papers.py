"""The papers of a booking, sent once more by a button: invoices, receipts, credit notes.

papers:receipt:BK-7F3K2Q     the only one of that kind, or a list of them
paper:receipt:BK-7F3K2Q.2    that one
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from conversations.turn import Question, Turn, question
from core.db.tables import Booking
from core.messaging.messages import Document, Option, say
from core.papers import numbering
from core.papers.numbering import Papers
from core.refusals import NotFound

Kind = Literal["invoice", "receipt", "credit_note"]
MOST_LISTED = 7
"""The newest ones, where a booking has more."""


async def several(turn: Turn, which: str) -> Question:
    """All papers of a kind, a button each; the only one at once."""
    kind, code = _kind(which)
    names = _of(kind, await _own(turn, code))
    if not names:
        raise NotFound
    if len(names) == 1:
        return _send(kind, names[0])
    numbered = [
        Option(f"paper:{kind}:{name}", say(f"papers.{kind}", number=number)) for number, name in enumerate(names, 1)
    ]
    return question(
        say(f"papers.list.{kind}", code=code),
        options=numbered[-MOST_LISTED:],
        always=[_to_booking(code)],
        button=say("papers.button"),
    )


async def one(turn: Turn, which: str) -> Question:
    """One paper, by its kind and its name."""
    kind, name = _kind(which)
    if name not in _of(kind, await _own(turn, name.partition(".")[0])):
        raise NotFound
    return _send(kind, name)


async def buttons(turn: Turn, booking: Booking) -> list[Option]:
    """A button for each kind of paper that a booking has."""
    found = await numbering.of_booking(turn.session, booking)
    there = (("invoice", found.invoices), ("receipt", found.receipts), ("credit_note", found.credit_notes))
    return [Option(f"papers:{kind}:{booking.code}", say(f"option.{kind}")) for kind, names in there if names]


def _send(kind: Kind, name: str) -> Question:
    code = name.partition(".")[0]
    return question(say(f"papers.again.{kind}", code=code), document=Document(kind, name), always=[_to_booking(code)])


def _kind(which: str) -> tuple[Kind, str]:
    kind, _, name = which.partition(":")
    match kind:
        case "invoice" | "receipt" | "credit_note":
            return kind, name
    raise NotFound


def _of(kind: Kind, found: Papers) -> Sequence[str]:
    return {"invoice": found.invoices, "receipt": found.receipts, "credit_note": found.credit_notes}[kind]


async def _own(turn: Turn, code: str) -> Papers:
    booking = await turn.own_booking(code)
    return await numbering.of_booking(turn.session, booking)


def _to_booking(code: str) -> Option:
    return Option(f"see:{code}", say("option.see_booking"))


ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {
    "papers": several,
    "paper": one,
}
