"""A payment and its refund over real HTTP."""

from booking_by_phone import book, link_in, says, sees
from sqlalchemy import select
from town import Town

from core.db.database import Database
from core.db.tables import LedgerEntry


async def test_cancelling_in_time_refunds_the_payment(town: Town) -> None:
    customer, midtrans = town.telegram, town.there.midtrans
    link = await book(customer)
    midtrans.notifications.copies = 2
    paid = await midtrans.pay(link_in(link), "other_qris")
    await sees(customer, "terkonfirmasi")
    (booking,) = await town.bookings()
    question = await says(customer, "batalin booking saya", f"Yakin mau membatalkan booking {booking.code}")
    assert "kami kembalikan seluruhnya" in question.text
    await customer.tap("Ya, batalkan")
    await sees(customer, "sudah kami kembalikan ke cara bayar semula")
    (back,) = midtrans.find(paid.id).refunds.values()
    assert back == paid.amount
    database = Database(town.settings.database.url)
    async with database.read() as session:
        entries = [(entry.kind, entry.amount) for entry in await session.scalars(select(LedgerEntry))]
    await database.close()
    assert entries == [("received", paid.amount), ("refunded", -paid.amount)]
