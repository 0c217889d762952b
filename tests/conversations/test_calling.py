"""A call for a person is answered each time; the admins get one notice in ten minutes."""

from datetime import datetime, timedelta

from paying import letters
from talk import Talk

from core.db.database import Database
from core.shop import Shop

RINA = "7000000001"


async def _notices(talk: Talk) -> int:
    return sum("perlu dibantu langsung" in text for text in (await letters(talk.database, kind="staff")).values())


async def test_repeated_calls_make_one_notice_in_ten_minutes(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    for call in range(60):
        sari.now = now + timedelta(seconds=5 * call)
        await sari.type("admin")
        assert "admin sudah saya panggil" in sari.screen
    assert await _notices(sari) == 1
    sari.now = now + timedelta(minutes=10)
    await sari.type("admin")
    assert await _notices(sari) == 2


async def test_each_customer_makes_a_notice(stocked: Database, shop: Shop, now: datetime) -> None:
    for channel in ("whatsapp", "telegram"):
        talk = Talk(stocked, shop, channel, now)
        await talk.type("admin")
        await talk.type("admin")
    assert await _notices(talk) == 2


async def test_a_call_after_a_takeover_is_a_new_one(stocked: Database, shop: Shop, now: datetime) -> None:
    sari, rina = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address=RINA)
    await sari.type("admin")
    rina.now = sari.now
    await rina.look()
    await rina.tap("Ambil alih")
    await rina.type("selesai")
    sari.now = rina.now
    await sari.type("admin")
    assert await _notices(sari) == 2
