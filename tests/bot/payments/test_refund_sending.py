"""Refunds through Midtrans: once, under one key, whatever the answers; by hand only when Midtrans has said no for good."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, KEY, ORDER, PRICE, answer, booking_of, letters
from sqlalchemy import select
from test_payment_worker import FakeMidtrans, Till

from bot.payments.midtrans_client import MidtransRefused, MidtransTrouble
from bot.payments.refund_sending import SendingBack
from core.context import Context
from core.db import leases
from core.db.database import Database
from core.db.tables import LedgerEntry, Refund
from core.payment import refund_requests, refunds, settlement
from core.schedule import bookings
from core.shop import Shop
from core.states import PaymentStatus, RefundState

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOT_YET = MidtransRefused(412, ["Merchant cannot modify the status of the transaction"])
TOO_MUCH = MidtransRefused(414, ["Refund amount is invalid"])
DUPLICATE = MidtransRefused(406, ["Duplicate refund_key"])
NO_ANSWER = MidtransTrouble("ReadTimeout")
FINE = None
WALLET = {"payment_type": "gopay"}
CHARGED_CARD = {"payment_type": "credit_card", "transaction_status": "capture", "fraud_status": "accept"}


@pytest.fixture
def till(database: Database, shop: Shop, now: datetime) -> Till:
    return Till(database, shop, now)


async def paid(till: Till, owing: int = PRICE, **how: Any) -> None:
    """A booking that is paid, of which so much is owed back."""
    await till.book()
    await till.work()
    told = answer(**(WALLET | how))
    till.midtrans.statuses[ORDER] = told
    async with till.database.write() as session:
        await settlement.settle(Context(session, till.shop, till.now), ORDER, told)
        booking = await bookings.load(session, code=CODE)
        await refunds.owe(Context(session, till.shop, till.now), booking, owing, reason="cancelled")
    till.midtrans.asked.clear()


async def refund_of(database: Database) -> Refund:
    async with database.read() as session:
        return await session.get_one(Refund, KEY)


async def ledger(database: Database) -> list[tuple[str, str, int]]:
    async with database.read() as session:
        rows = await session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
        return [(row.kind, row.reference, row.amount) for row in rows]


IN, OUT = ("received", "t-1", PRICE), ("refunded", KEY, -PRICE)


async def test_a_refund_goes_the_way_the_money_came(till: Till, database: Database) -> None:
    await paid(till)
    await till.work()
    await till.work(DAY)
    assert till.midtrans.asked[:2] == [("status", "t-1"), ("refund", KEY)]
    assert [what for what, _ in till.midtrans.asked].count("refund") == 1
    assert till.midtrans.bodies[-1] == {"refund_key": KEY, "amount": PRICE, "reason": "cancelled"}
    assert await ledger(database) == [IN, OUT]
    booking, refund = await booking_of(database), await refund_of(database)
    assert (booking.paid_amount, booking.payment_status) == (0, PaymentStatus.REFUNDED)
    assert (refund.state, refund.done_by) == (RefundState.DONE, "midtrans")
    assert "ke cara bayar semula" in (await letters(database))[f"refund-done:{KEY}"]


async def test_its_notifications_and_later_answers_are_the_same_refund(till: Till, database: Database) -> None:
    await paid(till, 50_000)
    await till.work()
    back = {"refund_key": KEY, "refund_amount": "50000.00"}
    till.midtrans.statuses[ORDER] = answer(status="partial_refund", refunds=[back], **WALLET)
    for _ in range(2):
        await till.notify(status="partial_refund")
        await till.work(MINUTE)
    assert await ledger(database) == [IN, ("refunded", KEY, -50_000)]
    assert not any("staff:refunded" in key for key in await letters(database))


@pytest.mark.parametrize(
    ("wrong", "asked", "state"),
    [
        pytest.param([FINE, NO_ANSWER], 2, RefundState.DONE, id="no answer: the same key again"),
        pytest.param([NO_ANSWER, FINE], 1, RefundState.DONE, id="no status: nothing is asked blindly"),
        pytest.param([FINE, DUPLICATE], 1, RefundState.DONE, id="a key that was used has gone through"),
        pytest.param([FINE, NO_ANSWER, FINE, DUPLICATE], 2, RefundState.DONE, id="the try without an answer had worked"),
        pytest.param([FINE, NOT_YET], 2, RefundState.DONE, id="not yet: later"),
        pytest.param([FINE, TOO_MUCH], 1, RefundState.BY_HAND, id="an amount that can't be: by hand at once"),
        pytest.param([FINE, NOT_YET] * 5, 4, RefundState.BY_HAND, id="three days of noes: by hand"),
        pytest.param([FINE, NO_ANSWER] * 5, 5, RefundState.WANTED, id="never by hand while it may have gone"),
    ],
)  # fmt: skip
async def test_what_midtrans_answers_decides_how_it_goes_on(
    till: Till, database: Database, wrong: list[Exception | None], asked: int, state: RefundState
) -> None:
    await paid(till)
    till.midtrans.wrong = list(wrong)
    for _ in range(max(2, len(wrong) // 2)):
        await till.work()
        till.now += DAY
    assert [what for what, _ in till.midtrans.asked].count("refund") == asked
    assert (await refund_of(database)).state is state
    assert await ledger(database) == ([IN, OUT] if state is RefundState.DONE else [IN])


@pytest.mark.parametrize(
    ("went", "state"),
    [
        pytest.param(50_000, RefundState.DONE, id="the same amount: it is that refund"),
        pytest.param(30_000, RefundState.BY_HAND, id="another: nothing went now, so staff transfers it"),
    ],
)
@pytest.mark.parametrize("answers", [FINE, DUPLICATE], ids=["said again", "a duplicate"])
async def test_a_key_that_was_used_before_the_backup_was_put_back_is_not_asked_for_ever(
    till: Till, database: Database, went: int, state: RefundState, answers: Exception | None
) -> None:
    """Keys were numbers once, so one that went may have been given again."""
    await paid(till, 0)
    back = {"refund_key": KEY, "refund_amount": f"{went}.00"}
    till.midtrans.statuses[ORDER] = answer(status="partial_refund", refunds=[back], **WALLET)
    await till.notify(status="partial_refund")
    await till.work()
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        [owed] = await refunds.owe(Context(session, till.shop, till.now), booking, 50_000, reason="overpaid")
        owed.key = KEY
    till.midtrans.wrong = [FINE, answers]
    await till.work()
    assert await ledger(database) == [IN, ("refunded", KEY, -went)]
    refund = await refund_of(database)
    assert (refund.state, refund.due_at) == (state, None)
    told = await letters(database)
    assert any("refund-refused" in key for key in told) == (state is RefundState.BY_HAND)
    assert (f"refund-done:{KEY}" in told) == (state is RefundState.DONE)


async def test_midtrans_is_not_asked_again_before_it_said_so(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.wrong = [FINE, MidtransTrouble("status 429", timedelta(minutes=10))]
    await till.work()
    assert await till.work(timedelta(minutes=9)) == 0
    await till.work(MINUTE)
    assert (await refund_of(database)).state is RefundState.DONE


async def test_what_midtrans_refuses_for_good_becomes_staffs_task(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.wrong = [FINE, TOO_MUCH]
    await till.work()
    told = await letters(database)
    assert "Midtrans menolak" in next(text for key, text in told.items() if "refund-refused" in key)
    assert "transfer kembali Rp150.000" in next(text for key, text in told.items() if "refund-task" in key)
    assert any(key.startswith(f"refund-account:{KEY}") for key in told)


async def test_a_charged_card_that_has_not_settled_is_voided_where_all_goes_back(
    till: Till, database: Database
) -> None:
    await paid(till, **CHARGED_CARD)
    await till.work()
    assert till.midtrans.asked[:2] == [("status", "t-1"), ("cancel", "t-1")]
    await till.notify(status="cancel")  # Midtrans tells of it, too
    await till.work(MINUTE)
    assert await ledger(database) == [IN, OUT]
    assert not any("staff:voided" in key for key in await letters(database))


async def test_a_void_without_an_answer_is_found_in_the_status(till: Till, database: Database) -> None:
    await paid(till, **CHARGED_CARD)
    till.midtrans.wrong = [FINE, NO_ANSWER]
    await till.work()
    till.midtrans.statuses[ORDER] = answer(status="cancel", payment_type="credit_card")
    await till.work(MINUTE)
    assert [what for what, _ in till.midtrans.asked].count("cancel") == 1
    assert await ledger(database) == [IN, OUT]
    assert (await refund_of(database)).state is RefundState.DONE


async def test_part_of_a_charged_card_waits_until_it_settles(till: Till, database: Database) -> None:
    await paid(till, 50_000, **CHARGED_CARD)
    await till.work()
    assert [what for what, _ in till.midtrans.asked] == ["status"]
    till.midtrans.statuses[ORDER] = answer(payment_type="credit_card")
    await till.work(refund_requests.REFUSED_AGAIN)
    assert await ledger(database) == [IN, ("refunded", KEY, -50_000)]


async def test_money_that_is_charged_back_meanwhile_is_not_sent_back_too(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.statuses[ORDER] = answer(status="chargeback", **WALLET)
    await till.work()
    assert "refund" not in [what for what, _ in till.midtrans.asked]
    assert await ledger(database) == [IN, ("charged_back", "t-1", -PRICE)]
    assert (await refund_of(database)).state is RefundState.DONE
    assert f"refund-done:{KEY}" not in await letters(database)


class Meanwhile(FakeMidtrans):
    """While it is asked for a refund, something else is settled."""

    def __init__(self, till: Till, told: Mapping[str, Any]) -> None:
        super().__init__()
        self.till, self.told = till, told
        self.statuses = till.midtrans.statuses

    async def refund(self, reference: str, **asked: Any) -> dict[str, Any]:
        async with self.till.database.write() as session:
            await settlement.settle(Context(session, self.till.shop, self.till.now), ORDER, self.told)
        return await super().refund(reference, **asked)


@pytest.mark.parametrize("answers", [FINE, DUPLICATE], ids=["it goes", "it had gone"])
@pytest.mark.parametrize("elsewhere", [40_000, 100_000], ids=["a part", "all of it"])
async def test_what_was_asked_for_is_entered_though_less_is_owed_by_now(
    till: Till, database: Database, elsewhere: int, answers: Exception | None
) -> None:
    """Staff sent money back in Midtrans' dashboard in the same moment: the ledger has what lies at Midtrans."""
    await paid(till, 100_000)
    back = {"refund_key": "by-staff", "refund_amount": f"{elsewhere}.00"}
    midtrans = Meanwhile(till, answer(status="partial_refund", refunds=[back], **WALLET))
    midtrans.wrong = [FINE, answers]
    sender = SendingBack(database, midtrans, shop=till.shop, clock=lambda: till.now, chance=lambda: 0.0)  # type: ignore[arg-type]
    await sender.send(await refund_of(database))
    assert await ledger(database) == [IN, ("refunded", "by-staff", -elsewhere), ("refunded", KEY, -100_000)]
    booking, refund = await booking_of(database), await refund_of(database)
    assert (booking.paid_amount, booking.going_back) == (max(0, 50_000 - elsewhere), 0)
    assert (refund.state, refund.due_at) == (RefundState.DONE, None)
    assert any(KEY in key for key in await letters(database, kind="staff")), "more went than was owed"


async def test_two_workers_ask_for_a_refund_once(till: Till, database: Database) -> None:
    await paid(till)
    async with database.write() as session:
        assert [each.key for each in await refund_requests.claim(session, now=till.now, limit=9)] == [KEY]
    assert await till.work() == 0
    await till.work(leases.LEASE)  # the first one died: its lease is over
    assert await ledger(database) == [IN, OUT]
