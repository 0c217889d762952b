"""Changing what a booking holds: who may and until when, price, stock, time, money, papers and notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, ORDER, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import AMPLIFIER, ANDI, BUDI, CHECK, FULL_DAY, INSTALL, SPEAKER, TUNE, check_books

from core import payment
from core.booking import ChangeTerms, change, change_terms
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingEvent, CreditNote, Invoice, Part, PaymentRequest, Refund
from core.papers import invoices
from core.refusals import (
    AddressMissing,
    CashForServicesOnly,
    InsufficientStock,
    InvalidTransition,
    NothingToChange,
    OutsideHours,
    Refusal,
    TechnicianBusy,
    TooLateToChange,
)
from core.schedule import bookings
from core.schedule.orders import order_of
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, RequestState

HOUR = timedelta(hours=1)
SPEAKERS = ((SPEAKER, 1),)


async def changed(
    database: Database, shop: Shop, now: datetime, *, actor: str = bookings.CUSTOMER, **differs: Any
) -> ChangeTerms:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        return await change(Context(session, shop, now), booking, replace(order_of(booking), **differs), actor=actor)


async def paid(database: Database, shop: Shop, now: datetime, **asked: Any) -> None:
    await book(database, shop, now, **asked)
    await give_link(database, ORDER, shop, now)
    request = await request_of(database)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer(amount=request.amount))


async def stock(database: Database, part: str) -> int:
    async with database.read() as session:
        return (await session.get_one(Part, part)).stock


async def links(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.scalars(select(PaymentRequest).order_by(PaymentRequest.order_id))
        return [(row.state, row.amount) for row in rows]


class _Undone(Exception):
    pass


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[AsyncSession]:
    try:
        async with database.write() as session:
            yield session
            raise _Undone
    except _Undone:
        pass


LIMITS: list[tuple[str, float, BookingStatus, str, type[Refusal] | None]] = [
    ("a day before is soon enough", 24, BookingStatus.CONFIRMED, "customer", None),
    ("a minute later isn't", 24 - 1 / 60, BookingStatus.CONFIRMED, "customer", TooLateToChange),
    ("nor for what isn't paid yet", 23, BookingStatus.PENDING, "customer", TooLateToChange),
    ("staff changes it late", 0.5, BookingStatus.CONFIRMED, "Ibu Rina", None),
    ("nobody changes a job that is in progress", 24, BookingStatus.IN_PROGRESS, "customer", InvalidTransition),
    ("not even staff", 24, BookingStatus.IN_PROGRESS, "Ibu Rina", InvalidTransition),
    ("nor what is cancelled", 24, BookingStatus.CANCELLED, "customer", InvalidTransition),
]


async def test_limits_apply_to_customers_not_to_staff(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    for why, hours, status, actor, refusal in LIMITS:
        async with undone(database) as session:
            booking = await bookings.load(session, code=CODE)
            booking.status = status
            ctx = Context(session, shop, booking.starts_at - timedelta(hours=hours))
            order = replace(order_of(booking), technician_id=BUDI)
            if refusal:
                with pytest.raises(refusal):
                    await change(ctx, booking, order, actor=actor)
            else:
                await change(ctx, booking, order, actor=actor)
                assert booking.technician_id == BUDI, why


async def test_a_part_is_added_with_its_price_time_and_stock(database: Database, shop: Shop, now: datetime) -> None:
    """Before payment: the open link is replaced by one for the new total."""
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    before = await booking_of(database)
    terms = await changed(database, shop, now, parts=SPEAKERS, services=(INSTALL, CHECK))
    after = await booking_of(database)
    assert (terms.was, terms.total, terms.back, terms.rest) == (150_000, 965_000, 0, 965_000)
    assert (after.subtotal_parts, after.subtotal_services) == (765_000, 200_000)
    assert after.ends_at - before.ends_at == timedelta(minutes=30)
    assert await stock(database, SPEAKER) == 1
    assert await links(database) == [(RequestState.CANCELLED, 150_000), (RequestState.WANTED, 965_000)]
    async with database.read() as session:
        kinds = list(await session.scalars(select(BookingEvent.kind).where(BookingEvent.actor == "customer")))
    assert kinds[-1] == "changed"
    await check_books(database)


async def test_a_rest_is_asked_for_where_it_was_paid(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    terms = await changed(database, shop, now, parts=SPEAKERS)
    booking = await booking_of(database)
    assert (terms.rest, booking.status, booking.payment_status) == (765_000, "confirmed", "dp_paid")
    assert (await links(database))[-1] == (RequestState.WANTED, 765_000)


async def test_money_beyond_the_new_price_goes_back(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now, parts=SPEAKERS)
    terms = await changed(database, shop, now, parts=())
    booking = await booking_of(database)
    assert (terms.back, terms.rest, booking.going_back, booking.payment_status) == (765_000, 0, 765_000, "paid")
    async with database.read() as session:
        refund = (await session.scalars(select(Refund))).one()
    assert (refund.amount, refund.reason) == (765_000, "changed")
    assert await stock(database, SPEAKER) == 2
    await check_books(database)


async def test_invoices_less_credit_notes_are_the_new_total(database: Database, shop: Shop, now: datetime) -> None:
    """The earlier invoice is credited in full; the new one is of the whole booking and bears its payments."""
    await paid(database, shop, now, parts=SPEAKERS)
    await changed(database, shop, now, parts=((AMPLIFIER, 1),))
    await changed(database, shop, now + HOUR, parts=())
    async with database.read() as session:
        booking = await bookings.load(session, code=CODE)
        issued = sum(each.facts["total"] for each in await session.scalars(select(Invoice)))
        credited = sum(each.facts["total"] for each in await session.scalars(select(CreditNote)))
        first, off = await invoices.load(session, CODE)
        last, payments = await invoices.load(session, f"{CODE}.3")
    assert issued - credited == booking.total_price == last.total == 150_000
    assert [(each.kind, each.amount) for each in off] == [("credited", first.total)]
    assert [(each.kind, each.amount) for each in payments] == [("received", 915_000)]
    assert [line.name for line in last.lines] == ["Pasang speaker"]


async def test_a_job_that_is_done_sends_the_standing_invoice(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now, parts=SPEAKERS)
    await changed(database, shop, now, parts=())
    async with database.write() as session:
        booking = await payment.lock_booking(session, 1)
        assert await invoices.issue_all(Context(session, shop, now), booking) == [f"{CODE}.2"]


async def test_what_was_booked_keeps_its_price(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, parts=SPEAKERS)
    async with database.write() as session:
        await session.execute(update(Part).where(Part.id == SPEAKER).values(price=2_000_000, discount=0))
    terms = await changed(database, shop, now, parts=((SPEAKER, 2),), times=())
    assert terms.total == 2 * 765_000 + 150_000


async def test_terms_are_tried_and_nothing_stays(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    wrote, waiting = await links(database), await letters(database)
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        order = replace(order_of(booking), parts=SPEAKERS, technician_id=ANDI)
        terms = await change_terms(Context(session, shop, now), booking, order)
        assert (booking.total_price, booking.technician_id, len(booking.lines)) == (150_000, None, 1)
    assert (terms.total, terms.rest) == (915_000, 765_000)
    assert (await links(database), await letters(database)) == (wrote, waiting)
    assert await stock(database, SPEAKER) == 2
    async with database.read() as session:
        assert len((await session.scalars(select(Invoice))).all()) == 1


REFUSED: list[tuple[str, dict[str, Any], type[Refusal]]] = [
    ("nothing differs", {}, NothingToChange),
    ("more than there is in stock", {"parts": ((SPEAKER, 3),)}, InsufficientStock),
    ("the job lasts past closing", {"services": (INSTALL, FULL_DAY)}, OutsideHours),
    ("the technician has another job", {"technician_id": ANDI}, TechnicianBusy),
    ("the technician can't do it", {"services": (TUNE,), "technician_id": BUDI}, TechnicianBusy),
    ("an on-site job without an address", {"location": Location.ONSITE}, AddressMissing),
]


async def test_what_cannot_be_is_refused_and_nothing_changes(database: Database, shop: Shop, now: datetime) -> None:
    await paid(database, shop, now)
    await book(database, shop, now, code="BK-000002", technician_id=ANDI)
    for why, differs, refusal in REFUSED:
        with pytest.raises(refusal):
            await changed(database, shop, now, **differs)
        booking = await booking_of(database)
        assert (booking.total_price, booking.technician_id, booking.location) == (150_000, None, "workshop"), why
    assert await stock(database, SPEAKER) == 2
    await check_books(database)


async def test_parts_are_not_paid_in_cash(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, method=PaymentMethod.COD)
    with pytest.raises(CashForServicesOnly):
        await changed(database, shop, now, parts=SPEAKERS)
    await changed(database, shop, now, parts=SPEAKERS, actor="Ibu Rina")
    assert (await booking_of(database)).total_price == 915_000


async def test_a_hold_that_ended_is_taken_again(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, parts=SPEAKERS)
    later = now + 2 * HOUR
    async with database.write() as session:
        await bookings.release_ended_holds(Context(session, shop, later))
    assert await stock(database, SPEAKER) == 2
    await changed(database, shop, later, parts=((SPEAKER, 2),))
    booking = await booking_of(database)
    assert (booking.holding, await stock(database, SPEAKER)) == (True, 0)
    assert booking.hold_until is not None
    assert booking.hold_until > later
    await check_books(database)


async def test_both_technicians_and_the_admins_are_told(database: Database, shop: Shop, now: datetime) -> None:
    staff = [
        *(each.model_dump() for each in shop.staff),
        {"name": "Andi", "role": "technician", "technician": ANDI, "telegram": 7000000002},
        {"name": "Budi", "role": "technician", "technician": BUDI, "telegram": 7000000003},
    ]
    shop = Shop.model_validate(shop.model_dump() | {"staff": staff})
    await paid(database, shop, now, technician_id=ANDI)
    await changed(database, shop, now, technician_id=BUDI)
    news = {key: text for key, text in (await letters(database)).items() if "changed:" in key or "taken-away:" in key}
    assert sorted(key.rpartition(":")[2] for key in news) == ["7000000001", "7000000002", "7000000003", "email"]
    assert all(CODE in text for text in news.values())


async def test_the_last_piece_is_another_customers(database: Database, shop: Shop, now: datetime) -> None:
    """Two bookings want the last two pieces: one change is refused, the stock is right."""
    await book(database, shop, now)
    await book(database, shop, now, code="BK-000002", parts=((SPEAKER, 2),))
    with pytest.raises(InsufficientStock):
        await changed(database, shop, now, parts=SPEAKERS)
    assert isinstance(await booking_of(database), Booking)
    await check_books(database)
