"""Two pairs of speakers are installed twice, unless the customer says otherwise."""

from datetime import datetime

from sqlalchemy import select
from talk import Talk

from core.db.database import Database
from core.db.tables import Booking, BookingLine
from core.shop import Shop


async def _choose(sari: Talk) -> None:
    await sari.type("mau pasang 2 jbl stage3 627 di avanza 2018 besok jam 10")
    await sari.type("081298765432")


async def test_quantity_multiplies_price_and_time(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await _choose(sari)
    assert "2× Pasang Speaker (per pasang): Rp300.000" in sari.screen, sari.screen
    assert "120 menit" in sari.screen
    await sari.tap("Bayar penuh")
    async with stocked.read() as session:
        booking = (await session.scalars(select(Booking))).one()
        line = (await session.scalars(select(BookingLine).where(BookingLine.service_id.is_not(None)))).one()
    assert (line.quantity, line.total, line.minutes, booking.minutes) == (2, 300_000, 120, 120)


async def test_the_customer_may_say_otherwise(stocked: Database, shop: Shop, now: datetime) -> None:
    for words in ("1 aja pasangnya", None):
        sari = Talk(stocked, shop, "telegram", now, address=f"90{bool(words):d}")
        await _choose(sari)
        await sari.tap("Ubah")
        await sari.tap("Jasa")
        assert "2× Pasang Speaker (per pasang)" in sari.screen
        await (sari.type(words) if words else sari.tap("1× saja"))
        assert "2× Pasang" not in sari.screen, sari.screen
        await sari.tap("Lanjut")
        assert "• 2× JBL" in sari.screen
        assert "• Pasang Speaker (per pasang): Rp150.000" in sari.screen, sari.screen
