"""An admin notes what a payment was whose order isn't in the books; nobody else can."""

from datetime import datetime

import pytest
from paying import answer
from talk import Talk

from core.context import Context
from core.db.database import Database
from core.db.tables import UnknownOrder
from core.payment import unknown_orders
from core.shop import Shop

ORDER = "BOOKING-A1-BK000009-1"


@pytest.fixture
async def found(stocked: Database, shop: Shop, now: datetime) -> Database:
    async with stocked.write() as session:
        await unknown_orders.record(Context(session, shop, now), ORDER, answer(ORDER))
    return stocked


async def explanation(database: Database) -> str | None:
    async with database.read() as session:
        return (await session.get_one(UnknownOrder, ORDER)).explanation


async def test_admin_says_what_it_was(found: Database, shop: Shop, now: datetime) -> None:
    rina = Talk(found, shop, "telegram", now, name="Rina", address="7000000001")
    await rina.choose(f"settle-unknown:{ORDER}")
    assert ORDER in rina.screen
    await rina.type("Pak Joko, sudah dibooking lagi")
    assert "Tercatat" in rina.screen
    assert await explanation(found) == "Pak Joko, sudah dibooking lagi"


async def test_customer_can_not(found: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(found, shop, "telegram", now, name="Sari", address="5001")
    await sari.choose(f"settle-unknown:{ORDER}")
    await sari.type("punya saya")
    assert await explanation(found) is None
