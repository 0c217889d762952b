"""The nightly comparison with Midtrans corrects what it can, and reports the rest, once."""

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paying import CODE, ORDER, PRICE, answer, book, booking_of, letters, request_of
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import select
from test_payment_worker import FakeMidtrans, Till

from bot.__main__ import main
from bot.payments.midtrans_client import MidtransRefused, MidtransTrouble
from bot.payments.reconciliation_worker import MAX_CALLS, Reconciler
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db.database import Database, upgrade
from core.db.tables import JobRun, LedgerEntry, PaymentRequest
from core.payment import payment_links
from core.payment.reconciliation_run import RETRY_AFTER
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, PaymentStatus, RequestState
from core.upkeep import alarms

CONFIG = str(Path(__file__).parents[3] / "config.yaml")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
AWAY = MidtransTrouble("ReadTimeout")
WRONG_KEY = MidtransRefused(401, ["Access denied"])
BAD_ORDER = MidtransRefused(400, ["order_id is not valid"])


class Desk(Till):
    """A till with a reconciler."""

    def __init__(self, database: Database, shop: Shop, now: datetime, midtrans: FakeMidtrans | None = None) -> None:
        super().__init__(database, shop, now)
        self.midtrans = midtrans or self.midtrans
        self.reconciler = Reconciler(
            Transactions(database, shop, lambda: self.now),
            self.midtrans,  # type: ignore[arg-type]
            wake=self._wake,
            per_second=math.inf,
        )

    async def night(self, after: timedelta = timedelta()) -> None:
        self.now += after
        self.midtrans.asked.clear()
        await self.reconciler.nightly()

    async def linked(self, **asked: Any) -> None:
        await self.book(**asked)
        await self.work()

    async def told(self) -> str:
        found = await letters(self.database, kind="staff")
        return "\n".join(letter for key, letter in found.items() if "reconciled:" in key)

    async def settle(self, told: Mapping[str, Any]) -> None:
        async with self.database.write() as session:
            await payment.settle(Context(session, self.shop, self.now), told["order_id"], told)

    async def entries(self) -> list[tuple[str, int]]:
        async with self.database.read() as session:
            rows = await session.execute(select(LedgerEntry.kind, LedgerEntry.amount).order_by(LedgerEntry.id))
            return [(kind, amount) for kind, amount in rows]


@pytest.fixture
def desk(database: Database, shop: Shop, now: datetime) -> Desk:
    return Desk(database, shop, now)


async def test_a_lost_payment_is_found_and_reported_once(desk: Desk) -> None:
    await desk.linked()
    desk.midtrans.statuses[ORDER] = answer()
    await desk.night()
    assert (await booking_of(desk.database)).status is BookingStatus.CONFIRMED
    assert await desk.entries() == [("received", PRICE)]
    assert "1 tagihan dicek, 1 sudah dibetulkan, 0 perlu dilihat" in await desk.told()
    assert f"✓ {ORDER}: tadinya Rp0 (open), sekarang sama dengan Midtrans, Rp150.000 (settlement)" in await desk.told()
    told = await desk.told()
    await desk.night(MINUTE)
    assert desk.midtrans.asked == [], "it is done for this night"
    await desk.night(DAY)
    assert desk.midtrans.asked == [("status", ORDER)]
    assert await desk.told() == told


@pytest.mark.parametrize(
    ("told", "entries", "state"),
    [
        ({"status": "refund"}, [PRICE, -PRICE], RequestState.PAID),
        ({"status": "chargeback", "payment_type": "credit_card"}, [PRICE, -PRICE], RequestState.PAID),
        ({"status": "deny"}, [PRICE, -PRICE], RequestState.FAILED),
    ],
    ids=["refunded in the dashboard", "charged back", "reversed"],
)
async def test_money_that_went_back_is_deducted(
    desk: Desk, told: dict[str, Any], entries: list[int], state: RequestState
) -> None:
    await desk.linked()
    await desk.settle(answer())
    desk.midtrans.statuses[ORDER] = answer(**told)
    await desk.night(MINUTE)
    assert [amount for _, amount in await desk.entries()] == entries
    assert (await request_of(desk.database)).state is state
    assert "1 sudah dibetulkan" in await desk.told()


async def test_a_request_that_expired_at_midtrans_is_ended(desk: Desk) -> None:
    await desk.linked()
    desk.midtrans.statuses[ORDER] = answer(status="expire")
    await desk.night()
    assert (await request_of(desk.database)).state is RequestState.EXPIRED
    assert (await booking_of(desk.database)).payment_status is PaymentStatus.FAILED
    assert "1 sudah dibetulkan" in await desk.told()


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (None, "catatan kita Rp150.000 (paid), Midtrans tidak mengenalnya (404)"),
        (answer(amount=100_000), "catatan kita Rp150.000 (paid), Midtrans Rp100.000 (settlement)"),
        (answer(amount=200_000), "catatan kita Rp150.000 (paid), Midtrans Rp200.000 (settlement)"),
    ],
    ids=["unknown", "less", "more"],
)
async def test_a_lasting_difference_is_reported_and_left(desk: Desk, theirs: dict[str, Any] | None, said: str) -> None:
    await desk.linked()
    await desk.settle(answer())
    if theirs:
        desk.midtrans.statuses[ORDER] = theirs
    await desk.night(MINUTE)
    assert await desk.entries() == [("received", PRICE)]
    assert f"⚠️ {ORDER}: {said}" in await desk.told()


async def test_a_refund_unknown_to_midtrans_is_reported(desk: Desk) -> None:
    await desk.linked()
    await desk.settle(answer(payment_type="gopay"))
    gone = {"refunds": [{"refund_key": "REFUND-A1-BK000001-1", "refund_amount": "150000.00"}]}
    await desk.settle(answer(status="refund", payment_type="gopay", **gone))
    desk.midtrans.statuses[ORDER] = answer(payment_type="gopay")
    await desk.night(MINUTE)
    assert "catatan kita Rp0 (paid), Midtrans Rp150.000 (settlement)" in await desk.told()
    assert await desk.entries() == [("received", PRICE), ("refunded", -PRICE)]


async def test_a_transfer_by_hand_is_no_difference(desk: Desk) -> None:
    await desk.linked()
    await desk.settle(answer())
    async with desk.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        [owed] = await payment.refund(Context(session, desk.shop, desk.now), booking, PRICE, reason="late")
        await payment.record_transfer(Context(session, desk.shop, desk.now), owed.key, by="Ibu Rina")
    desk.midtrans.statuses[ORDER] = answer()
    await desk.night(MINUTE)
    assert desk.midtrans.asked == [("status", ORDER)]
    assert await desk.told() == ""


async def test_no_difference_is_not_reported(desk: Desk) -> None:
    await desk.linked()
    await desk.settle(answer())
    desk.midtrans.statuses[ORDER] = answer()
    before = await letters(desk.database)
    await desk.night(MINUTE)
    assert await letters(desk.database) == before


async def test_an_older_transaction_that_was_paid_is_found(desk: Desk) -> None:
    await desk.linked()
    await desk.settle(answer(status="pending"))
    desk.midtrans.statuses["first"] = answer()
    desk.midtrans.statuses["second"] = answer(status="deny", transaction_id="t-2")
    await desk.night(MINUTE)
    assert desk.midtrans.asked == [("status", ORDER), ("status", "t-1")]
    assert await desk.entries() == [("received", PRICE)]


async def several(desk: Desk, count: int) -> list[str]:
    """Paid orders without a notification."""
    await desk.linked()
    async with desk.database.write() as session:
        session.add_all(
            PaymentRequest(
                order_id=f"BOOKING-A1-BK000001-{number}",
                booking_id=1,
                purpose="full",
                amount=PRICE,
                channels=[],
                state=RequestState.EXPIRED,
                created_at=desk.now,
                expires_at=desk.now,
            )
            for number in range(2, count + 1)
        )
    orders = [f"BOOKING-A1-BK000001-{number}" for number in range(1, count + 1)]
    for order in orders:
        desk.midtrans.statuses[order] = answer(order, transaction_id=f"t-{order}")
    return orders


async def test_the_comparison_continues_after_an_outage(desk: Desk) -> None:
    orders = await several(desk, 6)
    desk.midtrans.wrong = [None, None, None, *[AWAY] * 4]  # nor does it speak of the first again
    await desk.night()
    assert len(await desk.entries()) == 3
    assert await desk.told() == "", "told in one message, at the end"
    await desk.night(RETRY_AFTER - MINUTE)
    assert desk.midtrans.asked == [], "it is left alone for a while"
    await desk.night(MINUTE)
    assert [order for _, order in desk.midtrans.asked] == orders[3:]
    assert "6 tagihan dicek, 6 sudah dibetulkan" in await desk.told()


async def test_a_comparison_that_waits_raises_an_alarm(desk: Desk) -> None:
    await desk.linked()
    desk.midtrans.wrong = [WRONG_KEY, AWAY, AWAY]
    names = []
    for _ in range(4):
        await desk.night(RETRY_AFTER)
        async with desk.database.write() as session:
            names.append(await alarms.watch(Context(session, desk.shop, desk.now), channels=()))
    assert [each for each in names if each != ([], [])] == [(["reconciliation"], []), ([], ["reconciliation"])]


async def test_a_rejected_order_holds_up_no_other(desk: Desk) -> None:
    await several(desk, 2)
    desk.midtrans.wrong = [BAD_ORDER]
    await desk.night()
    assert len(await desk.entries()) == 1
    assert "2 tagihan dicek, 1 sudah dibetulkan, 1 perlu dilihat" in await desk.told()


class Mute(FakeMidtrans):
    """Always fails for some orders."""

    def __init__(self, known: FakeMidtrans, *mute: str) -> None:
        super().__init__()
        self.statuses = known.statuses
        self._mute = mute

    async def status(self, reference: str) -> dict[str, Any] | None:
        if reference in self._mute:
            self.asked.append(("status", reference))
            raise MidtransTrouble("status 500")
        return await super().status(reference)


@pytest.mark.parametrize("mute", [[0], [1], [2], [0, 1], [1, 2]])
async def test_an_order_that_always_fails_holds_up_no_other(desk: Desk, mute: list[int]) -> None:
    orders = await several(desk, 3)
    troubled = [orders[each] for each in mute]
    await Desk(desk.database, desk.shop, desk.now, Mute(desk.midtrans, *troubled)).night()
    told = await desk.told()
    assert len(await desk.entries()) == 3 - len(mute)
    assert f"3 tagihan dicek, {3 - len(mute)} sudah dibetulkan, {len(mute)} perlu dilihat" in told
    assert all(f"⚠️ {order}" in told for order in troubled)


async def test_an_order_that_failed_before_holds_up_no_other(desk: Desk) -> None:
    """Midtrans was away before the last two, and later fails for them only."""
    orders = await several(desk, 4)
    desk.midtrans = mute = Mute(desk.midtrans, *orders[2:])
    mute.wrong = [None, None, AWAY]
    night = Desk(desk.database, desk.shop, desk.now, mute)
    await night.night()
    assert await desk.told() == "", "the first isn't spoken of now: it may be away"
    await night.night(RETRY_AFTER)
    assert "4 tagihan dicek, 2 sudah dibetulkan, 2 perlu dilihat" in await desk.told()


async def test_a_single_failure_is_retried_at_once(desk: Desk) -> None:
    await several(desk, 3)
    desk.midtrans.wrong = [None, AWAY]
    await desk.night()
    assert "3 tagihan dicek, 3 sudah dibetulkan" in await desk.told()


async def test_calls_stop_after_some_failures_in_a_row(desk: Desk) -> None:
    await several(desk, 5 * MAX_CALLS)
    desk.midtrans.wrong = [AWAY] * MAX_CALLS
    await desk.night()
    assert len(desk.midtrans.asked) == MAX_CALLS


async def test_two_processes_compare_a_night_once(desk: Desk) -> None:
    await several(desk, 3)
    other = Desk(desk.database, desk.shop, desk.now, desk.midtrans)
    desk.midtrans.asked.clear()
    await asyncio.gather(desk.reconciler.nightly(), other.reconciler.nightly())
    assert len(desk.midtrans.asked) == 3
    async with desk.database.read() as session:
        assert len((await session.scalars(select(JobRun))).all()) == 1


async def test_calls_at_a_time_are_limited(desk: Desk) -> None:
    await several(desk, 3 * MAX_CALLS)
    desk.midtrans = crowd = Crowd(desk.midtrans)
    await Desk(desk.database, desk.shop, desk.now, crowd).night()
    assert crowd.most == MAX_CALLS


class Crowd(FakeMidtrans):
    """Counts the calls at a time; each waits a while for others."""

    def __init__(self, known: FakeMidtrans) -> None:
        super().__init__()
        self.statuses = known.statuses
        self.most = self.now_here = 0

    async def status(self, reference: str) -> dict[str, Any] | None:
        self.now_here += 1
        for _ in range(20):
            await asyncio.sleep(0)
        self.most = max(self.most, self.now_here)
        self.now_here -= 1
        return await super().status(reference)


async def test_expired_pages_and_lost_payments_need_no_night(desk: Desk, shop: Shop) -> None:
    """Expired pages bring no notification, and open links are polled for lost ones."""
    await desk.linked()
    await desk.book(code="BK-000002", starts_at=desk.now + DAY + timedelta(hours=4))
    await desk.work()
    lost = "BOOKING-A1-BK000002-1"
    desk.midtrans.statuses[lost] = answer(lost, transaction_id="t-2")
    await desk.work(payment_links.POLL_INTERVAL)
    assert (await request_of(desk.database, lost)).state is RequestState.PAID
    await desk.work(shop.hold)
    assert (await request_of(desk.database)).state is RequestState.EXPIRED


def test_the_command_needs_a_server_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reconcile", "--config", CONFIG]) == 1
    assert "BENGKEL_MIDTRANS__SERVER_KEY" in capsys.readouterr().err


def test_the_command_fails_while_midtrans_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENGKEL_MIDTRANS__SERVER_KEY", "SB-Mid-server-test")
    monkeypatch.setenv("BENGKEL_MIDTRANS__API_URL", "http://127.0.0.1:9")
    (tmp_path / "data").mkdir()
    assert main(["reconcile", "--config", CONFIG]) == 0
    assert "0 tagihan dicek dengan Midtrans, semuanya cocok" in capsys.readouterr().out
    asyncio.run(_book_once())
    assert main(["reconcile", "--config", CONFIG, "--language", "en", "--days", "3650"]) == 1
    said = capsys.readouterr()
    assert "0 requests compared" in said.out
    assert "Midtrans doesn't answer" in said.err


async def _book_once() -> None:
    database = Database("sqlite+aiosqlite:///data/bengkel.db")
    await upgrade(database)
    await book(database, make_shop(), MONDAY_8_AM)
    await database.close()
