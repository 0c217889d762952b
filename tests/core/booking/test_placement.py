"""Placing a booking: the same for a chat and for the web."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import CHECK, furnish, order

from core.booking import BookingRequest, confirm_free, join_waitlist, place
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Customer, Outbox, PaymentRequest, Service
from core.payment import update_totals
from core.people import contacts, web_customers
from core.refusals import NothingChosen
from core.shop import Shop
from core.states import PaymentMethod

TUESDAY = date(2026, 11, 24)
FIRST, SECOND = "+6281234567890", "+6281234567899"


@pytest.fixture
async def session(database: Database, now: datetime) -> AsyncIterator[AsyncSession]:
    await furnish(database, now, customers=0)
    async with database.write() as session:
        yield session


@pytest.fixture
def ctx(session: AsyncSession, shop: Shop, now: datetime) -> Context:
    return Context(session, shop, now)


async def telegram(ctx: Context) -> tuple[Customer, Contact]:
    contact, _, _ = await contacts.find_or_create(ctx.session, "telegram", "1", phone=None, language="id", now=ctx.now)
    return contact.customer, contact


def request(ctx: Context, customer: Customer, contact: Contact | None, hour: int, **asked: Any) -> BookingRequest:
    return BookingRequest(
        order=order(ctx.shop.at(TUESDAY, time(hour)), **asked),
        customer_id=customer.id,
        contact_id=contact.id if contact else None,
        language="id",
        code=f"BK-{hour}",
    )


async def rows(ctx: Context, column: Any) -> list[Any]:
    return list(await ctx.session.scalars(select(column)))


async def test_a_chat_keeps_the_newest_phone(ctx: Context) -> None:
    """The first one used to stay for ever."""
    sari, chat = await telegram(ctx)
    for hour, phone in ((10, FIRST), (13, SECOND)):
        booking = await place(ctx, request(ctx, sari, chat, hour, phone=phone), ask_for_payment=True)
        assert (booking.phone, sari.phone) == (phone, phone)


async def test_joining_the_waitlist_keeps_details_too(ctx: Context) -> None:
    sari, chat = await telegram(ctx)
    await join_waitlist(ctx, request(ctx, sari, chat, 10, phone=FIRST, email="sari@example.com"))
    assert (sari.phone, sari.email) == (FIRST, "sari@example.com")


async def test_a_proven_phone_is_kept(ctx: Context) -> None:
    chat, _, _ = await contacts.find_or_create(
        ctx.session, "whatsapp", f"whatsapp:{FIRST}", phone=FIRST, language="id", now=ctx.now
    )
    sari = chat.customer
    booking = await place(ctx, request(ctx, sari, chat, 10, phone=SECOND), ask_for_payment=True)
    assert (booking.phone, sari.phone) == (SECOND, FIRST)


@pytest.mark.parametrize(
    ("method", "ask_for_payment", "requests"),
    [
        (PaymentMethod.TRANSFER, True, 1),
        (PaymentMethod.TRANSFER, False, 0),  # a web front end asks by itself
        (PaymentMethod.COD, True, 0),  # cash has no link
    ],
)
async def test_payment_is_asked_for_once(
    ctx: Context, method: PaymentMethod, ask_for_payment: bool, requests: int
) -> None:
    sari, chat = await telegram(ctx)
    await place(ctx, request(ctx, sari, chat, 10, method=method), ask_for_payment=ask_for_payment)
    assert len(await rows(ctx, PaymentRequest.order_id)) == requests


async def test_a_web_booking_asks_the_owner_of_its_number(ctx: Context) -> None:
    await contacts.find_or_create(ctx.session, "whatsapp", f"whatsapp:{FIRST}", phone=FIRST, language="id", now=ctx.now)
    web = await web_customers.of_user(ctx.session, "user_web", now=ctx.now)
    await place(ctx, request(ctx, web, None, 10, phone=FIRST), ask_for_payment=False)
    assert any(key.startswith("whose:") for key in await rows(ctx, Outbox.key))


async def test_nobody_is_asked_about_a_chat_booking(ctx: Context) -> None:
    await contacts.find_or_create(ctx.session, "whatsapp", f"whatsapp:{FIRST}", phone=FIRST, language="id", now=ctx.now)
    sari, chat = await telegram(ctx)
    await place(ctx, request(ctx, sari, chat, 10, phone=FIRST), ask_for_payment=True)
    assert not any(key.startswith("whose:") for key in await rows(ctx, Outbox.key))


async def test_a_refused_booking_leaves_nothing_behind(ctx: Context) -> None:
    sari, chat = await telegram(ctx)
    with pytest.raises(NothingChosen):
        async with ctx.session.begin_nested():
            await place(ctx, request(ctx, sari, chat, 10, services=(), phone=FIRST), ask_for_payment=True)
    await ctx.session.refresh(sari)
    assert (await rows(ctx, Booking.id), sari.phone) == ([], None)


async def test_what_costs_nothing_is_confirmed_at_once_and_told_once(ctx: Context) -> None:
    """It used to wait for a payment of Rp0, which nobody can make, and lapsed after an hour."""
    (await ctx.session.get_one(Service, CHECK)).price = 0
    sari, chat = await telegram(ctx)
    booking = await place(ctx, request(ctx, sari, chat, 10, services=(CHECK,)), ask_for_payment=True)
    assert (booking.status, booking.payment_status, booking.hold_until) == ("confirmed", "paid", None)
    assert await rows(ctx, PaymentRequest.order_id) == []
    await confirm_free(ctx, booking)
    told = await rows(ctx, Outbox.key)
    assert told.count(f"free:{booking.code}") == 1
    assert any(key.startswith("reminder") for key in told)


async def test_an_additional_cost_on_a_free_job_is_to_be_paid(ctx: Context) -> None:
    (await ctx.session.get_one(Service, CHECK)).price = 0
    sari, chat = await telegram(ctx)
    booking = await place(ctx, request(ctx, sari, chat, 10, services=(CHECK,)), ask_for_payment=True)
    booking.total_price += 50_000
    await update_totals(ctx.session, booking)
    assert (booking.remaining, booking.payment_status) == (50_000, "pending")
