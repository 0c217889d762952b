"""The papers of a booking go only to its customer, whatever the button says."""

from datetime import datetime
from typing import Literal

from paying import CHAT, CODE, ORDER, answer, book, give_link
from talk import Talk

from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Contact, Conversation
from core.messaging.messages import Document
from core.shop import Shop

TAPS: dict[str, Literal["receipt", "invoice"] | None] = {
    f"papers:receipt:{CODE}": "receipt",  # the only one
    f"paper:receipt:{CODE}": "receipt",  # by its name
    f"papers:invoice:{CODE}": "invoice",
    f"papers:credit_note:{CODE}": None,  # none of that kind
    f"paper:receipt:{CODE}.2": None,  # never issued
    f"paper:photo:{CODE}": None,  # no kind of paper
    "papers:receipt:BK-NONE": None,
    "paper:receipt": None,  # incomplete
}
"""Button, and the paper that the customer gets."""


async def test_only_its_customer_gets_a_paper(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer())
        session.add(Contact(channel=CHAT[0], address="6001", customer_id=2, created_at=now))
        await session.flush()
        session.add_all(Conversation(contact_id=contact, state={}, updated_at=now) for contact in (1, 2))
    owner = Talk(database, shop, CHAT[0], now, address=CHAT[1])
    stranger = Talk(database, shop, CHAT[0], now, address="6001")
    for tapped, paper in TAPS.items():
        for who, expected in ((owner, paper), (stranger, None)):
            await who.choose(tapped)
            assert who.seen[-1].document == (Document(expected, CODE) if expected else None), tapped
            refused = any(each.key == "refusal.not_found" for message in who.seen for each in message.says)
            assert refused == (expected is None), tapped
