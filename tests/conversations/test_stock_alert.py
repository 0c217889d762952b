"""A tap on "order now" in a stock alert never discards an open booking."""

import re
from datetime import datetime

from talk import Talk

from core.db.database import Database
from core.shop import Shop

KENWOOD = "kenwood-kfc-s1676ex"


async def test_the_part_goes_into_the_open_booking(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("pasang amplifier avanza 2018 besok jam 10")
    await sari.type("1")
    chosen = sari.screen.partition(" ✓")[0]
    await sari.choose(f"order:{KENWOOD}")
    await sari.type("081298765432")
    assert f"• {chosen}: Rp" in sari.screen
    assert "• Kenwood KFC-S1676EX" in sari.screen


async def test_a_booking_begins_where_none_is_open(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.choose(f"order:{KENWOOD}")
    assert "Mobilnya apa" in sari.screen
    await sari.choose("order:no-such-part")
    for words in ("avanza 2018", "besok jam 10", "081298765432"):
        await sari.type(words)
    assert re.findall("• (Kenwood KFC-S1676EX.*): Rp", sari.screen), sari.screen
    assert sari.screen.count("• ") == 2, "the part and its installation"
