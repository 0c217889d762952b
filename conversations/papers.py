"""The papers of a booking, sent again by a button: invoices, receipts, credit notes.

papers:receipt:BK-7F3K2Q     the only one of that kind, or a list of them
paper:receipt:BK-7F3K2Q.2    that one
"""

from collections.abc import Sequence
from typing import Literal

from conversations.registry import action, to_booking
from conversations.turn import Question, Turn, Who, question
from core.db.tables import Booking
from core.messaging.messages import Document, Option, say
from core.papers import numbering
from core.refusals import NotFound

Kind = Literal["invoice", "receipt", "credit_note"]
MAX_LISTED = 7
"""The newest ones are listed."""


@action("papers", who=Who.CUSTOMER)
async def list_papers(turn: Turn, which: str) -> Question:
    """A button for each paper of a kind; a single one is sent at once."""
    kind, code = _kind(which)
    names = (await _by_kind(turn, await turn.own_booking(code)))[kind]
    if not names:
        raise NotFound
    if len(names) == 1:
        return _send(kind, names[0])
    numbered = [Option(f"paper:{kind}:{name}", say(f"papers.{kind}", number=at)) for at, name in enumerate(names, 1)]
    return question(
        say(f"papers.list.{kind}", code=code),
        options=numbered[-MAX_LISTED:],
        always=[to_booking(code)],
        button=say("papers.button"),
    )


@action("paper", who=Who.CUSTOMER)
async def send_paper(turn: Turn, which: str) -> Question:
    kind, name = _kind(which)
    booking = await turn.own_booking(name.partition(".")[0])
    if name not in (await _by_kind(turn, booking))[kind]:
        raise NotFound
    return _send(kind, name)


async def buttons(turn: Turn, booking: Booking) -> list[Option]:
    """A button for each kind of paper that a booking has."""
    by_kind = await _by_kind(turn, booking)
    return [Option(f"papers:{kind}:{booking.code}", say(f"option.{kind}")) for kind, names in by_kind.items() if names]


def _send(kind: Kind, name: str) -> Question:
    code = name.partition(".")[0]
    return question(say(f"papers.again.{kind}", code=code), document=Document(kind, name), always=[to_booking(code)])


def _kind(which: str) -> tuple[Kind, str]:
    kind, _, name = which.partition(":")
    match kind:
        case "invoice" | "receipt" | "credit_note":
            return kind, name
    raise NotFound


async def _by_kind(turn: Turn, booking: Booking) -> dict[Kind, Sequence[str]]:
    found = await numbering.of_booking(turn.session, booking)
    return {"invoice": found.invoices, "receipt": found.receipts, "credit_note": found.credit_notes}
