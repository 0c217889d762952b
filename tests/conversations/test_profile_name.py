"""The name of the customer's profile: a message may come without it (Twilio's listing after an outage has none)."""

from datetime import datetime

import pytest
from sqlalchemy import select
from talk import Talk

from core.db.database import Database
from core.db.tables import Booking
from core.shop import Shop


@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
async def test_name_that_the_summary_showed_is_booked(stocked: Database, shop: Shop, now: datetime) -> None:
    talk = Talk(stocked, shop, "whatsapp", now, name="Sari Dewi")
    await talk.type("mau tuning audio brio 2019 besok jam 10")
    assert "Sari Dewi" in talk.screen
    talk.name = ""
    await talk.type("bayar penuh")
    async with stocked.read() as session:
        assert (await session.scalars(select(Booking.name))).one() == "Sari Dewi"
