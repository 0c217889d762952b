"""Our books beside Midtrans': which differences there are, which orders are asked about, and once a night."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import ORDER, PRICE, answer, book, letters
from sqlalchemy import event, text, update
from workshop import furnish

from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import JobRun, PaymentRequest
from core.payment import reconciliation, reconciliation_run
from core.payment.reconciliation import MAX_SHOWN, Difference, Findings, OrderRecord
from core.payment.reconciliation_run import LEASE, RETRY_AFTER, Run
from core.shop import Shop
from core.states import RequestState

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
GONE_BACK = {"refunds": [{"refund_key": "R-1", "refund_amount": "50000.00"}]}
DOLLARS = {"currency": "USD", "gross_amount": "10.00"}


def ours(left: int | None = 0, state: RequestState = RequestState.OPEN, status: str = "") -> OrderRecord:
    money = {} if left is None else {"t-1": left}
    return OrderRecord(ORDER, PRICE, state, money, {"t-1": status} if status else {})


@pytest.mark.parametrize(
    ("told", "here", "differs"),
    [
        (answer(), ours(None), (0, PRICE)),  # a payment of which no notification came
        (answer(), ours(PRICE), None),
        (answer(), ours(100_000), (100_000, PRICE)),  # another amount, or a refund of ours that Midtrans hasn't got
        (answer(status="capture", fraud_status="accept"), ours(PRICE), None),
        (answer(status="capture", fraud_status="challenge"), ours(None), None),  # nobody has that money yet
        (answer(status="pending"), ours(None), None),
        (answer(status="pending"), ours(PRICE), (PRICE, 0)),  # money that Midtrans hasn't got
        (answer(status="deny"), ours(PRICE), (PRICE, 0)),  # a reversal nobody told us of
        (answer(status="deny"), ours(None), None),  # the page stays open for another attempt
        (answer(status="expire"), ours(None), (0, 0)),  # over, while we wait for the money
        (answer(status="expire"), ours(None, RequestState.EXPIRED), None),
        (answer(status="expire"), ours(None, RequestState.CANCELLED), None),
        (answer(status="refund"), ours(PRICE), (PRICE, 0)),  # all of it went back
        (answer(status="refund"), ours(0), None),
        (answer(status="partial_refund", **GONE_BACK), ours(PRICE), (PRICE, 100_000)),
        (answer(status="partial_refund", **GONE_BACK), ours(100_000), None),
        (answer(status="partial_refund"), ours(PRICE), None),  # how much isn't said
        (answer(status="chargeback"), ours(PRICE), (PRICE, 0)),
        (answer(**DOLLARS), ours(None), None),  # no rupiah: told when it came
        (answer(status="melted"), ours(PRICE), None),  # a word nobody knows
        (None, ours(PRICE), (PRICE, None)),  # money of which Midtrans knows nothing
        (None, ours(0), None),  # it came and went
        (None, ours(None), None),  # no method chosen yet
        (answer("BOOKING-A1-OTHER-1"), ours(PRICE), (PRICE, None)),  # an answer about another order
    ],
)
def test_what_differs(told: dict[str, Any] | None, here: OrderRecord, differs: tuple[int, int | None] | None) -> None:
    found = reconciliation.compare(here, [payment.read_status(told)] if told else [])
    assert [(each.ours, each.theirs) for each in found] == ([differs] if differs else [])


def test_order_is_open_while_an_attempt_can_pay() -> None:
    told = [answer(status="expire"), answer(status="pending", transaction_id="t-2")]
    assert reconciliation.compare(ours(None), map(payment.read_status, told)) == []


def test_asks_about_paid_and_payable_attempts() -> None:
    here = OrderRecord(
        ORDER,
        PRICE,
        RequestState.PAID,
        {"t-1": PRICE},
        {"t-1": "settlement", "t-2": "pending", "t-3": "deny", "t-4": "deny"},
    )
    assert here.other_attempts("t-4") == ["t-1", "t-2"]
    assert here.other_attempts("t-1") == ["t-2"]


def test_only_what_differed_before_and_still_does_was_found() -> None:
    one, other = Difference(ORDER, "t-1", "open", 0, PRICE, "settlement"), Difference(ORDER, "t-2", "open", 0, 1, "")
    assert reconciliation.marked([one], [one], [])[0].mended
    assert not reconciliation.marked([one], [one], [one])[0].mended
    assert reconciliation.marked([one], [], []) == [], "the notification came meanwhile"
    assert reconciliation.marked([], [other], [other]) == [], "the answer was older than what we know"


def test_unmended_differences_are_shown_first() -> None:
    mended = [Difference(f"O-{n}", "t", "open", 0, 1, "settlement", mended=True) for n in range(MAX_SHOWN)]
    left = [Difference("O-left", "t", "paid", 1, None, "404")]
    found = Findings.of(mended) + Findings.of(left)
    assert (found.asked, found.mended, found.left) == (2, MAX_SHOWN, 1)
    assert (len(found.shown), found.shown[0].order_id) == (MAX_SHOWN, "O-left")


async def orders(database: Database, since: datetime, *, after: str = "", limit: int = 100) -> list[str]:
    async with database.read() as session:
        found = await reconciliation.page(session, since=since, after=after, limit=limit)
        return [each.order_id for each in found]


async def test_old_orders_with_open_or_moved_money_are_compared(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    later = now + 10 * DAY
    assert await orders(database, later) == [ORDER], "it is still looked at"
    async with database.write() as session:
        await session.execute(update(PaymentRequest).values(due_at=None, state=RequestState.EXPIRED))
    assert await orders(database, later) == []
    assert await orders(database, now) == [ORDER], "it was made then"
    async with database.write() as session:
        await payment.settle(Context(session, shop, later), ORDER, answer())
    assert await orders(database, later) == [ORDER], "late money"
    assert await orders(database, later + MINUTE) == [], "an answer alone is no news"


async def test_pages_follow_each_other_without_a_gap(database: Database, shop: Shop, now: datetime) -> None:
    await furnish(database, now)
    await _many(database, 25, now)
    seen: list[str] = []
    while page := await orders(database, now, after=seen[-1] if seen else "", limit=10):
        seen += page
    assert seen == [f"O-{number:06}" for number in range(1, 26)]


async def test_a_page_is_found_without_reading_all_of_history(sqlite_url: str, shop: Shop, now: datetime) -> None:
    database = Database(sqlite_url)
    asked: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    await furnish(database, now)
    await _many(database, 5, now)
    event.listen(database.reading_engine.sync_engine, "before_cursor_execute", keep)
    assert len(await orders(database, now)) == 5
    event.remove(database.reading_engine.sync_engine, "before_cursor_execute", keep)
    queries = [each for each in asked if each[0] != "BEGIN"]
    assert len(queries) == 4, "however many orders"
    async with database.reading_engine.connect() as connection:
        for statement, parameters in queries:
            plan = await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
            steps = [row[3] for row in plan]
            growing = ("payment_request", "payment_attempt", "ledger_entry")
            scans = [step for step in steps if step.startswith("SCAN") and step.split()[1] in growing]
            assert [step for step in scans if "ix_payment_request_due_at" not in step] == []
            assert not [step for step in steps if "sqlite_autoindex_payment_request_1 (order_id>?)" in step]
    await database.close()


async def _many(database: Database, count: int, now: datetime) -> None:
    async with database.write() as session:
        await session.execute(
            text(
                "INSERT INTO booking (id, code, customer_id, language, name, phone, car_brand, car_model, car_year,"
                " location, starts_at, ends_at, minutes, status, payment_status, payment_method, subtotal_parts,"
                " subtotal_services, onsite_fee, additional_costs, tax_base, tax_amount, total_price, paid_amount,"
                " holding, created_at, moves) VALUES (1, 'BK-1', 1, 'id', 'Sari', '+62', 'Toyota', 'Avanza', 2018,"
                " 'workshop', :now, :now, 60, 'pending', 'pending', 'transfer', 0, 0, 0, 0, 0, 0, 0, 0, :no, :now, 0)"
            ),
            {"now": now, "no": False},
        )
        session.add_all(
            PaymentRequest(
                order_id=f"O-{number:06}",
                booking_id=1,
                purpose="full",
                amount=1,
                channels=[],
                created_at=now,
                expires_at=now,
            )
            for number in range(1, count + 1)
        )


# --- once a night --------------------------------------------------------------------------------


@pytest.fixture
def half_past_two(shop: Shop, now: datetime) -> datetime:
    return shop.local(now).replace(hour=2, minute=30)


async def claim(database: Database, shop: Shop, now: datetime) -> Run | None:
    async with database.write() as session:
        return await reconciliation_run.claim_run(Context(session, shop, now))


async def finish(database: Database, night: Run, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        await reconciliation_run.finish(Context(session, shop, now), night)


async def test_a_night_is_compared_once_whoever_looks(database: Database, shop: Shop, half_past_two: datetime) -> None:
    night = await claim(database, shop, half_past_two)
    assert night is not None
    assert (night.key, night.since) == ("2026-11-23", half_past_two - 2 * DAY)
    assert await claim(database, shop, half_past_two) is None, "another process has it"
    await finish(database, night, shop, half_past_two)
    assert await claim(database, shop, half_past_two + DAY - MINUTE) is None
    assert (await claim(database, shop, half_past_two + DAY)) is not None


async def test_who_dies_leaves_the_rest_to_the_next(database: Database, shop: Shop, half_past_two: datetime) -> None:
    night = await claim(database, shop, half_past_two)
    assert night is not None
    found = Findings.of([Difference(ORDER, "t-1", "open", 0, PRICE, "settlement", mended=True)], asked=7)
    done = Run(night.key, night.since, ORDER, found)
    async with database.write() as session:
        await reconciliation_run.save_progress(session, done, now=half_past_two)
    assert await claim(database, shop, half_past_two + LEASE - MINUTE) is None
    assert await claim(database, shop, half_past_two + LEASE) == done


async def test_missed_nights_are_made_up(database: Database, shop: Shop, half_past_two: datetime) -> None:
    first = await claim(database, shop, half_past_two)
    assert first is not None
    await finish(database, first, shop, half_past_two)
    back = await claim(database, shop, half_past_two + 6 * DAY)
    assert back is not None
    assert back.since == half_past_two, "from where the last one began"


async def test_unfinished_run_is_part_of_the_next(database: Database, shop: Shop, half_past_two: datetime) -> None:
    night = await claim(database, shop, half_past_two)
    assert night is not None
    found = Findings.of([Difference(ORDER, "t-1", "paid", PRICE, None, "404")])
    night = Run(night.key, night.since, ORDER, found)
    async with database.write() as session:
        await reconciliation_run.save_progress(session, night, now=half_past_two, is_away=True)
    assert await claim(database, shop, half_past_two + RETRY_AFTER - MINUTE) is None
    following = await claim(database, shop, half_past_two + DAY)
    assert following is not None
    assert (following.after, following.findings) == ("", found), "from its beginning, with what was found"
    async with database.read() as session:
        assert await reconciliation_run.away_since(session) == half_past_two


async def test_the_admins_hear_of_differences_alone(database: Database, shop: Shop, half_past_two: datetime) -> None:
    night = await claim(database, shop, half_past_two)
    assert night is not None
    await finish(database, night, shop, half_past_two)
    assert await letters(database) == {}
    found = Findings.of([Difference(ORDER, "t-1", "paid", PRICE, None, "404")], asked=3)
    await finish(database, Run(night.key, night.since, ORDER, found), shop, half_past_two)
    [told] = (await letters(database)).values()
    assert "3 tagihan dicek, 0 sudah dibetulkan, 1 perlu dilihat" in told
    assert f"⚠️ {ORDER}: catatan kita Rp150.000 (paid), Midtrans tidak mengenalnya (404)" in told
    async with database.read() as session:
        assert (await session.get_one(JobRun, (reconciliation_run.NAME, night.key))).finished_at == half_past_two
