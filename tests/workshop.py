"""A small workshop for tests: three technicians, a few parts and services, and orders."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingLine, Customer, Part, Service, Technician
from core.schedule import bookings
from core.schedule.orders import BookingRequest, Order
from core.shop import Shop
from core.states import PaymentMethod

SPEAKER, AMPLIFIER, ADAPTER = "speaker-65", "amp-4ch", "ring-avanza"
INSTALL, TUNE, WIRE, CHECK, FULL_DAY = "pasang-speaker", "setting-dsp", "tarik-kabel", "cek-audio", "paket-seharian"
ANDI, BUDI, CITRA = "andi", "budi", "citra"


async def furnish(database: Database, now: datetime, *, customers: int = 1) -> None:
    """Insert the catalogue, and customers 1, 2, …"""
    async with database.write() as session:
        session.add_all(
            [
                Part(id=SPEAKER, name="Speaker 6,5 inci", category="speaker", brand="JBL", price=850_000, discount=10, on_hand=2, warranty_months=12),
                Part(id=AMPLIFIER, name="Amplifier 4 channel", category="amplifier", brand="Pioneer", price=2_150_000, on_hand=5, warranty_months=6),
                Part(id=ADAPTER, name="Ring adaptor Avanza", category="accessory", brand="Lokal", price=75_000, on_hand=9),
                Service(id=INSTALL, name="Pasang speaker", category="installation", price=150_000, minutes=60),
                Service(id=WIRE, name="Tarik kabel", category="installation", price=200_000, minutes=90),
                Service(id=TUNE, name="Setting DSP", category="upgrade", price=500_000, minutes=120, skill="dsp", onsite=False),
                Service(id=CHECK, name="Cek audio", category="consultation", price=50_000, minutes=30),
                Service(id=FULL_DAY, name="Paket seharian", category="package", price=3_000_000, minutes=480),
                Technician(id=ANDI, name="Andi", skills=["dsp"]),
                Technician(id=BUDI, name="Budi", skills=[]),
                Technician(id=CITRA, name="Citra", skills=[], days_off=[4]),
                *(Customer(id=number, name=f"Pelanggan {number}", created_at=now) for number in range(1, customers + 1)),
            ]
        )  # fmt: skip


def order(starts_at: datetime, **changes: Any) -> Order:
    """An order for an hour's work, paid by bank transfer by default."""
    asked: dict[str, Any] = {
        "name": "Sari",
        "phone": "+6281234567890",
        "car_brand": "Toyota",
        "car_model": "Avanza",
        "car_year": 2018,
        "starts_at": starts_at,
        "method": PaymentMethod.TRANSFER,
    }
    if not {"parts", "services"} & set(changes):
        asked["services"] = (INSTALL,)
    return Order(**asked | changes)


async def book(
    session: AsyncSession, asked: Order, *, shop: Shop, now: datetime, code: str = "BK-000001", customer: int = 1
) -> Booking:
    """Book for a customer without a chat."""
    return await bookings.book(
        Context(session, shop, now),
        BookingRequest(order=asked, customer_id=customer, contact_id=None, language="id", code=code),
    )


async def check_books(database: Database, *, most: int = 3) -> None:
    """Assert that no moment has more jobs than `most`, no technician two at once, and that stock is reserved for what holds."""
    async with database.read() as session:
        holding = list(await session.scalars(select(Booking).where(Booking.holding)))
        for booking in holding:
            beside = [each for each in holding if each.starts_at <= booking.starts_at < each.ends_at]
            assert len(beside) <= most, [each.code for each in beside]
            named = [each.technician_id for each in beside if each.technician_id]
            assert len(named) == len(set(named)), [each.code for each in beside]
        promised = (
            select(func.coalesce(func.sum(BookingLine.quantity), 0))
            .join(Booking, Booking.id == BookingLine.booking_id)
            .where(BookingLine.part_id == Part.id, Booking.holding)
            .scalar_subquery()
        )
        assert (
            await session.execute(select(Part.id, Part.reserved, promised).where(Part.reserved != promised))
        ).all() == []
