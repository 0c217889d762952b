"""Clock changes while the server runs, and a stop over the end of a year: nothing is lost or doubled."""

from datetime import UTC, datetime, time, timedelta

from booking_by_phone import link_in, says, sees
from sqlalchemy import Select, func, select
from town import Town

from bot.sandbox.phones import Person
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import LedgerEntry, Outbox, PaymentAttempt
from core.notices import booking_notices
from core.people import contacts
from core.schedule import bookings
from core.schedule.orders import BookingRequest, Order
from core.states import PaymentMethod

CLOSES = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
"""A minute before midnight in Jakarta."""
OPENS = datetime(2027, 1, 2, 3, 30, tzinfo=UTC)
"""Saturday 10:30 in Jakarta, after a public holiday."""


async def test_a_booking_survives_clock_changes(town: Town) -> None:
    customer, midtrans, clock = town.telegram, town.there.midtrans, town.clock
    await says(customer, "mau pasang speaker di avanza 2018 rabu jam 10", "Mau yang mana")
    clock.move(hours=1)
    await says(customer, "jbl stage3 627", "Nomor HP")
    clock.move(hours=-1)
    await says(customer, "081234567890", "Ringkasan booking")
    link = await says(customer, "bayar penuh", "Silakan bayar")
    attempt = await midtrans.choose(link_in(link), "other_qris")
    await town.until(select(func.count()).select_from(PaymentAttempt), 1)
    clock.move(hours=-1)
    await midtrans.settle(attempt.id)
    await sees(customer, "terkonfirmasi")
    clock.move(hours=1)
    await says(customer, "booking saya", "Ini booking Kakak")
    said = [bubble.text for bubble in customer.bubbles if bubble.author == "shop"]
    assert len(said) == len(set(said)), "nothing was said twice"
    assert await town.count(LedgerEntry) == 1


async def test_a_shop_that_was_stopped_over_new_year(closed_town: Town) -> None:
    """Reminders go out for future bookings only; one customer paid while the server was stopped, another didn't."""
    town, midtrans = closed_town, closed_town.there.midtrans
    reminded, paying = town.telegram, town.there.world.new_customer("telegram")
    town.clock.now = CLOSES - timedelta(minutes=5)
    async with town.open():
        for customer in (reminded, paying):
            await says(customer, "halo", "Selamat datang")
        over, to_come = [await _books(town, reminded, hour, PaymentMethod.COD) for hour in (10, 16)]
        paid = await _books(town, paying, 14, PaymentMethod.QRIS)
        link = link_in(await sees(paying, "Silakan bayar"))
        unpaid = await _books(town, paying, 15, PaymentMethod.QRIS)
        await sees(paying, "Silakan bayar")
        town.clock.now = CLOSES
    midtrans.notifications.held = True  # the server is stopped
    town.clock.move(minutes=6)
    await midtrans.pay(link)
    town.clock.now = OPENS
    async with town.open():
        await _hears(paying, f"{paid} sudah terkonfirmasi")
        await _hears(paying, f"{unpaid} sudah habis")
        await _hears(reminded, f"jadwal booking {to_come}")
        await town.until(_reminders("dropped"), 2)
        await town.until(_reminders("due"), 2)
    reminders = [
        bubble.text for bubble in reminded.bubbles if "mengingatkan" in bubble.text or "sebentar" in bubble.text
    ]
    assert [to_come in text for text in reminders] == [True]
    assert over not in "".join(reminders)
    assert await town.count(LedgerEntry) == 1


async def _books(town: Town, customer: Person, hour: int, method: PaymentMethod) -> str:
    """Book for Saturday in the customer's name; returns the code."""
    database, now, shop = Database(town.settings.database.url), town.clock(), town.settings.shop
    async with database.write() as session:
        contact = await contacts.find(session, customer.network.name, customer.address)
        assert contact
        asked = Order(
            name="Sari",
            phone="+6281234567890",
            car_brand="Toyota",
            car_model="Avanza",
            car_year=2018,
            starts_at=shop.at(shop.local(OPENS).date(), time(hour)),
            services=("pasang-speaker",),
            method=method,
        )
        who = {"customer_id": contact.customer_id, "contact_id": contact.id, "language": "id"}
        booking = await bookings.book(
            Context(session, shop, now), BookingRequest(order=asked, **who, code=f"BK-0000{hour}")
        )
        if method is PaymentMethod.COD:
            await booking_notices.booked(Context(session, shop, now), booking)
        else:
            await payment.request(Context(session, shop, now), booking, percent=None)
    await database.close()
    return booking.code


def _reminders(state: str) -> Select[int]:
    return select(func.count()).where(Outbox.kind == "reminder", Outbox.state == state)


async def _hears(customer: Person, words: str) -> None:
    """Wait for a text in any bubble, in any order."""
    while not any(words in bubble.text for bubble in customer.bubbles):
        await customer.next_reply()
