"""What a turn knows of its customer can still be read after a refusal has undone what it wrote."""

import pytest
from shops import MONDAY_8_AM, make_shop

from conversations.incoming import Incoming
from conversations.state import State
from conversations.turn import Turn
from core.context import Context
from core.db.database import Database
from core.people import contacts
from core.refusals import NotFound


async def test_the_customer_is_still_known_after_a_refusal(database: Database) -> None:
    async with database.write() as session:
        ctx = Context(session, make_shop(), MONDAY_8_AM)
        contact, _, _ = await contacts.find_or_create(
            session, "telegram", "812345", phone=None, language="id", now=MONDAY_8_AM
        )
        contact.customer.name = "Sari"
        await session.flush()
        turn = Turn(ctx, None, None, "", contact, State(), Incoming("telegram", "812345", "1"), None)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            async with turn.undone_if_refused():
                contact.customer.name, contact.language = "Orang lain", "en"
                await session.flush()
                raise NotFound
        assert (contact.customer.name, contact.language) == ("Sari", "id")
