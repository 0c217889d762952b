"""What a customer pays beyond the price: Midtrans' fee is no money of the shop's, a real overpayment is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import ADMIN, CHAT, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of
from sqlalchemy import select

from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import LedgerEntry, PaymentAttempt, Refund
from core.payment import midtrans_status, reconciliation
from core.shop import Shop
from core.states import RequestState

FEE = 4_000
INFO = {
    "extra_info": {
        "gross_amount_info": {
            "original_amount": str(PRICE),
            "gross_amount": str(PRICE + FEE),
            "customer_imposed_payment_fee": str(FEE),
        }
    }
}
TOLD = [
    pytest.param({"metadata": INFO}, id="in the metadata"),
    pytest.param(INFO, id="at top level"),
    pytest.param({}, id="nowhere"),
    pytest.param({"metadata": None, "extra_info": "none"}, id="in fields of other types"),
]


async def settle(database: Database, shop: Shop, now: datetime, reported: dict[str, Any]) -> str:
    async with database.write() as session:
        return await payment.settle(Context(session, shop, now), reported["order_id"], reported)


async def books(database: Database) -> tuple[list[int], list[int], list[tuple[int | None, int]]]:
    """The ledger's amounts, the refunds', and each attempt's amount and fee."""
    async with database.read() as session:
        entries = await session.scalars(select(LedgerEntry.amount).order_by(LedgerEntry.id))
        refunds = await session.scalars(select(Refund.amount))
        attempts = await session.execute(select(PaymentAttempt.amount, PaymentAttempt.fee))
        return list(entries), list(refunds), [(amount, fee) for amount, fee in attempts]


async def differences(database: Database, reported: dict[str, Any]) -> list[reconciliation.Difference]:
    async with database.read() as session:
        (ours,) = await reconciliation.load(session, [ORDER])
    return reconciliation.compare(ours, [payment.read_status(reported)])


@pytest.mark.parametrize("told", TOLD)
async def test_fee_is_recorded_and_owed_to_nobody(
    database: Database, shop: Shop, now: datetime, told: dict[str, Any]
) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    reported = answer(amount=PRICE + FEE, **told)
    assert await settle(database, shop, now, reported) == "received"
    assert await settle(database, shop, now, reported) == "received before"
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status) == ("confirmed", "paid")
    assert (booking.paid_amount, booking.remaining, booking.going_back) == (PRICE, 0, 0)
    assert (await request_of(database)).state is RequestState.PAID
    assert await books(database) == ([PRICE], [], [(PRICE, FEE)])
    assert await differences(database, reported) == []
    chat = "\n".join((await letters(database, channel=CHAT[0], address=CHAT[1])).values())
    assert "Rp150.000" in chat
    assert "154.000" not in chat
    staff = await letters(database, kind="staff")
    assert list(staff) == [f"staff:paid:{ORDER}:telegram:{ADMIN[1]}"]
    assert "Biaya Midtrans dari pelanggan: Rp4.000" in staff[f"staff:paid:{ORDER}:telegram:{ADMIN[1]}"]


@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("back", [PRICE, PRICE + FEE], ids=["without the fee", "with the fee"])
async def test_refund_of_a_payment_with_a_fee_takes_off_the_price(
    database: Database, shop: Shop, now: datetime, told: dict[str, Any], back: int
) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    await settle(database, shop, now, answer(amount=PRICE + FEE, **told))
    refunds = [{"refund_key": "r1", "refund_amount": f"{back}.00"}]
    reported = answer(status="refund", amount=PRICE + FEE, refunds=refunds, **told)
    assert await settle(database, shop, now, reported) == "refunded"
    assert (await books(database))[0] == [PRICE, -PRICE]
    assert await differences(database, reported) == []


@pytest.mark.parametrize("told", TOLD)
async def test_down_payment_with_a_fee_is_the_down_payment(
    database: Database, shop: Shop, now: datetime, told: dict[str, Any]
) -> None:
    await book(database, shop, now, percent=30)
    await give_link(database, ORDER, shop, now)
    info = {"original_amount": "45000", "gross_amount": "49000", "customer_imposed_payment_fee": "4000"}
    if "extra_info" in told and isinstance(told["extra_info"], dict):
        told = {"extra_info": {"gross_amount_info": info}}
    elif told.get("metadata"):
        told = {"metadata": {"extra_info": {"gross_amount_info": info}}}
    assert await settle(database, shop, now, answer(amount=49_000, **told)) == "received"
    booking = await booking_of(database)
    assert (booking.payment_status, booking.paid_amount, booking.remaining) == ("dp_paid", 45_000, 105_000)


async def test_overpayment_confirms_goes_back_and_is_shown(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    assert await settle(database, shop, now, answer(amount=2 * PRICE)) == "received"
    booking = await booking_of(database)
    assert (booking.status, booking.payment_status, booking.remaining) == ("confirmed", "paid", 0)
    assert await books(database) == ([2 * PRICE], [PRICE], [(2 * PRICE, 0)])
    assert await differences(database, answer(amount=2 * PRICE)) == []
    staff = "\n".join((await letters(database, kind="staff")).values())
    assert "Midtrans melaporkan IDR 300000.00" in staff
    assert "Terbayar lebih Rp150.000" in staff


async def test_overpaid_down_payment_counts_towards_the_rest(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=30)
    await give_link(database, ORDER, shop, now)
    assert await settle(database, shop, now, answer(amount=100_000)) == "received"
    booking = await booking_of(database)
    assert (booking.status, booking.paid_amount, booking.remaining) == ("confirmed", 100_000, 50_000)
    assert "Midtrans melaporkan IDR 100000.00" in "\n".join((await letters(database, kind="staff")).values())


async def test_late_payment_with_a_fee_returns_the_price_only(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await payment.settle_or_expire(Context(session, shop, now + shop.hold), ORDER, None)
    later = now + timedelta(days=30)  # its slot is past
    await settle(database, shop, later, answer(amount=PRICE + FEE, metadata=INFO))
    assert (await booking_of(database)).paid_amount == PRICE


@pytest.mark.parametrize(
    ("requested", "gross", "fee"),
    [
        (10_000, 10_071, 71),  # QRIS
        (10_000, 15_550, 5_550),  # a convenience store, with PPN
        (200_000, 208_638, 8_638),  # a card, with PPN
        (400_000, 404_440, 4_440),  # a virtual account, with PPN
        (10_000, 20_000, 0),  # twice: no fee is that large
        (400_000, 440_000, 0),
        (400_000, 399_999, 0),  # less
        (400_000, 400_000, 0),
    ],
)
def test_only_a_little_more_is_a_fee(requested: int, gross: int, fee: int) -> None:
    attempt = midtrans_status.for_request(payment.read_status(answer(amount=gross)), requested)
    assert (attempt.fee, attempt.amount) == (fee, gross - fee)


@pytest.mark.parametrize("original", ["0", "-5", "many", "999999999", None, 1.5])
def test_absurd_metadata_is_ignored(original: object) -> None:
    told = answer(metadata={"extra_info": {"gross_amount_info": {"original_amount": original}}})
    attempt = payment.read_status(told)
    assert (attempt.amount, attempt.fee) == (PRICE, 0)
