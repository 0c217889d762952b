"""Who shares a number that is known already is the same person, with all that they had."""

from datetime import datetime, timedelta

from sqlalchemy import select
from workshop import book, furnish, order

from core.db.database import Database
from core.db.tables import Booking, Contact, Customer, Waiting
from core.people import contacts
from core.shop import Shop
from core.states import WaitState

PHONE = "+6281234567890"
WHATSAPP, TELEGRAM = ("whatsapp", f"whatsapp:{PHONE}"), ("telegram", "5001")


async def test_sharing_a_known_number_merges_both_customers(database: Database, shop: Shop, now: datetime) -> None:
    await furnish(database, now, customers=0)
    async with database.write() as session:
        known, _, _ = await contacts.find_or_create(session, *WHATSAPP, phone=PHONE, language="id", now=now)
        chat, _, _ = await contacts.find_or_create(session, *TELEGRAM, phone=None, language="id", now=now)
        chat.customer.name, chat.customer.email = "Sari", "sari@example.com"
        tomorrow, left = now + timedelta(hours=26), chat.customer_id
        booking = await book(session, order(tomorrow), shop=shop, now=now, customer=left)
        booking.contact_id = chat.id
        session.add(
            Waiting(booking_code="BK-W", customer_id=left, contact_id=chat.id, starts_at=tomorrow, order={}, state=WaitState.WAITING, created_at=now)
        )  # fmt: skip
        await contacts.prove_phone(session, chat, PHONE)
    async with database.read() as session:
        [sari] = await session.scalars(select(Customer))
        assert (sari.id, sari.name, sari.phone, sari.email) == (known.customer_id, "Sari", PHONE, "sari@example.com")
        for theirs in (Contact, Booking, Waiting):
            assert set(await session.scalars(select(theirs.customer_id))) == {sari.id}
        assert (await session.scalars(select(Booking.contact_id))).all() == [chat.id]
