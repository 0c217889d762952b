""" "STOP": what a customer didn't ask for ends, also what is queued; what they ask for, and their money, go on."""

from datetime import datetime, timedelta

import pytest
from paying import letters
from sqlalchemy import select, update
from talk import Talk

from core import work
from core.catalogue import stock_alerts
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Customer, Outbox, Part, StockAlert
from core.schedule import bookings
from core.shop import Shop

KENWOOD = "kenwood-kfc-s1676ex"
both_channels = pytest.mark.parametrize("channel", ["telegram", "whatsapp"])


async def _has_paid(talk: Talk) -> None:
    await talk.type("halo")
    await talk.has_booked("2026-11-27T10:00", None)
    await talk.link_arrives()
    await talk.pays()


async def _reminders(database: Database) -> list[str]:
    return [*(await letters(database, kind="reminder", state="due"))]


@both_channels
@pytest.mark.parametrize("words", ["STOP", "jangan kirim pesan lagi", "berhenti kirim", "ga usah wa saya lagi"])
async def test_stop_drops_the_queued_reminders(
    stocked: Database, shop: Shop, now: datetime, channel: str, words: str
) -> None:
    sari = Talk(stocked, shop, channel, now)
    await _has_paid(sari)
    assert len(await _reminders(stocked)) == 2
    await sari.type(words)
    assert "tidak kami kirim lagi" in sari.screen
    assert await _reminders(stocked) == []


@both_channels
async def test_taking_it_back_brings_the_reminders_back(
    stocked: Database, shop: Shop, now: datetime, channel: str
) -> None:
    sari = Talk(stocked, shop, channel, now)
    await _has_paid(sari)
    before = await _reminders(stocked)
    await sari.type("stop")
    await sari.type("mulai kirim lagi")
    assert "kami kirim lagi" in sari.screen
    assert await _reminders(stocked) == before


async def test_a_booking_after_stop_has_no_reminders(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    await sari.type("STOP")
    await _has_paid(sari)
    assert "sudah terkonfirmasi" in sari.screen
    assert await _reminders(stocked) == []


async def test_no_rating_is_asked_for_after_stop(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    await _has_paid(sari)
    await sari.type("STOP")
    async with stocked.write() as session:
        ctx = Context(session, shop, now + timedelta(days=4, hours=3))
        booking = await bookings.load(session, code="BK-000001")
        await work.start(ctx, booking, actor="Rina")
        await work.complete(ctx, booking, actor="Rina")
    async with stocked.read() as session:
        keys = (await session.scalars(select(Outbox.key).where(Outbox.state != "dropped"))).all()
    assert [key for key in keys if key.startswith("completed:")], "what was done is told"
    assert [key for key in keys if key.startswith("rate:")] == []


async def test_stop_ends_alerts_and_the_waitlist(stocked: Database, shop: Shop, now: datetime) -> None:
    async with stocked.write() as session:
        await session.execute(update(Part).where(Part.id == KENWOOD).values(reserved=Part.on_hand))
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("halo")
    async with stocked.write() as session:
        contact = (await session.scalars(select(Contact).where(Contact.address == sari.address))).one()
        await stock_alerts.ask(Context(session, shop, now), contact, KENWOOD)
    await sari.type("berhenti kirim pesan")
    async with stocked.read() as session:
        assert (await session.scalars(select(StockAlert))).all() == []


async def test_stop_holds_when_two_chats_become_one_person(stocked: Database, shop: Shop, now: datetime) -> None:
    phone, web = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now)
    await phone.type("halo")
    await web.type("STOP")
    await web.share_contact("+6281290000001")
    async with stocked.read() as session:
        (customer,) = (await session.scalars(select(Customer))).all()
        assert customer.stopped_at is not None


@both_channels
async def test_stop_inside_an_order_gives_up_that_order(
    stocked: Database, shop: Shop, now: datetime, channel: str
) -> None:
    sari = Talk(stocked, shop, channel, now)
    await sari.type("mau tuning audio brio 2019 besok jam 10")
    await sari.type("stop")
    await sari.type("ya")
    async with stocked.read() as session:
        customer = (await session.scalars(select(Customer))).one()
        assert customer.stopped_at is None
        assert (await session.scalars(select(Booking))).all() == []
