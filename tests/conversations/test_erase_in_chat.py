""" "Hapus data saya": done after a yes, refused with its reason while something is open, and a person is offered."""

from datetime import datetime

import pytest
from sqlalchemy import select, update
from talk import Talk

from core.db.database import Database
from core.db.tables import Base, Booking, Conversation, Customer, Refund
from core.shop import Shop
from core.states import BookingStatus, RefundState

both_channels = pytest.mark.parametrize("channel", ["telegram", "whatsapp"])


async def _everything(database: Database) -> str:
    async with database.read() as session:
        rows = [(await session.execute(select(table))).all() for table in Base.metadata.sorted_tables]
    return str(rows)


@both_channels
async def test_a_yes_erases_the_person(stocked: Database, shop: Shop, now: datetime, channel: str) -> None:
    sari = Talk(stocked, shop, channel, now)
    await sari.type("mau tuning audio brio 2019 besok jam 10, nama saya Sari Rahasia")
    await sari.type("hapus data saya")
    assert "Yang kami hapus" in sari.screen
    assert "10 tahun" in sari.screen
    await sari.tap("Ya, hapus data saya")
    assert "sudah kami hapus" in sari.screen
    async with stocked.read() as session:
        assert (await session.scalars(select(Conversation))).all() == []
        customer = (await session.scalars(select(Customer))).one()
        assert (customer.name, customer.phone) == (None, None)
    assert "Rahasia" not in await _everything(stocked)


async def test_no_keeps_everything(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    await sari.type("hapus data saya")
    await sari.tap("Tidak jadi")
    async with stocked.read() as session:
        assert (await session.scalars(select(Conversation))).one()


@both_channels
async def test_a_booking_that_stands_is_the_reason(stocked: Database, shop: Shop, now: datetime, channel: str) -> None:
    sari = Talk(stocked, shop, channel, now)
    await sari.type("halo")
    await sari.has_booked("2026-11-27T10:00", None)
    await sari.type("hapus semua data saya")
    assert "Booking BK-000001 masih berjalan" in sari.screen
    assert "Chat dengan admin" in sari.screen
    await sari.choose("erase-yes")
    assert "Booking BK-000001 masih berjalan" in sari.screen, "an old button erases nothing"


async def test_money_that_is_owed_is_the_reason(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    await sari.type("halo")
    await sari.has_booked("2026-11-27T10:00", None)
    async with stocked.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.CANCELLED))
        session.add(
            Refund(key="r1", booking_id=1, amount=5, reason="overpaid", state=RefundState.BY_HAND, asked_at=now)
        )
    await sari.type("hapus data saya")
    assert "harus kami kembalikan" in sari.screen
