"""A refund is sent once, under one key, whatever the answers; by hand only after Midtrans has rejected it for good."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, KEY, ORDER, PRICE, answer, booking_of, letters
from sqlalchemy import select
from test_payment_worker import FakeMidtrans, Till

from bot.payments.midtrans_client import MidtransRefused, MidtransTrouble
from bot.payments.refund_sending import RefundSender
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db import leases
from core.db.database import Database
from core.db.tables import LedgerEntry, Refund
from core.payment import refund_requests
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
    """A paid booking with a refund that is due."""
    await till.book()
    await till.work()
    told = answer(**(WALLET | how))
    till.midtrans.statuses[ORDER] = told
    async with till.database.write() as session:
        await payment.settle(Context(session, till.shop, till.now), ORDER, told)
        booking = await bookings.load(session, code=CODE)
        await payment.refund(Context(session, till.shop, till.now), booking, owing, reason="cancelled")
    till.midtrans.asked.clear()


async def refund_of(database: Database) -> Refund:
    async with database.read() as session:
        return await session.get_one(Refund, KEY)


async def ledger(database: Database) -> list[tuple[str, str, int]]:
    async with database.read() as session:
        rows = await session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
        return [(row.kind, row.reference, row.amount) for row in rows]


IN, OUT = ("received", "t-1", PRICE), ("refunded", KEY, -PRICE)


async def test_a_refund_is_sent_once_and_recorded(till: Till, database: Database) -> None:
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


async def test_notifications_of_a_refund_are_not_another_one(till: Till, database: Database) -> None:
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
        pytest.param([FINE, NO_ANSWER], 2, RefundState.DONE, id="no answer: retried with the same key"),
        pytest.param([NO_ANSWER, FINE], 1, RefundState.DONE, id="no status: no refund call"),
        pytest.param([FINE, DUPLICATE], 1, RefundState.DONE, id="a used key means refunded"),
        pytest.param([FINE, NO_ANSWER, FINE, DUPLICATE], 2, RefundState.DONE, id="the unanswered call had worked"),
        pytest.param([FINE, NOT_YET], 2, RefundState.DONE, id="not yet: later"),
        pytest.param([FINE, TOO_MUCH], 1, RefundState.BY_HAND, id="a wrong amount: by hand at once"),
        pytest.param([FINE, NOT_YET] * 5, 4, RefundState.BY_HAND, id="rejected for three days: by hand"),
        pytest.param([FINE, NO_ANSWER] * 5, 5, RefundState.WANTED, id="never by hand while it may have worked"),
    ],
)  # fmt: skip
async def test_the_answer_decides_about_the_retry(
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
        pytest.param(50_000, RefundState.DONE, id="the same amount: it is this refund"),
        pytest.param(30_000, RefundState.BY_HAND, id="another amount: staff transfers it"),
    ],
)
@pytest.mark.parametrize("answers", [FINE, DUPLICATE], ids=["said again", "a duplicate"])
async def test_a_key_used_before_a_restored_backup(
    till: Till, database: Database, went: int, state: RefundState, answers: Exception | None
) -> None:
    """Refund keys were numbers before, so a used one may be given again."""
    await paid(till, 0)
    back = {"refund_key": KEY, "refund_amount": f"{went}.00"}
    till.midtrans.statuses[ORDER] = answer(status="partial_refund", refunds=[back], **WALLET)
    await till.notify(status="partial_refund")
    await till.work()
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        [owed] = await payment.refund(Context(session, till.shop, till.now), booking, 50_000, reason="overpaid")
        owed.key = KEY
    till.midtrans.wrong = [FINE, answers]
    await till.work()
    assert await ledger(database) == [IN, ("refunded", KEY, -went)]
    refund = await refund_of(database)
    assert (refund.state, refund.due_at) == (state, None)
    told = await letters(database)
    assert any("refund-refused" in key for key in told) == (state is RefundState.BY_HAND)
    assert (f"refund-done:{KEY}" in told) == (state is RefundState.DONE)


async def test_retry_after_is_respected(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.wrong = [FINE, MidtransTrouble("status 429", timedelta(minutes=10))]
    await till.work()
    assert await till.work(timedelta(minutes=9)) == 0
    await till.work(MINUTE)
    assert (await refund_of(database)).state is RefundState.DONE


async def test_a_refund_rejected_for_good_is_a_staff_task(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.wrong = [FINE, TOO_MUCH]
    await till.work()
    told = await letters(database)
    assert "Midtrans menolak" in next(text for key, text in told.items() if "refund-refused" in key)
    assert "transfer kembali Rp150.000" in next(text for key, text in told.items() if "refund-task" in key)
    assert any(key.startswith(f"refund-account:{KEY}") for key in told)


async def test_an_unsettled_card_payment_is_voided(till: Till, database: Database) -> None:
    await paid(till, **CHARGED_CARD)
    await till.work()
    assert till.midtrans.asked[:2] == [("status", "t-1"), ("cancel", "t-1")]
    await till.notify(status="cancel")  # Midtrans tells of it, too
    await till.work(MINUTE)
    assert await ledger(database) == [IN, OUT]
    assert not any("staff:voided" in key for key in await letters(database))


async def test_an_unanswered_void_is_found_in_the_status(till: Till, database: Database) -> None:
    await paid(till, **CHARGED_CARD)
    till.midtrans.wrong = [FINE, NO_ANSWER]
    await till.work()
    till.midtrans.statuses[ORDER] = answer(status="cancel", payment_type="credit_card")
    await till.work(MINUTE)
    assert [what for what, _ in till.midtrans.asked].count("cancel") == 1
    assert await ledger(database) == [IN, OUT]
    assert (await refund_of(database)).state is RefundState.DONE


async def test_a_partial_card_refund_waits_for_settlement(till: Till, database: Database) -> None:
    await paid(till, 50_000, **CHARGED_CARD)
    await till.work()
    assert [what for what, _ in till.midtrans.asked] == ["status"]
    till.midtrans.statuses[ORDER] = answer(payment_type="credit_card")
    await till.work(refund_requests.REFUSED_AGAIN)
    assert await ledger(database) == [IN, ("refunded", KEY, -50_000)]


async def test_a_chargeback_cancels_the_refund(till: Till, database: Database) -> None:
    await paid(till)
    till.midtrans.statuses[ORDER] = answer(status="chargeback", **WALLET)
    await till.work()
    assert "refund" not in [what for what, _ in till.midtrans.asked]
    assert await ledger(database) == [IN, ("charged_back", "t-1", -PRICE)]
    assert (await refund_of(database)).state is RefundState.DONE
    assert f"refund-done:{KEY}" not in await letters(database)


class Meanwhile(FakeMidtrans):
    """Another status is settled during the refund call."""

    def __init__(self, till: Till, told: Mapping[str, Any]) -> None:
        super().__init__()
        self.till, self.told = till, told
        self.statuses = till.midtrans.statuses

    async def refund(self, reference: str, **asked: Any) -> dict[str, Any]:
        async with self.till.database.write() as session:
            await payment.settle(Context(session, self.till.shop, self.till.now), ORDER, self.told)
        return await super().refund(reference, **asked)


@pytest.mark.parametrize("answers", [FINE, DUPLICATE], ids=["it goes", "it had gone"])
@pytest.mark.parametrize("elsewhere", [40_000, 100_000], ids=["a part", "all of it"])
async def test_a_refund_of_more_than_is_owed_is_recorded(
    till: Till, database: Database, elsewhere: int, answers: Exception | None
) -> None:
    """Staff refunds in Midtrans' dashboard at the same moment; the ledger must show both."""
    await paid(till, 100_000)
    back = {"refund_key": "by-staff", "refund_amount": f"{elsewhere}.00"}
    midtrans = Meanwhile(till, answer(status="partial_refund", refunds=[back], **WALLET))
    midtrans.wrong = [FINE, answers]
    sender = RefundSender(Transactions(database, till.shop, lambda: till.now), midtrans, lambda: 0.0)  # type: ignore[arg-type]
    await sender.send(await refund_of(database))
    assert await ledger(database) == [IN, ("refunded", "by-staff", -elsewhere), ("refunded", KEY, -100_000)]
    booking, refund = await booking_of(database), await refund_of(database)
    assert (booking.paid_amount, booking.going_back) == (max(0, 50_000 - elsewhere), 0)
    assert (refund.state, refund.due_at) == (RefundState.DONE, None)
    assert any(KEY in key for key in await letters(database, kind="staff")), "more went than was owed"


async def test_two_workers_send_a_refund_once(till: Till, database: Database) -> None:
    await paid(till)
    async with database.write() as session:
        assert [each.key for each in await payment.claim_refunds(session, now=till.now, limit=9)] == [KEY]
    assert await till.work() == 0
    await till.work(leases.LEASE)  # the first one died: its lease is over
    assert await ledger(database) == [IN, OUT]
