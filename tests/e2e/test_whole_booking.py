"""Bookings from the first message to the invoice, over real HTTP and SMTP with the vendors' own libraries."""

import asyncio
import io

import pytest
from booking_by_phone import book, changes, link_in, says, sees, taps
from pypdf import PdfReader
from town import Town
from waiting import HANG

from bot.sandbox.midtrans import Fault
from core.db.tables import LedgerEntry
from core.states import BookingStatus, PaymentStatus

each_once = pytest.mark.parametrize(
    ("channel", "closed_town"), [("telegram", "postgres"), ("whatsapp", "sqlite")], indirect=["closed_town"]
)
"""Each channel and each database, but not each with each: the transcripts are."""


@pytest.mark.parametrize(
    ("channel", "closed_town"), [("telegram", "sqlite"), ("whatsapp", "postgres")], indirect=["closed_town"]
)
async def test_a_customer_books_and_pays_and_gets_the_invoice(town: Town, channel: str) -> None:
    customer = town.customer(channel)
    link = await book(customer, name="Budi Santoso", email="budi@gmail.com")
    await town.there.midtrans.pay(link_in(link), "other_qris")
    confirmed = await sees(customer, "terkonfirmasi")

    assert confirmed.media is not None
    printed = PdfReader(io.BytesIO(confirmed.media.content)).pages[0].extract_text()
    (booking,) = await town.bookings()
    for words in ("INV/2026/00001", "Budi Santoso", "JBL Stage3 627F", booking.code, "LUNAS"):
        assert words in printed
    assert (booking.status, booking.payment_status) == (BookingStatus.CONFIRMED, PaymentStatus.PAID)
    assert booking.paid_amount == booking.total_price == 914_100

    mail = await town.there.mailbox.mail(1)
    assert mail.to == "budi@gmail.com"
    assert [attached.name for attached in mail.attachments] == ["INV-2026-00001.pdf"]
    told = "\n".join(bubble.text for bubble in town.owner.bubbles)
    assert f"Booking baru {booking.code}" in told
    assert "masuk Rp914.100" in told


@each_once
async def test_duplicate_deliveries_make_one_booking(town: Town, channel: str) -> None:
    customer = town.customer(channel)
    town.there.midtrans.notifications.copies = 3
    link = await book(customer, times=2)
    await town.there.midtrans.pay(link_in(link), "other_qris")
    await sees(customer, "terkonfirmasi")
    (booking,) = await town.bookings()
    assert booking.paid_amount == booking.total_price
    assert await town.count(LedgerEntry) == 1
    questions = [bubble.text for bubble in customer.bubbles if bubble.author == "shop"]
    assert len(questions) == len(set(questions)), "nothing was said twice"


async def test_two_messages_at_once_are_answered_in_turn(town: Town) -> None:
    """The second one reads the state that the first one left, in either order."""
    customer = town.whatsapp
    await asyncio.gather(customer.type("halo"), customer.type("mau pasang subwoofer di brio 2019"))
    await sees(customer, "Ini Subwoofer untuk Honda Brio 2019")
    await says(customer, "1", "Mau tanggal berapa")


@each_once
async def test_a_conversation_survives_a_restart(closed_town: Town, channel: str) -> None:
    customer = closed_town.customer(channel)
    async with closed_town.open():
        await says(customer, "mau pasang speaker di avanza 2018", "Mau yang mana")
        await says(customer, "jbl stage3 627", "Mau tanggal berapa")
    async with closed_town.open():
        await says(customer, "berapa harga subwoofer?", "Coba tulis tanggalnya")
        await says(customer, "besok", "Mau jam berapa")


@pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
async def test_a_midtrans_failure_keeps_the_hold(town: Town) -> None:
    """That each fault is trouble and nothing else: `tests/bot/test_midtrans.py`."""
    town.there.midtrans.fail(Fault.NONSENSE)
    customer = town.telegram
    told = await book(customer, until="sedikit lebih lama")
    assert "Jadwal Kakak tetap kami simpan" in told.text
    (booking,) = await town.bookings()
    assert booking.holding
    town.there.midtrans.recover()
    town.clock.move(minutes=5)
    link = await sees(customer, "Silakan bayar")
    await town.there.midtrans.pay(link_in(link), "other_qris")
    await sees(customer, "terkonfirmasi")


async def test_messages_keep_their_order_after_a_failure(town: Town) -> None:
    town.there.world.bot_api.faults.fail(502, times=1000)
    customer = town.telegram
    await customer.type("halo")
    await customer.type("mau booking")
    assert not [bubble for bubble in customer.bubbles if bubble.author == "shop"]
    town.there.world.bot_api.faults.clear()
    town.clock.move(minutes=5)
    first = await customer.next_reply()
    second = await customer.next_reply()
    assert "Selamat datang" in first.text
    assert "Mau lihat part apa" in second.text


@pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "channel"),
    [("مريم حسن", "whatsapp"), ("Sari <b> & O'Neil", "whatsapp"), ("Sari <b> & O'Neil", "telegram")],
)
async def test_any_name_is_shown_as_typed(town: Town, channel: str, name: str) -> None:
    customer = town.customer(channel)
    link = await book(customer, name=name)
    (booking,) = await town.bookings()
    await town.there.midtrans.pay(link_in(link), "other_qris")
    confirmed = await sees(customer, "terkonfirmasi")
    assert booking.name == name
    assert confirmed.media is not None
    assert PdfReader(io.BytesIO(confirmed.media.content)).pages[0].extract_text()


async def test_a_reminder_outside_the_24_hours_goes_by_mail(town: Town) -> None:
    """WhatsApp would need a template, and there is none."""
    customer = town.whatsapp
    await says(customer, "mau tuning audio brio 2019 jumat jam 10", "Ringkasan booking")
    await changes(customer, "E-mail", "e-mail", "budi@gmail.com")
    await customer.type("bayar penuh")
    link = await sees(customer, "Silakan bayar")
    await town.there.midtrans.pay(link_in(link), "other_qris")
    await sees(customer, "terkonfirmasi")
    await town.there.mailbox.mail(1)
    town.clock.move(days=3, hours=3)
    reminder = await asyncio.wait_for(town.there.mailbox.mail(2), HANG)
    assert "jadwal booking" in reminder.text


async def test_an_abandoned_payment_releases_the_seat(town: Town) -> None:
    customer = town.telegram
    await book(customer)
    town.clock.move(minutes=61)
    await sees(customer, "sudah habis")
    (booking,) = await town.bookings()
    assert (booking.holding, booking.payment_status) == (False, PaymentStatus.FAILED)
    link = await taps(customer, "Kirim link baru", "Silakan bayar")
    await town.there.midtrans.pay(link_in(link), "other_qris")
    await sees(customer, "terkonfirmasi")
