"""A proof of payment reaches the admin with the booking and the picture, in whatever order they come."""

import io
from collections.abc import Awaitable, Callable

import pytest
from booking_by_phone import says, sees, taps
from PIL import Image
from town import Town

from bot.sandbox.phones import Bubble, Person

pytestmark = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
"""Photos lie in a folder, whatever the database is."""
TOLD = "bukti transfernya kami cek"


def proof(shade: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 480), (shade, 40, 40)).save(out, "JPEG")
    return out.getvalue()


async def _words_then_photo(customer: Person) -> None:
    await says(customer, "sudah transfer, ini buktinya", TOLD)
    await customer.send_photo(proof())
    await sees(customer, "Sudah kami terima")


async def _photo_then_words(customer: Person) -> None:
    await customer.send_photo(proof())
    await sees(customer, "Kak")
    await says(customer, "itu bukti transfernya ya kak", TOLD)


async def _photo_with_words(customer: Person) -> None:
    await customer.send_photo(proof(), caption="sudah bayar ya kak, ini buktinya")
    await sees(customer, TOLD)


WAYS: dict[str, Callable[[Person], Awaitable[None]]] = {
    "words, then the photo": _words_then_photo,
    "the photo, then words": _photo_then_words,
    "a photo with words": _photo_with_words,
}


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("way", WAYS)
async def test_the_admin_sees_booking_and_picture(town: Town, channel: str, way: str) -> None:
    customer, admin = town.customer(channel), town.owner
    await _is_to_pay(customer)
    [booking] = await town.bookings()
    await WAYS[way](customer)
    card, picture = await _card_and_picture(admin)
    assert booking.code in card.text
    assert "menunggu pembayaran" in card.text
    assert picture == proof()
    await admin.tap("Ambil alih chat")
    await sees(admin, "sekarang dengan Anda")
    await customer.send_photo(proof(20))
    assert await _content(admin) == proof(20)


async def _is_to_pay(customer: Person) -> None:
    if customer.network.name == "telegram":
        await says(customer, "mau tuning audio brio 2019 besok jam 10", "Nomor HP")
        await customer.share_contact()
        await sees(customer, "Ringkasan booking")
    else:
        await says(customer, "mau tuning audio brio 2019 besok jam 10", "Ringkasan booking")
    await taps(customer, _full_payment(customer), "Silakan bayar")


def _full_payment(customer: Person) -> str:
    return "Bayar penuh · Rp400.000" if customer.network.name == "telegram" else "Bayar penuh"


async def _card_and_picture(admin: Person) -> tuple[Bubble, bytes]:
    card, picture = None, None
    while card is None or picture is None:
        bubble = await admin.next_reply()
        if bubble.media is not None:
            picture = bubble.media.content
        elif "Bukti transfer" in bubble.text:
            card = bubble
    return card, picture


async def _content(person: Person) -> bytes:
    while True:
        bubble = await person.next_reply()
        if bubble.media is not None:
            return bubble.media.content
