"""A place outside the service area is refused kindly, with the workshop instead."""

from datetime import datetime

from shops import make_shop
from talk import Talk

from core.db.database import Database

FAR, BEGIN = "Jl. Braga 1, Bandung", ("tuning audio di rumah avanza 2018 besok jam 10", "lanjut", "lanjut", "siapa aja")


async def _until_the_address(talk: Talk) -> None:
    for words in (*BEGIN, "Sari Dewi", "081298765432", "lewati", "lewati"):
        if "Alamat lengkapnya" in talk.screen:
            return
        await talk.type(words)
    assert "Alamat lengkapnya" in talk.screen, talk.screen


async def test_far_places_get_the_workshop_instead(stocked: Database, now: datetime) -> None:
    sari = Talk(stocked, make_shop(onsite_radius_km=1, onsite_districts=["Kemang"]), "telegram", now)
    await _until_the_address(sari)
    await sari.type(FAR)
    assert "Layanan ke rumah kami di Kemang" in sari.screen
    await sari.share_place()
    assert "lebih dari 1 km" in sari.screen
    await sari.type("di bengkel")
    assert "Di bengkel" in sari.screen
    assert "Alamat" not in sari.screen


async def test_a_listed_district_is_accepted(stocked: Database, now: datetime) -> None:
    sari = Talk(stocked, make_shop(onsite_districts=["Kemang"]), "telegram", now)
    await _until_the_address(sari)
    await sari.type(FAR)
    await sari.type("Jl. Kemang Raya 8")
    assert "Alamat" not in sari.screen
    assert "Jl. Kemang Raya 8" in sari.screen


async def test_an_admin_may_send_somebody_anywhere(stocked: Database, now: datetime) -> None:
    rina = Talk(stocked, make_shop(onsite_districts=["Kemang"]), "telegram", now, address="7000000001")
    await _until_the_address(rina)
    await rina.type(FAR)
    assert FAR in rina.screen
