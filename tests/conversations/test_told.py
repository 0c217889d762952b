"""Staff read "sudah diberi tahu" only of people for whom a message was written."""

from datetime import datetime

import pytest
from paying import CODE, book, letters
from shops import make_shop
from sqlalchemy import update
from talk import Talk

from core.db.database import Database
from core.db.tables import Booking
from core.shop import Shop

RINA = "7000000001"
ANDI_HAS_A_CHAT = {"name": "Andi", "role": "technician", "technician": "andi", "telegram": 7000000005}
RINA_IS_ADMIN = {"name": "Ibu Rina", "role": "admin", "telegram": 7000000001}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("reached", "customer", "technician", "sent"),
    [
        ({}, "Pelanggan sudah diberi tahu", "Teknisinya sudah diberi tahu", {"chat", "technician"}),
        ({"contact_id": None}, "Pelanggan sudah diberi tahu", "Teknisinya belum", {"mail instead of the chat"}),
        ({"contact_id": None, "email": None}, "Hubungi lewat +62812", "Teknisinya belum", set()),
    ],
)  # fmt: skip
async def test_staff_reads_who_was_told(
    database: Database, now: datetime, reached: dict[str, None], customer: str, technician: str, sent: set[str]
) -> None:
    has_chat = technician == "Teknisinya sudah diberi tahu"
    shop: Shop = make_shop(staff=[RINA_IS_ADMIN, *([ANDI_HAS_A_CHAT] if has_chat else [])])
    await book(database, shop, now)
    if reached:
        async with database.write() as session:
            await session.execute(update(Booking).values(**reached))
    before = set(await letters(database))
    rina = Talk(database, shop, "telegram", now, address=RINA)
    await rina.choose(f"give:{CODE}:andi")
    assert "Sudah ditugaskan" in rina.screen
    assert customer in rina.screen
    assert technician in rina.screen
    news = {key for key in set(await letters(database)) - before if "assigned" in key}
    assert len(news) == len(sent)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_cost_that_nobody_was_asked_says_so(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    async with database.write() as session:
        await session.execute(update(Booking).values(contact_id=None, status="confirmed"))
    rina = Talk(database, shop, "telegram", now, address=RINA)
    await rina.type(f"biaya {CODE}")
    for text in ("kabel tambahan", "50rb", "lewati", "ya"):
        await rina.type(text)
    assert "tidak punya chat" in rina.screen
    assert "Sudah ditanyakan" not in rina.screen
