"""What is left to pay of a booking whose money went back: nothing, except what the cardholder's bank took."""

from datetime import datetime, timedelta

import pytest
from paying import CODE, ORDER, PRICE, answer, book, booking_of, letters

from bot.papers import invoice
from core import payment, work
from core.booking import reschedule
from core.context import Context
from core.db.database import Database
from core.papers import invoices
from core.refusals import AlreadyPaid, StillUnpaid
from core.schedule import bookings
from core.shop import Shop
from core.states import PaymentStatus

HOUR = timedelta(hours=1)


async def settle(database: Database, shop: Shop, now: datetime, status: str, back: int = 0) -> None:
    named = {"refunds": [{"refund_key": f"by-hand-{back}", "refund_amount": f"{back}.00"}]} if back else {}
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(ORDER, status, **named))


async def complete(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        ctx, booking = Context(session, shop, now), await bookings.load(session, code=CODE)
        await work.start(ctx, booking, actor="Andi")
        await work.complete(ctx, booking, actor="Andi")


async def test_a_part_refunded_of_a_completed_job_is_not_owed_again(
    database: Database, shop: Shop, now: datetime
) -> None:
    await book(database, shop, now)
    await settle(database, shop, now, "settlement")
    await complete(database, shop, now + HOUR)
    await settle(database, shop, now + 2 * HOUR, "partial_refund", 50_000)
    booking = await booking_of(database)
    assert (booking.paid_amount, booking.remaining, booking.payment_status) == (100_000, 0, PaymentStatus.PAID)
    async with database.write() as session:
        with pytest.raises(AlreadyPaid):
            await payment.request(Context(session, shop, now + 3 * HOUR), booking, percent=None)
    await settle(database, shop, now + 4 * HOUR, "refund", 100_000)
    booking = await booking_of(database)
    assert (booking.paid_amount, booking.remaining, booking.payment_status) == (0, 0, PaymentStatus.REFUNDED)


async def test_what_a_bank_took_of_a_completed_job_is_owed(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await settle(database, shop, now, "settlement")
    await complete(database, shop, now + HOUR)
    await settle(database, shop, now + 2 * HOUR, "chargeback", PRICE)
    booking = await booking_of(database)
    assert (booking.remaining, booking.left_to_pay) == (PRICE, PRICE)


async def test_a_refunded_booking_shows_nothing_left_to_pay(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await settle(database, shop, now, "settlement")
    await settle(database, shop, now + HOUR, "refund", PRICE)
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.left_to_pay) == ("confirmed", PaymentStatus.REFUNDED, 0)
    async with database.read() as session:
        facts, payments = await invoices.load(session, CODE)
    assert invoice.balance(facts, payments) == 0
    async with database.write() as session:
        ctx, booking = Context(session, shop, now + HOUR), await bookings.load(session, code=CODE)
        await reschedule(ctx, booking, booking.starts_at + 2 * HOUR, technician_id=None, actor="Rina")
    reminders = await letters(database, kind="reminder", state="due")
    assert len(reminders) == 2
    assert not any("isa pembayaran" in text for text in reminders.values())
    with pytest.raises(StillUnpaid):  # the customer can pay again
        await complete(database, shop, now + 2 * HOUR)
