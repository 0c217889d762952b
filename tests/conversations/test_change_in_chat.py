"""A customer changes a booking in the chat: what stands in the way, and the words that mean it."""

from datetime import datetime, timedelta

import pytest
from paying import text_of
from sqlalchemy import select, update
from talk import Talk

from core.db.database import Database
from core.db.tables import Booking, Escalation, Outbox, Part
from core.shop import Shop
from core.states import BookingStatus


async def booked(stocked: Database, shop: Shop, now: datetime, *, technician: str | None = None) -> Talk:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("halo")
    await sari.has_booked("2026-11-25T10:00", technician)
    return sari


WORDS = [
    ("nambah kamera mundur sekalian", "+ 1x Venom VRC-360"),
    ("bisa tambah kamera mundur di booking saya?", "+ 1x Venom VRC-360"),
    ("sekalian cek audio ya", "+ 1x Cek dan Diagnosa Audio"),
    ("can i add a rear camera to my booking", "+ 1x Venom VRC-360"),
    ("ganti teknisi ke dedi", "Teknisi: <b>Dedi</b>"),
    ("teknisi rizky bisa diganti dedi ga?", "Teknisi: <b>Dedi</b>"),
    ("can i change the technician to dedi", "Teknisi: <b>Dedi</b>"),
    ("jgn sama rizky ya", "Mau dikerjakan siapa"),
    ("teknisinya jangan rizky dong", "Mau dikerjakan siapa"),
    ("mau ganti teknisi", "Mau dikerjakan siapa"),
    ("pasangnya di rumah aja", "Alamatnya di mana"),
    ("mobilnya ganti brio 2020", "Honda Brio 2020"),
    ("mobilnya bukan avanza tapi xenia 2019", "Daihatsu Xenia 2019"),
]


@pytest.mark.parametrize(("words", "shown"), WORDS)
async def test_a_wish_changes_the_booking_that_stands(
    stocked: Database, shop: Shop, now: datetime, words: str, shown: str
) -> None:
    sari = await booked(stocked, shop, now, technician="rizky")
    await sari.type(words)
    assert shown.replace("<b>", "").replace("</b>", "") in sari.screen, sari.screen


SPEAKERS = [
    ("speakernya jadi 2 pasang ya", "+ 1x JBL Stage3 627F"),
    ("tambah satu lagi speakernya", "+ 1x JBL Stage3 627F"),
    ("jbl nya ganti pioneer aja", "Mau yang mana"),
    ("speakernya ganti pioneer ts-a1670f", "+ 1x Pioneer TS-A1670F"),
    ("tuningnya ga jadi", "− 1x Tuning Audio"),
    ("speakernya ga jadi deh", "− 1x JBL Stage3 627F"),
    ("ga jadi pasang speaker, tuning aja", "− 1x JBL Stage3 627F"),
    ("hapus speakernya dari pesanan", "− 1x JBL Stage3 627F"),
]


@pytest.mark.parametrize(("words", "shown"), SPEAKERS)
async def test_goods_are_replaced_counted_and_taken_out(
    stocked: Database, shop: Shop, now: datetime, words: str, shown: str
) -> None:
    """A booking of a tuning and a pair of speakers."""
    sari = await booked(stocked, shop, now)
    await sari.type("tambah jbl stage3 627f di booking saya")
    await sari.type("ya")
    await sari.type(words)
    assert shown in sari.screen, sari.screen


NEW_ORDERS = [
    "mau pasang speaker di brio 2019",
    "mau booking tuning audio brio 2019 jumat jam 10",
    "jbl stage3 627f berapa?",
]


@pytest.mark.parametrize("words", NEW_ORDERS)
async def test_other_wishes_change_no_booking(stocked: Database, shop: Shop, now: datetime, words: str) -> None:
    sari = await booked(stocked, shop, now, technician="rizky")
    await sari.type(words)
    assert "diubah" not in sari.screen


async def test_with_two_bookings_the_customer_chooses(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = await booked(stocked, shop, now)
    await sari.has_booked("2026-11-27T10:00", None)
    await sari.type("nambah kamera mundur sekalian")
    await sari.tap("Jum, 27 Nov")
    assert "(Jum, 27 Nov 10:00) diubah" in sari.screen


async def test_the_last_piece_went_while_the_terms_were_read(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = await booked(stocked, shop, now)
    await sari.type("nambah kamera mundur sekalian")
    await sari.others_buy("venom-vrc-360")
    await sari.type("ya")
    assert "Tulis saja apa yang diubah" in sari.screen, sari.screen


async def test_terms_that_changed_are_shown_again(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = await booked(stocked, shop, now)
    await sari.type("nambah kamera mundur sekalian")
    async with stocked.write() as session:
        await session.execute(update(Part).where(Part.id == "venom-vrc-360").values(price=777_000))
    await sari.type("ya")
    assert "hitungannya berubah" in sari.screen, sari.screen
    assert "Rp1.327.000" in sari.screen
    await sari.type("ya")
    assert "sudah diubah" in sari.screen


async def test_during_the_work_a_person_is_called(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = await booked(stocked, shop, now)
    async with stocked.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.IN_PROGRESS, hold_until=None))
    await sari.type("nambah kamera mundur sekalian")
    assert "sedang dikerjakan" in sari.screen, sari.screen
    async with stocked.read() as session:
        called = (await session.scalars(select(Escalation))).one()
        assert called.booking_id is not None
        assert called.about is not None


async def test_late_reaches_the_technician(stocked: Database, shop: Shop, now: datetime) -> None:
    staff = [*(each.model_dump() for each in shop.staff)]
    staff.append({"name": "Rizky", "role": "technician", "technician": "rizky", "telegram": 7000000009})
    shop = Shop.model_validate(shop.model_dump() | {"staff": staff})
    sari = await booked(stocked, shop, now, technician="rizky")
    sari.now = now + timedelta(hours=49)
    await sari.type("aduh macet bgt, telat setengah jam")
    assert "kami sampaikan ke teknisinya, Rizky" in sari.screen, sari.screen
    async with stocked.read() as session:
        rows = await session.scalars(select(Outbox).where(Outbox.kind == "staff", Outbox.key.contains("visit:")))
        (row,) = rows.all()
    assert row.address == "7000000009"
    assert "terlambat kira-kira 30 menit" in text_of(row)


async def test_nobody_is_said_to_be_told_where_nobody_can_read_it(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = await booked(stocked, shop.model_copy(update={"staff": ()}), now)
    sari.now = now + timedelta(hours=49)
    await sari.type("otw kak")
    assert "sampaikan" not in sari.screen
    assert shop.contact in sari.screen
