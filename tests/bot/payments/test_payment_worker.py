"""The payment worker makes each link once, confirms notifications and ends requests, whatever Midtrans does."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CHAT, CODE, ORDER, PRICE, answer, book, booking_of, letters, request_of
from sqlalchemy import select
from waiting import until

from bot.payments.midtrans_client import MidtransRefused, MidtransTrouble, SnapLink
from bot.payments.payment_worker import PaymentWorker
from bot.transactions import Transactions
from core import payment
from core.context import Context
from core.db import leases
from core.db.database import Database
from core.db.tables import PaymentNotification
from core.payment import notifications, payment_links
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, RequestState

MINUTE = timedelta(minutes=1)
USED = MidtransRefused(400, ["transaction_details.order_id sudah digunakan"])
WRONG_KEY = MidtransRefused(401, ["Access denied"])
CHOSEN = MidtransRefused(400, ["Transaction is in progress"])
OK = None
"""In `FakeMidtrans.wrong`: a call without an error."""
OTHER_ORDER = "BOOKING-A1-BK000002-1"
SECOND_ORDER = "BOOKING-A1-BK000001-2"


class FakeMidtrans:
    """Records its calls; raises `wrong` in turn."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.wrong: list[Exception | None] = []
        self.slow: dict[str, asyncio.Event] = {}
        """The orders whose links have to wait for an event."""
        self.statuses: dict[str, dict[str, Any]] = {}
        """By any name; the newest of an order last, since its status is that one's."""

    async def create(self, body: Mapping[str, Any]) -> SnapLink:
        order_id = body["transaction_details"]["order_id"]
        self.bodies.append(body)
        self._answer("create", order_id)
        if order_id in self.slow:
            await self.slow[order_id].wait()
        return SnapLink(f"tok-{order_id}", f"https://pay.example/{order_id}")

    async def status(self, reference: str) -> dict[str, Any] | None:
        self._answer("status", reference)
        return self._found(reference)

    async def cancel_link(self, token: str) -> None:
        self._answer("cancel_link", token)

    async def cancel(self, reference: str) -> dict[str, Any]:
        self._answer("cancel", reference)
        found = self._found(reference)
        assert found
        found["transaction_status"] = "cancel"
        return dict(found)

    async def refund(self, reference: str, *, refund_key: str, amount: int, reason: str) -> dict[str, Any]:
        self._answer("refund", refund_key)
        self.bodies.append({"refund_key": refund_key, "amount": amount, "reason": reason})
        return {"status_code": "200", "refund_key": refund_key, "refund_amount": f"{amount}.00"}

    def _found(self, reference: str) -> dict[str, Any] | None:
        found = [each for each in self.statuses.values() if reference in (each["order_id"], each["transaction_id"])]
        return found[-1] if found else None

    def _answer(self, what: str, about: str) -> None:
        self.asked.append((what, about))
        if self.wrong and (wrong := self.wrong.pop(0)) is not OK:
            raise wrong


class Till:
    """A payment worker with its Midtrans, clock and database."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.shop, self.now = database, shop, now
        self.midtrans = FakeMidtrans()
        self.woken = 0
        self.worker = PaymentWorker(
            Transactions(database, shop, lambda: self.now),
            self.midtrans,  # type: ignore[arg-type]
            finish_url="https://shop.example/paid",
            chance=lambda: 0.0,
            wake_dispatch=self._wake,
        )

    async def work(self, after: timedelta = timedelta()) -> int:
        self.now += after
        return await self.worker.run_once()

    async def book(self, **asked: Any) -> None:
        await book(self.database, self.shop, self.now, **asked)

    async def notify(self, order_id: str = ORDER, status: str = "settlement", **more: Any) -> None:
        async with self.database.write() as session:
            await payment.store_notification(session, answer(order_id, status, **more), now=self.now)

    async def ask(self, percent: int | None) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await payment.request(Context(session, self.shop, self.now), booking, percent=percent)

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def till(database: Database, shop: Shop, now: datetime) -> Till:
    return Till(database, shop, now)


async def test_a_link_is_made_once_and_sent(till: Till, database: Database) -> None:
    await till.book()
    assert await till.work() == 1
    assert await till.work(MINUTE) == 0
    request = await request_of(database)
    assert (request.state, request.url) == (RequestState.OPEN, f"https://pay.example/{ORDER}")
    assert till.midtrans.asked == [("create", ORDER)]
    assert list(await letters(database)) == [f"link:{ORDER}"]
    assert till.woken == 1


async def test_a_failed_link_is_retried_with_the_same_order_id(till: Till, database: Database) -> None:
    await till.book()
    till.midtrans.wrong = [MidtransTrouble("ReadTimeout"), MidtransTrouble("HTTP 502")]
    for _ in range(3):
        await till.work(MINUTE)
    assert till.midtrans.asked == 3 * [("create", ORDER)]
    assert (await booking_of(database)).holding
    assert list(await letters(database, channel=CHAT[0], address=CHAT[1])) == [f"link-late:{ORDER}", f"link:{ORDER}"]
    # The page ends with the hold, however late it came.
    assert till.midtrans.bodies[-1]["page_expiry"] == {"unit": "minutes", "duration": 57}


async def test_a_used_order_id_is_replaced_by_the_next(till: Till, database: Database) -> None:
    await till.book()
    till.midtrans.wrong = [USED]
    await till.work()
    await till.work()
    assert till.midtrans.asked == [("create", ORDER), ("create", SECOND_ORDER)]
    assert list(await letters(database)) == [f"link:{SECOND_ORDER}"]


async def test_a_rejected_link_is_reported_to_staff(till: Till, database: Database) -> None:
    await till.book()
    till.midtrans.wrong = [WRONG_KEY]
    await till.work()
    assert any("link-refused" in key for key in await letters(database, kind="staff"))
    await till.work(MINUTE)
    assert f"link:{ORDER}" in await letters(database)


async def test_a_request_without_a_link_expires(till: Till, database: Database) -> None:
    await till.book()
    till.midtrans.wrong = [MidtransTrouble("ReadTimeout")]
    await till.work()
    await till.work(till.shop.hold)
    assert (await request_of(database)).state is RequestState.EXPIRED
    assert not (await booking_of(database)).holding


async def test_a_notification_is_confirmed_by_a_status_call(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    await till.notify()
    till.midtrans.statuses[ORDER] = answer()
    await till.work()
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED
    assert await till.work(MINUTE) == 0


async def test_a_notification_with_an_altered_status_is_ignored(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    await till.notify(status="settlement")
    till.midtrans.statuses[ORDER] = answer(status="pending")
    await till.work()
    booking = await booking_of(database)
    assert (booking.status, booking.paid_amount) == (BookingStatus.PENDING, 0)
    came = till.now
    while till.now <= came + notifications.MAX_STATUS_DELAY:
        await till.work(MINUTE)
    assert (await booking_of(database)).paid_amount == 0
    async with database.read() as session:
        assert (await session.scalars(select(PaymentNotification.due_at))).all() == [None], "believed no longer"


@pytest.mark.parametrize("said", [answer(status="pending"), None], ids=["pending", "no attempt yet"])
async def test_a_status_behind_its_notification_is_polled(
    till: Till, database: Database, said: dict[str, Any] | None
) -> None:
    await till.book()
    await till.work()
    await till.notify()
    till.midtrans.statuses = {ORDER: said} if said else {}
    await till.work()
    assert (await booking_of(database)).paid_amount == 0
    till.midtrans.statuses[ORDER] = answer()
    await till.work(timedelta(seconds=2))
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED
    assert await till.work(MINUTE) == 0


async def test_a_clock_set_back_loses_no_notification(till: Till, database: Database) -> None:
    """Or the clock of another process, a little behind."""
    await till.book()
    await till.work()
    till.midtrans.statuses[ORDER] = answer(status="pending")
    await till.notify(status="pending")
    await till.work()
    till.midtrans.statuses[ORDER] = answer()
    await till.work(-timedelta(seconds=1))
    await till.notify()
    await till.work()
    assert (await booking_of(database)).paid_amount == 0, "older than what is known"
    await till.work(timedelta(seconds=2))
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


@pytest.mark.parametrize("wrong", [MidtransTrouble("ReadTimeout"), WRONG_KEY], ids=["no answer", "wrong key"])
async def test_a_failed_status_call_is_retried(till: Till, database: Database, wrong: Exception) -> None:
    await till.book()
    await till.work()
    await till.notify()
    till.midtrans.statuses[ORDER] = answer()
    till.midtrans.wrong = [wrong]
    await till.work()
    assert (await booking_of(database)).status is BookingStatus.PENDING
    await till.work(MINUTE)
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


BUSY = MidtransTrouble("status 429", timedelta(minutes=10))
ALMOST = timedelta(minutes=9)


async def test_retry_after_is_respected(till: Till, database: Database) -> None:
    await till.book()
    till.midtrans.wrong = [BUSY]
    await till.work()
    assert await till.work(ALMOST) == 0, "the link"
    await till.work(MINUTE)
    await till.notify()
    till.midtrans.statuses[ORDER] = answer(status="pending")
    till.midtrans.wrong = [BUSY]
    await till.work()
    assert await till.work(ALMOST) == 0, "the status that confirms"
    await till.work(MINUTE)
    till.midtrans.wrong = [BUSY]
    await till.work(till.shop.hold)
    assert await till.work(ALMOST) == 0, "the last look"
    assert await till.work(MINUTE) == 1


async def test_an_older_transaction_that_settles_late_is_found(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    till.midtrans.statuses |= {"older": answer(), "newer": answer(status="pending", transaction_id="t-2")}
    await till.notify()
    await till.work()
    assert till.midtrans.asked[1:] == [("status", ORDER), ("status", "t-1")]
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED
    till.midtrans.statuses["newer"] = answer(transaction_id="t-2")
    await till.work(
        payment_links.POLL_INTERVAL
    )  # paid a second time: the link isn't polled any more, but Midtrans notifies
    await till.notify(status="settlement", transaction_id="t-2")
    await till.work()
    assert (await booking_of(database)).paid_amount == 2 * PRICE
    assert any(key == "overpaid:t-2" for key in await letters(database))


async def test_a_notification_of_another_order_is_an_alert(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    till.midtrans.statuses |= {
        "ours": answer(status="pending"),
        "theirs": answer("BOOKING-A1-BK999999-1", transaction_id="t-9"),
    }
    await till.notify(transaction_id="t-9")
    await till.work()
    assert (await booking_of(database)).paid_amount == 0
    assert any("wrong-order" in key for key in await letters(database, kind="staff"))


async def test_many_notifications_need_one_status_call(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    for _ in range(5):
        await till.notify(status="pending")
        await till.notify()
    till.midtrans.statuses[ORDER] = answer()
    assert await till.work() == 1
    assert till.midtrans.asked[1:] == [("status", ORDER)]


async def test_a_page_nobody_opened_expires(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    await till.work(till.shop.hold - MINUTE)
    assert (await request_of(database)).state is RequestState.OPEN
    await till.work(MINUTE)
    assert till.midtrans.asked == [("create", ORDER), ("status", ORDER), ("status", ORDER)]
    assert (await request_of(database)).state is RequestState.EXPIRED
    assert f"ended:{ORDER}" in await letters(database)


async def test_a_payment_without_a_notification_is_found(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    till.midtrans.statuses[ORDER] = answer()
    assert await till.work(payment_links.POLL_INTERVAL - MINUTE) == 0
    await till.work(MINUTE)
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


async def test_the_last_status_call_is_retried(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    till.midtrans.statuses[ORDER] = answer()
    till.midtrans.wrong = [MidtransTrouble("ReadTimeout")]
    await till.work(till.shop.hold)
    assert (await request_of(database)).state is RequestState.OPEN
    await till.work(MINUTE)
    assert (await booking_of(database)).status is BookingStatus.CONFIRMED


async def test_a_withdrawn_link_is_closed_at_midtrans(till: Till, database: Database) -> None:
    await till.book()
    await till.work()
    await till.ask(30)
    till.midtrans.asked.clear()
    await till.work()
    assert sorted(till.midtrans.asked) == [("cancel_link", f"tok-{ORDER}"), ("create", SECOND_ORDER)]
    assert (await request_of(database)).due_at is None


@pytest.mark.parametrize(
    ("wrong", "asked"),
    [
        pytest.param([CHOSEN], ["cancel_link", "status", "cancel"], id="a method was chosen: cancel what is pending"),
        pytest.param(
            [CHOSEN, OK, WRONG_KEY], ["cancel_link", "status", "cancel"], id="ended in the same moment: nothing to do"
        ),
        pytest.param([MidtransTrouble("x")], ["cancel_link", "cancel_link"], id="no answer: retry"),
        pytest.param(
            [CHOSEN, MidtransTrouble("x")],
            ["cancel_link", "status", "cancel_link"],
            id="no answer to the second call: retry",
        ),
        pytest.param(
            [CHOSEN, OK, MidtransTrouble("x")],
            ["cancel_link", "status", "cancel", "cancel_link"],
            id="no answer to the third call: retry",
        ),
    ],
)
async def test_closing_a_link_is_retried(
    till: Till, database: Database, wrong: list[Exception | None], asked: list[str]
) -> None:
    await till.book()
    await till.work()
    till.midtrans.statuses[ORDER] = answer(status="pending")
    async with database.write() as session:
        await payment.withdraw_requests(Context(session, till.shop, till.now), await bookings.load(session, code=CODE))
    till.midtrans.asked.clear()
    till.midtrans.wrong = list(wrong)  # the same list serves both databases
    await till.work()
    await till.work(MINUTE)
    assert [what for what, _ in till.midtrans.asked] == asked
    assert (await request_of(database)).due_at is None


async def test_a_slow_call_holds_up_no_other_order(till: Till, database: Database) -> None:
    till.midtrans.slow[ORDER] = asyncio.Event()
    await till.book()
    working = asyncio.create_task(till.worker.run())
    while not till.midtrans.asked:  # noqa: ASYNC110 the worker ends it
        await asyncio.sleep(0)
    await till.book(code="BK-000002")
    till.worker.wake()

    async def is_there() -> bool:
        return f"link:{OTHER_ORDER}" in await letters(database)

    await until(is_there)
    assert f"link:{ORDER}" not in await letters(database)
    till.worker.stop()
    till.midtrans.slow[ORDER].set()
    await working
    assert f"link:{ORDER}" in await letters(database), "what is under way is ended when the server stops"


async def test_a_bug_in_one_order_affects_no_other(
    till: Till, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await till.book()
    await till.book(code="BK-000002")
    till.midtrans.wrong = [ZeroDivisionError()]
    await till.work()
    assert "a bug" in caplog.text
    assert len(await letters(database)) == 1
    await till.work(leases.LEASE)
    assert len(await letters(database)) == 2
