"""An alert for a sold-out part is told once when the part can be sold again, and reserves nothing."""

from datetime import datetime, timedelta

import pytest
from demo_catalogue import FILES
from sqlalchemy import func, select, update

from core.catalogue import stock_alerts
from core.catalogue.csv_files import apply, read
from core.context import Context
from core.db.database import Database
from core.db.tables import Contact, Outbox, Part, StockAlert
from core.people import contacts, privacy
from core.shop import Shop

SPEAKER, MANY = "kenwood-kfc-s1676ex", 5


@pytest.fixture
async def sold_out(database: Database, now: datetime) -> Database:
    async with database.write() as session:
        await apply(session, read(FILES), now=now)
        await session.execute(update(Part).where(Part.id == SPEAKER).values(on_hand=MANY, reserved=MANY))
    return database


async def chat(database: Database, address: str, now: datetime, *, channel: str = "telegram") -> Contact:
    async with database.write() as session:
        return (await contacts.find_or_create(session, channel, address, phone=None, language="id", now=now))[0]


async def ask(
    database: Database, shop: Shop, now: datetime, address: str = "1", *, channel: str = "telegram"
) -> Contact:
    contact = await chat(database, address, now, channel=channel)
    async with database.write() as session:
        await stock_alerts.ask(Context(session, shop, now), contact, SPEAKER)
    return contact


async def restock(database: Database, on_hand: int) -> None:
    async with database.write() as session:
        await session.execute(update(Part).where(Part.id == SPEAKER).values(on_hand=on_hand))


async def tell_all(database: Database, shop: Shop, now: datetime) -> int:
    async with database.write() as session:
        ctx = Context(session, shop, now)
        return sum([await stock_alerts.tell(ctx, alert) for alert in await stock_alerts.due(ctx)])


async def told(database: Database) -> list[tuple[str, str]]:
    async with database.read() as session:
        rows = await session.execute(select(Outbox.channel, Outbox.address).order_by(Outbox.id))
        return [(channel, address) for channel, address in rows]


async def test_each_chat_is_told_once_on_its_channel(sold_out: Database, shop: Shop, now: datetime) -> None:
    await ask(sold_out, shop, now)
    await ask(sold_out, shop, now)  # asking twice is asking once
    await ask(sold_out, shop, now, "whatsapp:+6281290000001", channel="whatsapp")
    assert await tell_all(sold_out, shop, now) == 0
    await restock(sold_out, MANY + 1)
    assert await tell_all(sold_out, shop, now) == 2
    assert await tell_all(sold_out, shop, now) == 0
    assert await told(sold_out) == [("telegram", "1"), ("whatsapp", "whatsapp:+6281290000001")]
    async with sold_out.read() as session:
        assert (await session.get_one(Part, SPEAKER)).stock == 1


async def test_a_second_alert_for_the_same_part_is_told_too(sold_out: Database, shop: Shop, now: datetime) -> None:
    for day in range(2):
        later = now + timedelta(days=day)
        await ask(sold_out, shop, later)
        await restock(sold_out, MANY + 1)
        assert await tell_all(sold_out, shop, later) == 1
        await restock(sold_out, MANY)
    assert len(await told(sold_out)) == 2


async def test_a_part_that_is_gone_again_is_not_told(sold_out: Database, shop: Shop, now: datetime) -> None:
    await ask(sold_out, shop, now)
    await restock(sold_out, MANY + 1)
    async with sold_out.read() as session:
        due = await stock_alerts.due(Context(session, shop, now))
    await restock(sold_out, MANY)
    async with sold_out.write() as session:
        assert not await stock_alerts.tell(Context(session, shop, now), due[0])
    await restock(sold_out, MANY + 1)
    assert await tell_all(sold_out, shop, now) == 1


@pytest.mark.parametrize("how", ["on request", "with the customer's data"])
async def test_an_alert_is_forgotten(sold_out: Database, shop: Shop, now: datetime, how: str) -> None:
    contact = await ask(sold_out, shop, now)
    async with sold_out.write() as session:
        ctx = Context(session, shop, now)
        if how == "on request":
            assert await stock_alerts.forget(ctx, contact)
            assert not await stock_alerts.forget(ctx, contact)
        else:
            await privacy.erase(ctx, await contacts.lock(session, contact.customer_id))
    await restock(sold_out, MANY + 1)
    assert await tell_all(sold_out, shop, now) == 0
    async with sold_out.read() as session:
        assert await session.scalar(select(func.count()).select_from(StockAlert)) == 0
