"""A tap on "order now" in a stock alert never discards an open booking."""

from datetime import datetime

from talk import Talk

from core.db.database import Database
from core.shop import Shop

KENWOOD = "kenwood-kfc-s1676ex"


async def test_the_part_goes_into_the_open_booking(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("pasang amplifier avanza 2018 besok jam 10")
    await sari.type("1")
    (chosen,) = [line for line in sari.screen.splitlines() if line.startswith("• 1×")]
    await sari.choose(f"order:{KENWOOD}")
    assert chosen in sari.screen
    assert "Kenwood KFC-S1676EX" in sari.screen


async def test_a_booking_begins_where_none_is_open(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.choose(f"order:{KENWOOD}")
    assert "• 1× Kenwood KFC-S1676EX" in sari.screen
    await sari.choose("order:no-such-part")
    assert "• 1× Kenwood KFC-S1676EX" in sari.screen
