"""How a customer with several no-shows is asked to pay."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from talk import ADDRESSES, Talk

from core.db.database import Database
from core.db.tables import Booking, Contact
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod

ORDERS = "mau tuning audio brio 2019 besok jam 10"


@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("missed", "shown", "hidden"),
    [
        (1, ("Bayar penuh", "Tunai di tempat", "DP 30%"), ("jadwal yang terlewat",)),  # one no-show is tolerated
        (2, ("jadwal yang terlewat, kali ini DP-nya 50%", "Bayar penuh", "DP 50%"), ("Tunai di tempat", "DP 30%", "DP 40%")),
    ],
)  # fmt: skip
async def test_no_shows_limit_the_payment_methods(
    stocked: Database, shop: Shop, now: datetime, missed: int, shown: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    talk = Talk(stocked, shop, "telegram", now)
    await talk.type("halo")
    await _miss(stocked, missed, now)
    await talk.type(ORDERS)
    await talk.share_contact("+6281290000001")
    assert [words for words in shown if words not in talk.screen] == []
    assert [words for words in hidden if words in talk.screen] == []


async def _miss(database: Database, times: int, now: datetime) -> None:
    async with database.write() as session:
        contact = (await session.scalars(select(Contact).where(Contact.address == ADDRESSES["telegram"]))).one()
        session.add_all(_missed(contact.customer_id, number, now) for number in range(times))


def _missed(customer_id: int, number: int, now: datetime) -> Booking:
    """An appointment some weeks ago with a no-show."""
    return Booking(
        code=f"BK-MISS{number}",
        customer_id=customer_id,
        name="Budi",
        phone="+6281290000001",
        car_brand="Honda",
        car_model="Brio",
        car_year=2019,
        starts_at=now - timedelta(days=20 + number),
        ends_at=now - timedelta(days=20 + number, hours=1),
        minutes=60,
        status=BookingStatus.CANCELLED,
        holding=False,
        payment_method=PaymentMethod.QRIS,
        total_price=150_000,
        created_at=now - timedelta(days=30),
        no_show_at=now - timedelta(days=20 + number),
    )
