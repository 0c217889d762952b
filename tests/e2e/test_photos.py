"""Photos through the messengers: from a technician to a customer, and from a customer to an admin."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from booking_by_phone import book, says, sees, taps
from PIL import Image
from town import Town

from bot.sandbox.phones import Bubble, Person
from core.shop import StaffMember

pytestmark = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
"""Photos lie in a folder, whatever the database is."""


def picture(shade: int, *, size: tuple[int, int] = (640, 480)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 40, 40)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_photo_in_a_note_reaches_the_customer(town: Town, channel: str) -> None:
    customer, staff = town.customer(channel), town.owner
    await book(customer)
    [booking] = await town.bookings()
    await says(staff, f"tugaskan {booking.code}", "Siapa yang mengerjakan")
    await taps(staff, "Dedi", "Sudah ditugaskan")
    await says(staff, f"catat {booking.code}", "Tulis catatannya")
    await staff.send_photo(picture(200))
    await sees(staff, "1 foto")
    await says(staff, "selesai", "Catatan tersimpan")
    shown = await _photo(customer)
    assert "Kabar pengerjaan" in shown.text
    assert shown.media is not None
    assert shown.media.content == picture(200)
    kept = sorted(file.name.partition(".")[2] for file in _folder(town).iterdir())
    assert kept == ["jpg", "thumb.jpg"]


async def test_a_broken_photo_is_refused(town: Town) -> None:
    await book(town.telegram)
    [booking] = await town.bookings()
    await says(town.owner, f"tugaskan {booking.code}", "Siapa yang mengerjakan")
    await taps(town.owner, "Dedi", "Sudah")
    await says(town.owner, f"catat {booking.code}", "Tulis catatannya")
    await town.owner.send_photo(picture(9)[:900])
    await sees(town.owner, "tidak bisa dibaca sebagai foto")


async def test_a_photo_that_cant_be_stored_keeps_its_message(closed_town: Town, tmp_path: Path) -> None:
    (tmp_path / "no folder").write_bytes(b"")
    server = closed_town.settings.server.model_copy(update={"photos": tmp_path / "no folder"})
    telegram = closed_town.settings.telegram.model_copy(update={"mode": "polling"})
    closed_town.settings = closed_town.settings.model_copy(update={"server": server, "telegram": telegram})
    async with closed_town.open():
        await book(closed_town.telegram)
        [booking] = await closed_town.bookings()
        await says(closed_town.owner, f"tugaskan {booking.code}", "Siapa yang mengerjakan")
        await taps(closed_town.owner, "Dedi", "Sudah")
        await says(closed_town.owner, f"catat {booking.code}", "Tulis catatannya")
        await closed_town.owner.send_photo(picture(200))
        await sees(closed_town.owner, "disimpan utuh")
        await says(closed_town.telegram, "alamatnya di mana?", "Fatmawati")


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_customers_photos_and_voice_reach_the_admin(town: Town, channel: str) -> None:
    """Those sent before the call, while waiting, and during the takeover."""
    customer, voice = town.customer(channel), b"OggS" + bytes(200)
    await says(customer, "halo", "Ada yang bisa dibantu")
    await customer.send_photo(picture(10))
    await sees(customer, "belum bisa kami baca")
    await says(customer, "admin", "teruskan ke admin")
    await sees(town.owner, "perlu dibantu langsung")
    assert await _content(town.owner) == picture(10)
    await customer.send_photo(voice, "audio/ogg")
    await sees(customer, "Sudah kami terima")
    assert await _content(town.owner) == voice
    await town.owner.tap("Ambil alih chat")
    await sees(town.owner, "sekarang dengan Anda")
    await customer.send_photo(picture(20))
    assert await _content(town.owner) == picture(20)
    assert sorted(file.name.partition(".")[2] for file in _kept(town)) == [
        "jpg",
        "jpg",
        "ogg",
        "thumb.jpg",
        "thumb.jpg",
    ]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_an_admin_gets_the_week_as_a_picture(closed_town: Town, channel: str) -> None:
    admin = closed_town.customer(channel)
    number = int(admin.address) if channel == "telegram" else admin.address.removeprefix("whatsapp:")
    staff = StaffMember.model_validate({"name": "Pak Edi", "role": "admin", channel: number})
    closed_town.settings = closed_town.settings.model_copy(update={"staff": (staff,)})
    async with closed_town.open():
        await says(admin, "halo", "Ada yang bisa dibantu")
        await admin.type("angka")
        shown = await _photo(admin)
        assert shown.media is not None
        assert shown.media.content_type == "image/png"
        words = shown if channel == "telegram" else await sees(admin, "Minggu ini")
        assert "Semua booking: 0" in words.text


async def _content(person: Person) -> bytes:
    """Of the next photo or file."""
    while True:
        bubble = await person.next_reply()
        if bubble.media is not None:
            return bubble.media.content


async def _photo(person: Person) -> Bubble:
    while True:
        bubble = await person.next_reply()
        if bubble.media is not None and bubble.media.content_type.startswith("image/"):
            return bubble


def _folder(town: Town) -> Path:
    return town.settings.server.photos


def _kept(town: Town) -> Iterator[Path]:
    return _folder(town).iterdir() if _folder(town).exists() else iter(())
