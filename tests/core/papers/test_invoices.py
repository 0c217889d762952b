"""Invoices are issued once, numbered without gaps, and never change."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingLine, Customer, Invoice, LedgerEntry, Part, Service, Technician
from core.papers import invoices
from core.papers.invoices import InvoiceFacts
from core.refusals import NotFound
from core.shop import Shop
from core.states import Location, PaymentMethod


async def test_an_invoice_freezes_what_the_booking_says(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    facts, _ = await _load(database, "BK-1")

    assert facts.number == "INV/2026/00001"
    assert facts.issued_at == now
    assert (facts.shop_name, facts.shop_city, facts.timezone) == (
        "Bengkel Suara Jaya",
        "Jakarta Selatan",
        shop.timezone,
    )
    assert (facts.customer_name, facts.customer_phone) == ("Sari", "+6281234567890")
    assert (facts.car, facts.plate, facts.technician) == ("Toyota Avanza 2018", "B 1234 KJS", "Agus")
    assert [(line.kind, line.name, line.quantity, line.price, line.discount, line.total) for line in facts.lines] == [
        ("part", "Pioneer TS-A1670F", 2, 850_000, 10, 1_530_000),
        ("service", "Pasang Speaker", 1, 350_000, 0, 350_000),
    ]
    assert facts.lines[0].warranty_months == 12
    assert facts.discounts == 170_000
    assert facts.total == 2_030_000


async def test_later_changes_leave_the_invoice_alone(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    before, _ = await _load(database, "BK-1")
    async with database.write() as session:
        booking = await _booking(session, "BK-1")
        booking.name, booking.lines[0].price = "Bukan Sari", 1
    await _issue(database, "BK-1", shop=_changed(shop, name="Nama Baru"), now=now)
    after, _ = await _load(database, "BK-1")
    assert after == before


async def test_asked_again_it_is_the_same_invoice(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now)
    first = await _issue(database, "BK-1", shop=shop, now=now)
    again = await _issue(database, "BK-1", shop=shop, now=now + timedelta(days=40))
    assert again == first


async def test_facts_come_back_from_json_as_they_were(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now, name="محمد 😀 \u202e<b>")
    await _issue(database, "BK-1", shop=shop, now=now)
    facts, _ = await _load(database, "BK-1")
    assert InvoiceFacts.from_json(facts.to_json()) == facts
    assert facts.customer_name == "محمد 😀 \u202e<b>"


async def test_rivals_get_numbers_without_gap_or_double(database: Database, shop: Shop, now: datetime) -> None:
    codes = [f"BK-{number}" for number in range(12)]
    for code in codes:
        await _book(database, code, now)
    numbers = await asyncio.gather(*(_issue(database, code, shop=shop, now=now) for code in codes))
    assert sorted(numbers) == [f"INV/2026/{number:05}" for number in range(1, 13)]


async def test_rivals_for_one_booking_get_one_invoice(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now)
    numbers = await asyncio.gather(*(_issue(database, "BK-1", shop=shop, now=now) for _ in range(8)))
    assert set(numbers) == {"INV/2026/00001"}
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Invoice)) == 1


async def test_rolled_back_number_is_used_again(database: Database, shop: Shop, now: datetime) -> None:
    codes = [f"BK-{number}" for number in range(8)]
    for code in codes:
        await _book(database, code, now)

    async def issue(code: str, *, fails: bool) -> str | None:
        try:
            async with database.write() as session:
                invoice = await invoices.issue(Context(session, shop, now), await _booking(session, code))
                if fails:
                    raise ZeroDivisionError
                return invoice.number
        except ZeroDivisionError:
            return None

    numbers = await asyncio.gather(*(issue(code, fails=index % 2 == 0) for index, code in enumerate(codes)))
    assert sorted(filter(None, numbers)) == [f"INV/2026/{number:05}" for number in range(1, 5)]


@pytest.mark.parametrize(
    ("zone", "moment", "number"),
    [
        ("Asia/Jakarta", datetime(2026, 12, 31, 16, 59, tzinfo=UTC), "INV/2026/00002"),  # 23:59 in Jakarta
        ("Asia/Jakarta", datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "INV/2027/00001"),  # midnight in Jakarta
        ("Asia/Jayapura", datetime(2026, 12, 31, 15, 0, tzinfo=UTC), "INV/2027/00001"),  # midnight in Jayapura
    ],
)
async def test_counting_starts_again_with_the_shops_own_new_year(
    database: Database, shop: Shop, now: datetime, *, zone: str, moment: datetime, number: str
) -> None:
    shop = _changed(shop, timezone=zone)
    await _book(database, "BK-1", now)
    await _book(database, "BK-2", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    assert await _issue(database, "BK-2", shop=shop, now=moment) == number


async def test_payments_come_from_the_ledger(database: Database, shop: Shop, now: datetime) -> None:
    booking_id = await _book(database, "BK-1", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    assert (await _load(database, "BK-1"))[1] == ()
    async with database.write() as session:
        session.add(_entry(booking_id, amount=1_430_000, reference="b", at=now + timedelta(days=1)))
        session.add(_entry(booking_id, amount=600_000, reference="a", at=now))
    _, payments = await _load(database, "BK-1")
    assert [(payment.at, payment.amount, payment.method) for payment in payments] == [
        (now, 600_000, "qris"),
        (now + timedelta(days=1), 1_430_000, "qris"),
    ]


async def test_a_booking_without_invoice_has_none_to_load(database: Database, now: datetime) -> None:
    await _book(database, "BK-1", now)
    with pytest.raises(NotFound):
        await _load(database, "BK-1")


async def test_later_costs_get_one_supplementary_invoice(database: Database, shop: Shop, now: datetime) -> None:
    await _book(database, "BK-1", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    for _ in range(2):
        async with database.write() as session:
            booking = await _booking(session, "BK-1")
            if len(booking.lines) == 2:
                booking.lines.append(BookingLine(name="Kabel RCA", price=100_000, total=100_000))
                booking.additional_costs, booking.total_price = 100_000, 2_130_000
                await session.flush()
            assert await invoices.issue_all(Context(session, shop, now), booking) == ["BK-1", "BK-1.2"]
    first, _ = await _load(database, "BK-1")
    second, _ = await _load(database, "BK-1.2")
    assert (first.total, first.supplements) == (2_030_000, None)
    assert (second.total, second.additional_costs, second.subtotal_parts) == (100_000, 100_000, 0)
    assert second.supplements == first.number
    assert [line.name for line in second.lines] == ["Kabel RCA"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("paper", ["BK-1.1", "BK-1.2", "BK-1.", "BK-1.x", "BK", "", ".", "BK-1/2"])
async def test_a_paper_that_was_never_issued_is_not_found(
    database: Database, shop: Shop, now: datetime, paper: str
) -> None:
    await _book(database, "BK-1", now)
    await _issue(database, "BK-1", shop=shop, now=now)
    with pytest.raises(NotFound):
        await _load(database, paper)


@given(st.lists(st.integers(-500, 500), max_size=8), st.integers(0, 900))
def test_money_is_shared_between_two_invoices_without_loss(amounts: list[int], first_total: int) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    entries = [invoices.Payment(at, "received", "qris", amount) for amount in amounts]
    first = invoices.share(entries, begins=None, ends=first_total)
    second = invoices.share(entries, begins=first_total, ends=None)
    assert sum(each.amount for each in (*first, *second)) == sum(amounts)
    assert sum(each.amount for each in first) <= first_total
    assert sum(each.amount for each in second) >= 0
    alone = invoices.share(entries, begins=None, ends=None)
    assert [each.amount for each in alone] == [amount for amount in amounts if amount]


def _changed(shop: Shop, **changes: str) -> Shop:
    return Shop.model_validate(shop.model_dump() | changes)


async def _issue(database: Database, code: str, *, shop: Shop, now: datetime) -> str:
    async with database.write() as session:
        invoice = await invoices.issue(Context(session, shop, now), await _booking(session, code))
        return invoice.number


async def _load(database: Database, code: str) -> tuple[InvoiceFacts, tuple[invoices.Payment, ...]]:
    async with database.read() as session:
        return await invoices.load(session, code)


async def _booking(session: AsyncSession, code: str) -> Booking:
    found = await session.scalars(select(Booking).where(Booking.code == code).options(selectinload(Booking.lines)))
    return found.one()


async def _book(database: Database, code: str, now: datetime, *, name: str = "Sari") -> int:
    async with database.write() as session:
        if await session.get(Technician, "agus") is None:
            part = {"category": "speaker", "brand": "Pioneer", "price": 850_000}
            session.add(Technician(id="agus", name="Agus"))
            session.add(Part(id="ts", name="Pioneer TS-A1670F", **part))
            session.add(Service(id="pasang", name="Pasang", category="installation", price=350_000, minutes=60))
        customer = Customer(name=name, created_at=now)
        session.add(customer)
        await session.flush()
        booking = Booking(
            code=code,
            customer_id=customer.id,
            name=name,
            phone="+6281234567890",
            car_brand="Toyota",
            car_model="Avanza",
            car_year=2018,
            plate="B 1234 KJS",
            location=Location.ONSITE,
            address="Jl. Melati 3",
            starts_at=now + timedelta(days=2),
            ends_at=now + timedelta(days=2, hours=1),
            minutes=60,
            technician_id="agus",
            payment_method=PaymentMethod.QRIS,
            subtotal_parts=1_530_000,
            subtotal_services=350_000,
            onsite_fee=150_000,
            total_price=2_030_000,
            created_at=now,
            lines=[
                BookingLine(
                    part_id="ts",
                    name="Pioneer TS-A1670F",
                    quantity=2,
                    price=850_000,
                    discount=10,
                    total=1_530_000,
                    warranty_months=12,
                ),
                BookingLine(service_id="pasang", name="Pasang Speaker", price=350_000, total=350_000),
            ],
        )
        session.add(booking)
        await session.flush()
        return booking.id


def _entry(booking_id: int, *, amount: int, reference: str, at: datetime) -> LedgerEntry:
    return LedgerEntry(
        booking_id=booking_id,
        order_id="BOOKING-1",
        kind="received",
        reference=reference,
        amount=amount,
        method="qris",
        at=at,
        evidence={},
    )
