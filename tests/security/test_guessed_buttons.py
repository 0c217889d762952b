"""Forged button data: guessed ids reveal nothing, and malformed ids cause no bug."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from paying import CODE, book
from paying import KEY as REFUND
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, order

from conversations import registry
from conversations.engine import Engine
from conversations.incoming import Incoming
from conversations.turn import Who
from core import payment, work
from core.booking import join_waitlist, make_offer
from core.context import Context
from core.db.database import Database
from core.db.tables import Base, Contact, Conversation, Customer, Inbound, Outbox, Refund, Waiting
from core.messaging.messages import Say, message_from_json
from core.people import web_customers
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import Location

KEY = "0123456789abcdef0123456789abcdef.jpg"
OWNER, STRANGER, ADMIN = "5001", "5002", "7000000001"
OF_STAFF = sorted(name for name, (who, _) in registry.ACTIONS.items() if who is not Who.CUSTOMER)
OF_NOTHING = {"order", "work", "receive", "menu", "book", "resume", "mine", "info", "human", "language"}
OF_A_BOOKING = sorted({*registry.ACTIONS} - {*OF_STAFF} - OF_NOTHING)
OTHERWISE = {"warranties"}
"""Actions that don't name a booking."""
SHAPES = {
    "photo": "{code}:0",
    "rate": "{code}:5",
    "really": "{code}:0:0",
    "paper": "invoice:{code}",
    "pay-by": "qris:{code}",
    "papers": "invoice:{code}",
    "refund": "{refund}",
    "cost-yes": "{cost}",
    "cost-no": "{cost}",
    "retake": "{code}:2026-11-26T09:00",
    "retake-any": "{code}:2026-11-26T09:00",
    "wait": "{wait}",
    "wait-leave": "{wait}",
    "wait-take": "{offer}",
    "wait-pass": "{offer}",
    "wait-again": "{offer}",
    "wait-at": "{offer}:2026-11-26T10:00",
    "join": "{web}",
    "stranger": "{web}",
}
"""The argument of actions that take more or other than a booking's code."""
REAL = {
    "code": CODE,
    "refund": REFUND,
    "cost": "1",
    "wait": "BK-000002",
    "offer": "BK-000003",
    "web": "BK-000004",
}
MADE_UP = dict.fromkeys(REAL, "BK-999999") | {"refund": REFUND.replace("000001", "999999"), "cost": "999"}
NO_IDS = ["²:٣:", "9" * 30, "BK-000001:x:y", "invoice:BK-000001.2.3"]


@pytest.fixture
def shop(shop: Shop) -> Shop:
    andi = {"name": "Andi", "role": "technician", "technician": ANDI, "telegram": 7000000002}
    return Shop.model_validate(shop.model_dump() | {"staff": [*(each.model_dump() for each in shop.staff), andi]})


@pytest.fixture
async def job(database: Database, shop: Shop, now: datetime) -> Database:
    """A booking of the owner with a cash payment, a refund and an open cost; a waitlist entry, an offer, and a web booking
    with the owner's number. The stranger has a chat and a number, too.
    """
    await book(database, shop, now, location=Location.ONSITE, address="Jl. Tebet Timur Dalam 12")
    async with database.write() as session:
        session.add(Contact(channel="telegram", address=STRANGER, customer_id=2, last_seen_at=now, created_at=now))
        await session.flush()
        session.add_all(Conversation(contact_id=number, state={}, updated_at=now) for number in (1, 2))
        if session.get_bind().dialect.name == "postgresql":  # the workshop's customers have explicit ids
            await session.execute(text("SELECT setval(pg_get_serial_sequence('customer', 'id'), 10)"))
        booking = await bookings.load(session, code=CODE)
        ctx = Context(session, shop, now)
        await work.assign(ctx, booking, ANDI, actor="Andi")
        await work.add_note(ctx, booking, "", photos=[KEY], actor="Andi")
        await work.receive_cash(ctx, booking, 50_000, actor="Andi")
        await payment.refund(Context(session, shop, now), booking, 10_000, reason="overpaid")
        await work.add_cost(ctx, booking, "Kabel", 50_000, agreed=False, photo=None, actor="Andi")
        assert await session.scalar(select(Refund.key)) == REAL["refund"]
        await _wait(session, REAL["wait"], now + timedelta(days=3), shop, now)
        offered = await _wait(session, REAL["offer"], now + timedelta(days=4), shop, now)
        await make_offer(Context(session, shop, now), offered.id)
        await _book_on_the_web(session, shop, now)
    return database


async def _wait(session: AsyncSession, code: str, day: datetime, shop: Shop, now: datetime) -> Waiting:
    """Put the owner on the waitlist for 14:00."""
    asked = order(shop.at(shop.local(day).date(), time(14)))
    return await join_waitlist(
        Context(session, shop, now), BookingRequest(order=asked, customer_id=1, contact_id=1, language="id", code=code)
    )


async def _book_on_the_web(session: AsyncSession, shop: Shop, now: datetime) -> None:
    asked = order(shop.at(shop.local(now).date() + timedelta(days=2), time(14)))
    for number, phone in ((1, asked.phone), (2, "+6281234567899")):
        customer = await session.get_one(Customer, number)
        customer.phone, customer.phone_proven = phone, True
    on_the_web = await web_customers.of_user(session, "user_web", now=now)
    await bookings.book(
        Context(session, shop, now),
        BookingRequest(order=asked, customer_id=on_the_web.id, contact_id=None, language="id", code=REAL["web"]),
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_other_peoples_ids_look_like_unknown_ids(job: Database, shop: Shop, now: datetime) -> None:
    engine = Engine()
    for name in OF_A_BOOKING:
        shape = f"{name}:{SHAPES.get(name, '{code}')}"
        guessed = await _tapped(job, engine, shop, now, STRANGER, shape.format(**REAL))
        made_up = await _tapped(job, engine, shop, now, STRANGER, shape.format(**MADE_UP))
        assert guessed == made_up, name
        if name not in OTHERWISE:
            own = await _tapped(job, engine, shop, now, OWNER, shape.format(**REAL))
            assert own != guessed, f"{name} says nothing to the owner either, so the test proves nothing"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_staff_buttons_do_nothing_for_others(job: Database, shop: Shop, now: datetime) -> None:
    engine = Engine()
    without_staff = Shop.model_validate(shop.model_dump() | {"staff": []})
    for who, shown in ((OWNER, shop), (ADMIN, without_staff)):
        nothing = await _tapped(job, engine, shown, now, who, f"nothing:{CODE}")
        assert "tap.stale" in [said.key for said in nothing[0]]
        for name in OF_STAFF:
            argument = REAL["refund"] if "refund" in name or "transferred" in name else CODE
            assert await _tapped(job, engine, shown, now, who, f"{name}:{argument}") == nothing, name


async def test_malformed_ids_cause_no_bug(job: Database, shop: Shop, now: datetime) -> None:
    """An admin may use every action."""
    engine = Engine()
    taps = [f"{name}:{text}" for name in registry.ACTIONS for text in NO_IDS]
    async with job.write() as session:
        for number, tap in enumerate(sorted(taps)):
            await _turn(session, engine, shop, now, ADMIN, tap, event=str(number))


class _Undone(Exception):
    """Rolls the transaction back."""


async def _tapped(
    database: Database, engine: Engine, shop: Shop, now: datetime, who: str, choice: str
) -> tuple[list[Say], Any]:
    """Tap, then roll back; returns the reply and the row counts after the tap."""
    try:
        async with database.write() as session:
            await _turn(session, engine, shop, now, who, choice)
            reply = await session.scalar(select(Outbox).where(Outbox.key == "reply:telegram:1"))
            says = list(message_from_json(reply.body).says) if reply else []
            found = says, await _books(session)
            raise _Undone
    except _Undone:
        return found


async def _turn(
    session: AsyncSession, engine: Engine, shop: Shop, now: datetime, who: str, choice: str, *, event: str = "1"
) -> None:
    incoming = Incoming("telegram", who, event, choice=choice)
    await engine.take_turn(Context(session, shop, now), incoming, fresh="7F3K2Q00ZZZZZZZZ")


async def _books(session: AsyncSession) -> Any:
    """Row counts of all tables except the conversation's, and the keys of other messages."""
    await session.flush()
    talk = {table.__tablename__ for table in (Inbound, Conversation, Outbox)}
    tables = [table for table in Base.metadata.sorted_tables if table.name not in talk]
    counts = [select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables]
    told = await session.scalars(select(Outbox.key).where(Outbox.key.not_like("reply:%")).order_by(Outbox.key))
    return dict((await session.execute(select(*counts))).one()._mapping), list(told)
