"""Helpers for payment tests: a customer in a Telegram chat who books, and Midtrans' answers."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from workshop import INSTALL, furnish, order

from conversations.texts import render
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Outbox, PaymentRequest
from core.messaging.messages import message_from_json
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import PaymentMethod

CHAT = ("telegram", "5001")
ADMIN = ("telegram", "7000000001")
CODE = "BK-000001"
ORDER = "BOOKING-A1-BK000001-1"
PRICE = 150_000
KEY = "REFUND-A1-BK000001-6B039010-1"
"""Key of the first refund, if it is owed on Monday at eight."""


def tuesday_at_ten(shop: Shop, now: datetime) -> datetime:
    return shop.at(shop.local(now).date().replace(day=24), time(10))


async def _ensure_customer(database: Database, now: datetime) -> None:
    """Create the workshop and a customer with a Telegram chat, unless they exist."""
    async with database.read() as session:
        if await session.get(Contact, 1):
            return
    await furnish(database, now, customers=2)
    async with database.write() as session:
        session.add(Contact(channel=CHAT[0], address=CHAT[1], customer_id=1, last_seen_at=now, created_at=now))


async def book(
    database: Database,
    shop: Shop,
    now: datetime,
    *,
    code: str = CODE,
    percent: int | None = None,
    method: PaymentMethod = PaymentMethod.TRANSFER,
    **asked: Any,
) -> str:
    """Book a speaker's installation for Tuesday at ten and request the payment; returns the order_id, "" for cash."""
    await _ensure_customer(database, now)
    asked = {"starts_at": tuesday_at_ten(shop, now), "services": (INSTALL,), "email": "sari@example.com"} | asked
    async with database.write() as session:
        booking = await bookings.book(
            Context(session, shop, now),
            BookingRequest(order=order(method=method, **asked), customer_id=1, contact_id=1, language="id", code=code),
        )
        if method is PaymentMethod.COD:
            return ""
        return (await payment.request(Context(session, shop, now), booking, percent=percent)).order_id


async def give_link(database: Database, order_id: str, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        await payment.link_made(
            Context(session, shop, now), order_id, token=f"tok-{order_id}", url=f"https://pay.example/{order_id}"
        )


def answer(order_id: str = ORDER, status: str = "settlement", *, amount: int = PRICE, **more: Any) -> dict[str, Any]:
    """Midtrans' response to a status call."""
    return {
        "order_id": order_id,
        "transaction_id": "t-1",
        "transaction_status": status,
        "gross_amount": f"{amount}.00",
        "currency": "IDR",
        "payment_type": "bank_transfer",
        "status_code": "200",
    } | more


async def request_of(database: Database, order_id: str = ORDER) -> PaymentRequest:
    async with database.read() as session:
        return await session.get_one(PaymentRequest, order_id)


async def booking_of(database: Database, code: str = CODE) -> Booking:
    async with database.read() as session:
        return await bookings.load(session, code=code)


async def letters(database: Database, **wanted: Any) -> dict[str, str]:
    """Texts of the outbox by key; `wanted` filters by column."""
    async with database.read() as session:
        rows = await session.scalars(select(Outbox).filter_by(**wanted).order_by(Outbox.due_at, Outbox.id))
        return {row.key: text_of(row) for row in rows}


def text_of(row: Outbox) -> str:
    return "\n".join(render(each, row.language) for each in message_from_json(row.body).says)


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
