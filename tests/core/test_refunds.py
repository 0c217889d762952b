"""Money that goes back: never more than came in, never twice, by Midtrans where it can and by hand where it can't."""

from datetime import datetime
from typing import Any

import pytest
from paying import CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core import bookings, refunds, settlement
from core.database import Database
from core.refusals import AlreadySentBack, NotFound
from core.shop import Shop
from core.states import PaymentStatus, RefundState
from core.tables import LedgerEntry, Refund

BY_WALLET = {"payment_type": "gopay"}
KEY = "REFUND-A1-BK000001-1"


async def pay(database: Database, shop: Shop, now: datetime, **how: Any) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    await tell(database, shop, now, answer(**how))


async def tell(database: Database, shop: Shop, now: datetime, reported: dict[str, Any]) -> str:
    async with database.write() as session:
        return await settlement.settle(session, ORDER, reported, shop=shop, now=now)


async def owe(database: Database, shop: Shop, now: datetime, amount: int) -> list[Refund]:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        return await refunds.owe(session, booking, amount, reason="cancelled", shop=shop, now=now)


async def entries(database: Database) -> list[tuple[str, int]]:
    async with database.read() as session:
        rows = await session.execute(select(LedgerEntry.kind, LedgerEntry.amount).order_by(LedgerEntry.id))
        return [(kind, amount) for kind, amount in rows]


@pytest.mark.parametrize(
    ("how", "state"),
    [
        pytest.param({"payment_type": "gopay"}, RefundState.WANTED, id="a wallet"),
        pytest.param({"payment_type": "ovo"}, RefundState.WANTED, id="OVO within its days"),
        pytest.param({"payment_type": "credit_card"}, RefundState.WANTED, id="a card"),
        pytest.param({"payment_type": "bank_transfer"}, RefundState.BY_HAND, id="a virtual account knows no way back"),
        pytest.param({"payment_type": "echannel"}, RefundState.BY_HAND, id="nor does Mandiri's bill"),
        pytest.param({"payment_type": "cstore"}, RefundState.BY_HAND, id="nor a shop's counter"),
    ],
)
async def test_who_sends_it_back_follows_from_how_it_came(
    database: Database, shop: Shop, now: datetime, how: dict[str, str], state: RefundState
) -> None:
    await pay(database, shop, now, **how)
    (refund,) = await owe(database, shop, now, 45_000)
    assert (refund.key, refund.amount, refund.state) == (KEY, 45_000, state)
    assert (refund.due_at is not None) == (state is RefundState.WANTED)


async def test_never_more_is_owed_than_came_in(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now, **BY_WALLET)
    await owe(database, shop, now, 100_000)
    assert [each.amount for each in await owe(database, shop, now, 100_000)] == [50_000]
    assert await owe(database, shop, now, 1) == []


async def test_a_transfer_is_recorded_once_and_the_customer_hears_of_it(
    database: Database, shop: Shop, now: datetime
) -> None:
    await pay(database, shop, now)
    await owe(database, shop, now, PRICE)
    async with database.write() as session:
        await refunds.transferred(session, KEY, by="Ibu Rina", shop=shop, now=now)
    with pytest.raises(AlreadySentBack):
        async with database.write() as session:
            await refunds.transferred(session, KEY, by="Ibu Rina", shop=shop, now=now)
    assert await entries(database) == [("received", PRICE), ("refunded", -PRICE)]
    assert (await booking_of(database)).payment_status is PaymentStatus.REFUNDED
    assert "Rp150.000" in (await letters(database))[f"refund-done:{KEY}"]


async def test_an_unknown_refund_is_none(database: Database, shop: Shop, now: datetime) -> None:
    with pytest.raises(NotFound):
        async with database.write() as session:
            await refunds.transferred(session, "REFUND-A1-BK999999-1", by="Ibu Rina", shop=shop, now=now)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE ledger_entry SET amount = amount + 1", id="another amount"),
        pytest.param("UPDATE ledger_entry SET order_id = NULL", id="another order"),
        pytest.param("DELETE FROM ledger_entry", id="deleted"),
    ],
)
async def test_the_database_itself_keeps_the_ledger(database: Database, shop: Shop, now: datetime, change: str) -> None:
    await pay(database, shop, now)
    with pytest.raises(DBAPIError, match="an entry of the ledger is never"):
        async with database.write() as session:
            await session.execute(text(change))
    async with database.write() as session:  # but what names a person can be erased
        await session.execute(update(LedgerEntry).values(evidence={}))
