"""A table that is added and points at people is merged, exported, erased and forgotten without a change to `core.people`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Table, Text, insert, select

from core.context import Context
from core.db.database import Database
from core.db.personal import Forget, Rows, Undeclared, erased_to, personal, tables_about_people
from core.db.tables import Base
from core.people import contacts, privacy, retention
from core.shop import Shop

PHONE = "+6281234567890"


@asynccontextmanager
async def _created(database: Database, table: Table) -> AsyncIterator[Table]:
    async with database.engine.begin() as connection:
        await connection.run_sync(table.create)
    yield table
    async with database.engine.begin() as connection:
        await connection.run_sync(table.drop)
    Base.metadata.remove(table)


@pytest.fixture
async def cards(database: Database) -> AsyncIterator[Table]:
    """Loyalty cards: a row stays when its customer is erased, and goes when it is old."""
    table = Table(
        "loyalty_card",
        Base.metadata,
        Column("number", Integer, primary_key=True),
        Column("customer_id", ForeignKey("customer.id"), nullable=False),
        Column("nickname", Text, info=erased_to(None)),
        Column("used_at", DateTime(timezone=True)),
        **personal(erase=Rows.KEPT, forget=Forget(("used_at",))),
    )
    async with _created(database, table):
        yield table


@pytest.fixture
async def stamps(database: Database, cards: Table) -> AsyncIterator[Table]:
    """Stamps on a card, which go with the person."""
    table = Table(
        "stamp",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("card", ForeignKey("loyalty_card.number")),
        **personal(erase=Rows.DELETED),
    )
    async with _created(database, table):
        yield table


async def _two_chats_with_cards(database: Database, cards: Table, stamps: Table, now: datetime) -> None:
    """One person, known by number in one chat, and somebody new in another; each has a card with a stamp."""
    async with database.write() as session:
        for number, (address, phone) in enumerate({"1": PHONE, "2": None}.items(), 1):
            contact, _, _ = await contacts.find_or_create(
                session, "telegram", address, phone=phone, language="id", now=now
            )
            card = {"number": number, "customer_id": contact.customer_id, "nickname": "Sari", "used_at": now}
            await session.execute(insert(cards).values(card))
            await session.execute(insert(stamps).values(id=number, card=number))


async def _merge(database: Database, now: datetime) -> None:
    async with database.write() as session:
        contact, _, _ = await contacts.find_or_create(session, "telegram", "2", phone=None, language="id", now=now)
        await contacts.prove_phone(session, contact, PHONE)


async def test_a_new_table_is_merged_and_exported(
    database: Database, cards: Table, stamps: Table, now: datetime
) -> None:
    await _two_chats_with_cards(database, cards, stamps, now)
    await _merge(database, now)
    async with database.read() as session:
        exported = await privacy.export(session, await privacy.find(session, phone=PHONE))
    assert [row["number"] for row in exported["loyalty_card"]] == [1, 2]
    assert [row["id"] for row in exported["stamp"]] == [1, 2]


async def test_a_new_table_is_erased(
    database: Database, cards: Table, stamps: Table, shop: Shop, now: datetime
) -> None:
    await _two_chats_with_cards(database, cards, stamps, now)
    async with database.write() as session:
        await privacy.erase(Context(session, shop, now), await privacy.find(session, phone=PHONE))
    async with database.read() as session:
        assert (await session.execute(select(cards.c.number, cards.c.nickname).order_by(cards.c.number))).all() == [
            (1, None),
            (2, "Sari"),
        ]
        assert (await session.scalars(select(stamps.c.id))).all() == [2]


async def test_old_rows_of_a_new_table_are_forgotten(database: Database, cards: Table, now: datetime) -> None:
    async with database.write() as session:
        contact, _, _ = await contacts.find_or_create(session, "telegram", "1", phone=None, language="id", now=now)
        for number, used_at in ((1, now - timedelta(days=9)), (2, now)):
            card = {"number": number, "customer_id": contact.customer_id, "used_at": used_at}
            await session.execute(insert(cards).values(card))
        await retention.forget(session, before=now - timedelta(days=8), emptied=dict, now=now)
    async with database.read() as session:
        assert (await session.scalars(select(cards.c.number))).all() == [2]


def test_every_table_that_points_at_people_declares() -> None:
    """Every table that points at a person says what happens to it."""
    assert {table.name for table in tables_about_people(Base.metadata)} >= {"customer", "contact", "booking", "waiting"}


@pytest.mark.parametrize("target", ["customer.id", "contact.id", "booking.id", "payment_request.order_id"])
def test_a_table_that_declares_nothing_is_refused(target: str) -> None:
    metadata = MetaData()
    for table in Base.metadata.sorted_tables:
        table.to_metadata(metadata)
    Table("loyalty_card", metadata, Column("id", Integer, primary_key=True), Column("of", ForeignKey(target)))
    with pytest.raises(Undeclared, match="loyalty_card"):
        tables_about_people(metadata)
