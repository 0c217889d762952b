"""A web customer is joined to a chat customer while a booking is made for it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

from pausing import Pause
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import book, furnish, order

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Customer
from core.people import contacts, web_customers
from core.shop import Shop

PHONE, USER = "+6281234567890", "user_sari"
FIRST, SECOND = "BK-000001", "BK-000002"


Customers = Callable[[AsyncSession, str, datetime], Awaitable[Customer]]


async def locked(session: AsyncSession, user: str, now: datetime) -> Customer:
    return await web_customers.of_user(session, user, now=now)


async def seen(session: AsyncSession, user: str, _: datetime) -> Customer:
    """The negative control: reads the customer without a lock."""
    return (await session.scalars(select(Customer).where(Customer.clerk_user == user))).one()


async def book_on_the_web(
    database: Database, code: str, *, days: int, whose: Customers, shop: Shop, now: datetime
) -> None:
    at = shop.at(date(2026, 11, 24), time(10)) + timedelta(days=days)
    async with database.write() as session:
        web = await whose(session, USER, now)
        await book(session, order(at, phone=PHONE), shop=shop, now=now, code=code, customer=web.id)
        web.name = "Sari"


async def confirm_in_the_chat(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        chat, _, _ = await contacts.find_or_create(
            session, "whatsapp", f"whatsapp:{PHONE}", phone=PHONE, language="id", now=now
        )
        await web_customers.join(Context(session, shop, now), chat, FIRST)


async def both(databases: list[Database], *, whose: Customers, shop: Shop, now: datetime) -> list[object]:
    """Race a second web booking against the confirmation of the first; returns both results."""
    await furnish(databases[0], now, customers=0)
    await book_on_the_web(databases[0], FIRST, days=0, whose=locked, shop=shop, now=now)
    crowd = Pause(2)
    for database in databases:
        for claim in ("INSERT INTO booking ", "UPDATE booking SET customer_id"):
            crowd.before(database.engine, claim)
    return await asyncio.gather(
        book_on_the_web(databases[0], SECOND, days=1, whose=whose, shop=shop, now=now),
        confirm_in_the_chat(databases[-1], shop, now),
        return_exceptions=True,
    )


async def test_a_booking_during_a_join_is_in_the_one_history(
    databases: list[Database], shop: Shop, now: datetime
) -> None:
    assert await both(databases, whose=locked, shop=shop, now=now) == [None, None]
    async with databases[0].read() as session:
        [sari] = await session.scalars(select(Customer))
        assert (sari.phone, sari.clerk_user) == (PHONE, USER)
        owners = await session.execute(select(Booking.code, Booking.customer_id).order_by(Booking.code))
        assert owners.all() == [(FIRST, sari.id), (SECOND, sari.id)]


async def test_control_without_a_lock_loses_the_customer(postgres_url: str, shop: Shop, now: datetime) -> None:
    database = Database(postgres_url)
    booked, _ = await both([database], whose=seen, shop=shop, now=now)
    await database.close()
    assert isinstance(booked, IntegrityError)
