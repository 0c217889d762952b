"""Money that goes back: never more than came in, never twice, by Midtrans where it can and by hand where it can't."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, KEY, ORDER, PRICE, answer, book, booking_of, give_link, letters
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from core import payment, work
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, LedgerEntry, Refund
from core.refusals import AlreadySentBack, NotFound
from core.schedule import bookings
from core.shop import Shop
from core.states import PaymentStatus, RefundState

BY_WALLET = {"payment_type": "gopay"}


async def pay(database: Database, shop: Shop, now: datetime, **how: Any) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    await tell(database, shop, now, answer(**how))


async def tell(database: Database, shop: Shop, now: datetime, reported: dict[str, Any]) -> str:
    async with database.write() as session:
        return await payment.settle(Context(session, shop, now), ORDER, reported)


async def owe(database: Database, shop: Shop, now: datetime, amount: int) -> list[Refund]:
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        return await payment.refund(Context(session, shop, now), booking, amount, reason="cancelled")


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


async def test_transfer_is_recorded_once_and_announced(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now)
    await owe(database, shop, now, PRICE)
    async with database.write() as session:
        await payment.record_transfer(Context(session, shop, now), KEY, by="Ibu Rina")
    with pytest.raises(AlreadySentBack):
        async with database.write() as session:
            await payment.record_transfer(Context(session, shop, now), KEY, by="Ibu Rina")
    assert await entries(database) == [("received", PRICE), ("refunded", -PRICE)]
    assert (await booking_of(database)).payment_status is PaymentStatus.REFUNDED
    assert "Rp150.000" in (await letters(database))[f"refund-done:{KEY}"]


async def test_an_unknown_refund_is_none(database: Database, shop: Shop, now: datetime) -> None:
    with pytest.raises(NotFound):
        async with database.write() as session:
            await payment.record_transfer(Context(session, shop, now), "REFUND-A1-BK999999-6B039010-1", by="Ibu Rina")


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


# --- what Midtrans reports, against what is owed -------------------------------------------------


def back(amount: int, key: str = "by-staff", status: str = "partial_refund") -> dict[str, Any]:
    """A refund, as the status answer lists it."""
    return answer(status=status, refunds=[{"refund_key": key, "refund_amount": f"{amount}.00"}], **BY_WALLET)


@pytest.mark.parametrize(
    ("owed", "reported", "left"),
    [
        pytest.param([50_000, 30_000], back(30_000), [50_000], id="the same amount: that one is done"),
        pytest.param([50_000, 30_000], back(60_000), [20_000], id="another: the oldest first, the rest off the next"),
        pytest.param([50_000], back(20_000), [30_000], id="a part: that much less is owed"),
        pytest.param([50_000], back(100_000), [], id="more than is owed"),
        pytest.param([50_000], back(PRICE, status="refund"), [], id="all of it"),
        pytest.param([50_000], answer(status="chargeback", **BY_WALLET), [], id="the card's bank took it"),
        pytest.param([50_000], answer(status="deny", **BY_WALLET), [], id="the money never stayed"),
    ],
)
async def test_what_went_back_another_way_is_not_sent_again(
    database: Database, shop: Shop, now: datetime, owed: list[int], reported: dict[str, Any], left: list[int]
) -> None:
    await pay(database, shop, now, **BY_WALLET)
    for amount in owed:
        await owe(database, shop, now, amount)
    for _ in range(2):
        await tell(database, shop, now, reported)
    async with database.read() as session:
        still = await payment.open_refunds(session, limit=9)
        going = (await bookings.load(session, code=CODE)).going_back
    assert [refund.amount for refund, _ in still] == left
    assert going == sum(left)


async def test_no_key_comes_again_though_a_backup_was_put_back(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now, **BY_WALLET)
    [gone] = await owe(database, shop, now, 50_000)
    async with database.write() as session:
        await session.execute(delete(Refund))  # the backup is older than it
    [other] = await owe(database, shop, now + timedelta(hours=1), 50_000)
    assert other.key != gone.key


async def test_a_key_that_the_ledger_has_is_left_out(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now, **BY_WALLET)
    await tell(database, shop, now, back(50_000, KEY))
    assert [each.key for each in await owe(database, shop, now, 50_000)] == [f"{KEY.removesuffix('1')}2"]


@pytest.mark.parametrize("by_hand", [False, True], ids=["asked of Midtrans", "by hand, the account is known"])
async def test_smaller_refund_leaves_the_rest_under_a_new_key(
    database: Database, shop: Shop, now: datetime, by_hand: bool
) -> None:
    await pay(database, shop, now, **BY_WALLET)
    await owe(database, shop, now, 50_000)
    if by_hand:
        async with database.write() as session:
            await payment.refund_refused(Context(session, shop, now), KEY, "414", for_good=True)
            await payment.set_refund_account(Context(session, shop, now), KEY, "BCA 123 a.n. Sari")
    for _ in range(2):
        await tell(database, shop, now, back(30_000, KEY))
    async with database.read() as session:
        spent, rest = await payment.refunds_of(session, await bookings.load(session, code=CODE))
        going = (await bookings.load(session, code=CODE)).going_back
    assert (spent.key, spent.amount, spent.state) == (KEY, 30_000, RefundState.DONE)
    assert (rest.amount, going) == (20_000, 20_000)
    assert rest.state is (RefundState.BY_HAND if by_hand else RefundState.WANTED)
    assert (rest.due_at is None) == by_hand
    told = await letters(database)
    assert "Rp30.000" in told[f"refund-done:{KEY}"]
    if by_hand:
        assert "BCA 123 a.n. Sari" in next(text for key, text in told.items() if f"refund-task:{rest.key}" in key)
        assert not any(key.startswith(f"refund-account:{rest.key}") for key in told), "it is known already"


async def test_larger_refund_reduces_other_refunds(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now, **BY_WALLET)
    for amount in (50_000, 30_000):
        await owe(database, shop, now, amount)
    for _ in range(2):
        await tell(database, shop, now, back(60_000, KEY))
    async with database.read() as session:
        [(still, booking)] = await payment.open_refunds(session, limit=9)
    assert (still.amount, booking.going_back) == (20_000, 20_000)
    assert any(f"refunded:{KEY}" in key for key in await letters(database, kind="staff"))


async def test_late_refund_under_a_given_up_key_closes_it(database: Database, shop: Shop, now: datetime) -> None:
    """Midtrans said no, staff was asked to transfer, then it went all the same: staff must not."""
    await pay(database, shop, now, **BY_WALLET)
    await owe(database, shop, now, PRICE)
    async with database.write() as session:
        await payment.refund_refused(Context(session, shop, now), KEY, "414", for_good=True)
    await tell(database, shop, now, back(PRICE, KEY, "refund"))
    with pytest.raises(AlreadySentBack):
        async with database.write() as session:
            await payment.record_transfer(Context(session, shop, now), KEY, by="Ibu Rina")
    assert any("refund-no-transfer" in key for key in await letters(database, kind="staff"))


async def test_refund_sent_both_ways_is_entered_twice(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now, **BY_WALLET)
    await owe(database, shop, now, 50_000)
    async with database.write() as session:
        await payment.refund_refused(Context(session, shop, now), KEY, "414", for_good=True)
        await payment.record_transfer(Context(session, shop, now), KEY, by="Ibu Rina")
    await tell(database, shop, now, back(50_000, KEY))
    assert await entries(database) == [("received", PRICE), ("refunded", -50_000), ("refunded", -50_000)]
    assert any("refund-twice" in key for key in await letters(database, kind="staff"))


async def test_newest_payment_is_refunded_first(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, percent=30)
    await tell(database, shop, now, answer(amount=45_000, **BY_WALLET))
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await work.receive_cash(Context(session, shop, now), booking, 105_000, actor="Dedi")
    owed = await owe(database, shop, now, 120_000)
    assert [(each.order_id, each.amount, each.state) for each in owed] == [
        (None, 105_000, RefundState.BY_HAND),
        (ORDER, 15_000, RefundState.WANTED),
    ]
    async with database.write() as session:
        await payment.record_transfer(Context(session, shop, now), KEY, by="Ibu Rina")
    assert [each.amount for each in await owe(database, shop, now, PRICE)] == [30_000]


async def test_the_account_is_asked_for_told_and_asked_for_again(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now)
    await owe(database, shop, now, PRICE)
    for later, account in enumerate(("BCA 123 a.n. Sari", "BNI 456 a.n. Sari"), 1):
        async with database.write() as session:
            await payment.ask_refund_account(Context(session, shop, now + later * timedelta(hours=1)), KEY)
            await payment.set_refund_account(Context(session, shop, now), KEY, account)
    told = await letters(database)
    assert sum(key.startswith("refund-account:") for key in told) == 3
    assert [text.split("Rekening: ")[1] for key, text in told.items() if "refund-task" in key] == [
        "belum diisi pelanggan",
        "BCA 123 a.n. Sari",
        "BNI 456 a.n. Sari",
    ]


async def test_who_has_no_chat_is_asked_by_mail(database: Database, shop: Shop, now: datetime) -> None:
    await pay(database, shop, now)
    async with database.write() as session:
        await session.execute(update(Booking).values(contact_id=None))
    await owe(database, shop, now, PRICE)
    mails = await letters(database, channel="email")
    assert shop.contact in next(text for key, text in mails.items() if key.startswith("refund-account:"))
