"""A customer with a booking and an open draft can say anything; the draft stays open."""

from datetime import datetime

import pytest
from talk import Talk

from core.db.database import Database
from core.shop import Shop

WORDS = ["pindah jadwal", "batalkan booking saya", "bookingan saya mana", "garansi", "kirim invoice", "mau bayar"]


@pytest.mark.parametrize("words", WORDS)
async def test_words_about_a_booking_leave_the_draft_open(
    stocked: Database, shop: Shop, now: datetime, words: str
) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("halo")
    await sari.has_booked("2026-11-25T10:00", None)
    await sari.type("mau tuning audio avanza 2018 besok jam 10")
    await sari.type(words)
    await sari.type("Sari Dewi")
    await sari.type("lanjut")
    assert sari.screen


async def test_a_year_alone_is_no_car(stocked: Database, shop: Shop, now: datetime) -> None:
    """ "Other car" is asked again, and the year is kept for later."""
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("mau booking")
    await sari.tap("Jasa saja")
    await sari.tap("Mobil lain")
    await sari.type("2025")
    assert "Tulis merek, tipe, dan tahunnya" in sari.screen
    await sari.type("BYD Seal")
    assert "tahun" not in sari.screen.casefold(), sari.screen
