"""Erasing a customer who wrote with staff: all of their messages go, and nobody else's."""

from datetime import datetime

import pytest
from sqlalchemy import select, update
from talk import Talk

from core.context import Context
from core.db.database import Database
from core.db.tables import Base, Booking, Contact, Conversation, Customer, Outbox
from core.people import privacy
from core.shop import Shop
from core.states import BookingStatus

SARI, BUDI, RINA = "whatsapp:+6281290000001", "whatsapp:+6281290000002", "7000000001"
CODE, ACCOUNT, SECRET = "BK-000001", "BCA 123456", "rumah warna hijau"
FROM_HER, TO_HER = "ab" * 16 + ".jpg", "cd" * 16 + ".jpg"
SARIS_DATA = (f"'{SARI}'", f"'{SARI.removeprefix('whatsapp:')}'", "'Sari'", ACCOUNT, SECRET, FROM_HER, TO_HER)


async def _talk_to_admin(customer: Talk, rina: Talk) -> None:
    """A customer calls for a person, writes a bank account, and gets an answer."""
    await customer.type("admin")
    rina.now = customer.now
    await rina.look()
    await rina.tap("Ambil alih")
    customer.now = rina.now
    await customer.type(f"transfer ke {ACCOUNT} a/n Sari")
    await customer.send_photo(SECRET, stored=(FROM_HER,))
    rina.now = customer.now
    await rina.send_photo("ini contohnya", stored=(TO_HER,))
    await rina.type("selesai")


async def _everything(database: Database) -> str:
    async with database.read() as session:
        rows = [(await session.execute(select(table))).all() for table in Base.metadata.sorted_tables]
    return str(rows)


@pytest.fixture
async def people(stocked: Database, shop: Shop, now: datetime) -> tuple[Talk, Talk, Talk]:
    """Sari; Budi, who called for a person; and the admin, Rina, who wrote with Sari and saw her job."""
    sari, budi = (Talk(stocked, shop, "whatsapp", now, address=address) for address in (SARI, BUDI))
    rina = Talk(stocked, shop, "telegram", now, address=RINA)
    await sari.type("halo")
    await sari.has_booked("2026-11-24T10:00", None)
    await _talk_to_admin(sari, rina)
    for look in (f"take:{CODE}", "hand-back", f"job:{CODE}", "jobs:tomorrow", "pending"):
        await rina.choose(look)
    budi.now = rina.now
    await budi.type("admin")
    return sari, budi, rina


async def test_messages_with_staff_are_erased(people: tuple[Talk, Talk, Talk]) -> None:
    sari, _, _ = people
    before = await _everything(sari.database)
    assert [word for word in SARIS_DATA if word not in before] == []
    async with sari.database.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.COMPLETED))
        erased = await privacy.find(session, code=CODE)
        photos = await privacy.erase(Context(session, sari.shop, sari.now), erased)
    after = await _everything(sari.database)
    assert [word for word in SARIS_DATA if word in after] == []
    assert set(photos) == {FROM_HER, TO_HER}
    async with sari.database.read() as session:
        kept = await session.scalars(select(Outbox.address).where(Outbox.about.is_not(None)))
        assert kept.all() == [RINA], "Budi's call for a person"


async def test_messages_to_former_staff_are_erased(people: tuple[Talk, Talk, Talk]) -> None:
    sari, _, _ = people
    without_rina = sari.shop.model_copy(update={"staff": ()})
    async with sari.database.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.COMPLETED))
        await privacy.erase(Context(session, without_rina, sari.now), await privacy.find(session, code=CODE))
    after = await _everything(sari.database)
    assert [word for word in SARIS_DATA if word in after] == []


async def test_erasure_ends_a_takeover(people: tuple[Talk, Talk, Talk]) -> None:
    """The next contact may get the same id, but not the admin's messages."""
    sari, _, rina = people
    await rina.choose(f"take:{CODE}")
    async with sari.database.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.COMPLETED))
        erased = await privacy.find(session, code=CODE)
        number = await session.scalar(select(Contact.id).where(Contact.customer_id == erased.id))
        await privacy.erase(Context(session, sari.shop, sari.now), erased)
        newcomer = Customer(created_at=sari.now)
        session.add(Contact(id=number, channel="telegram", address="5001", customer=newcomer, created_at=sari.now))
        await session.flush()
        session.add(Conversation(contact_id=number, state={}, updated_at=sari.now))
    await rina.type("Bu Sari, datanya sudah saya hapus")
    assert "tidak ditemukan" in rina.screen
    async with sari.database.read() as session:
        assert not (await session.scalars(select(Outbox).where(Outbox.address == "5001"))).all()
    await rina.type("tugas hari ini")
    assert "Tidak ada tugas" in rina.screen


async def test_export_holds_messages_with_staff_of_one_person(people: tuple[Talk, Talk, Talk]) -> None:
    sari, _, _ = people
    async with sari.database.read() as session:
        exported = str(await privacy.export(session, await privacy.find(session, code=CODE)))
    assert [word for word in SARIS_DATA if word not in exported] == []
    assert BUDI.removeprefix("whatsapp:") not in exported
