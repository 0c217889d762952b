"""Whatever grows is deleted after a time that the owner sets, or kept for a reason."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.db.database import Database
from core.db.personal import Keep
from core.db.tables import (
    Base,
    Booking,
    Contact,
    Conversation,
    Customer,
    JobRun,
    PaymentNotification,
    PaymentRequest,
    StockAlert,
    UnknownOrder,
    Waiting,
)
from core.people import retention
from core.states import PaymentMethod, RequestPurpose, WaitState

OLD, TEN_YEARS = timedelta(days=100), timedelta(days=3660)
BEFORE = {Keep.MESSAGES: timedelta(days=365), Keep.RECORDS: timedelta(days=90), Keep.STRANGERS: timedelta(days=90)}


async def _forget(database: Database, now: datetime) -> None:
    gone = 1
    while gone:
        async with database.write() as session:
            limits = {keep: now - days for keep, days in BEFORE.items()}
            gone = await retention.forget(session, before=limits, emptied=dict, now=now, most=2)


async def _greet(database: Database, number: int, at: datetime, *, seen: datetime | None = None, **who: Any) -> None:
    async with database.write() as session:
        session.add(Customer(id=number, created_at=at, **who))
        await session.flush()
        contact = Contact(id=number, channel="telegram", address=str(number), customer_id=number, created_at=at)
        contact.last_seen_at = seen or at
        session.add(contact)
        await session.flush()
        session.add(Conversation(contact_id=number, state={}, updated_at=seen or at))


async def test_people_who_only_said_hello_are_deleted(stocked: Database, now: datetime) -> None:
    then = now - OLD
    for number in range(1, 6):
        await _greet(stocked, number, then)
    await _greet(stocked, 6, now)  # new
    await _greet(stocked, 7, then, seen=now)  # wrote again
    await _greet(stocked, 8, then, clerk_user="user_1")  # signed in
    async with stocked.write() as session:
        session.add(StockAlert(contact_id=4, part_id="jbl-stage3-607cf", created_at=then))  # waits for a part
        session.add(_waiting(5, then, WaitState.WAITING))  # waits for a place
    await _forget(stocked, now)
    async with stocked.read() as session:
        for column in (Customer.id, Contact.customer_id, Conversation.contact_id):
            assert sorted(await session.scalars(select(column))) == [4, 5, 6, 7, 8]


async def test_runs_of_jobs_and_past_waitlist_entries_go(stocked: Database, now: datetime) -> None:
    await _greet(stocked, 1, now)
    async with stocked.write() as session:
        for key, at in (("old", now - OLD), ("new", now)):
            session.add(JobRun(name="reconciliation", key=key, started_at=at, finished_at=at))
            session.add(_waiting(1, at, WaitState.ENDED))
        session.add(JobRun(name="reconciliation", key="unfinished", started_at=now - OLD))
    await _forget(stocked, now)
    async with stocked.read() as session:
        assert set(await session.scalars(select(JobRun.key))) == {"new", "unfinished"}
        assert (await session.scalars(select(Waiting.starts_at))).all() == [now]


async def test_settled_notifications_go_and_unexplained_money_stays(stocked: Database, now: datetime) -> None:
    then = now - OLD
    await _greet(stocked, 1, then)
    async with stocked.write() as session:
        session.add(_booking(1, then))
        await session.flush()
        session.add(_request("A", then))
        await session.flush()
        session.add_all(
            [
                _notification("A", "settled", then),
                _notification("A", "settled lately", now),
                _notification("A", "not asked yet", then, due_at=then),
                _notification("B", "of an order that nobody has explained", then),
                _notification("C", "of an order that was explained", then),
                _notification("SUBS-1", "without an effect", then),
                _unknown("B", then),
                _unknown("C", then, explained_at=then),
                _unknown("D", then, explained_at=now - TEN_YEARS),
            ]
        )
    await _forget(stocked, now)
    async with stocked.read() as session:
        left = set(await session.scalars(select(PaymentNotification.digest)))
        assert left == {"settled lately", "not asked yet", "of an order that nobody has explained"}
        assert set(await session.scalars(select(UnknownOrder.order_id))) == {"B", "C"}, "it is money: ten years by law"
        assert (await session.scalars(select(Customer.id))).all() == [1], "who has booked is no stranger"


def test_operations_say_of_every_table_how_long_it_is_kept() -> None:
    words = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    kept = words.partition("### What is kept, and how long")[2]
    assert [table.name for table in Base.metadata.sorted_tables if f"`{table.name}`" not in kept] == []


def _booking(customer: int, at: datetime) -> Booking:
    car = {"car_brand": "Toyota", "car_model": "Avanza", "car_year": 2018}
    when = {"starts_at": at, "ends_at": at, "minutes": 60, "created_at": at}
    pay = {"payment_method": PaymentMethod.TRANSFER, "total_price": 1, "subtotal_services": 1}
    return Booking(id=1, code="BK-1", customer_id=customer, name="Sari", phone="+62811", **car, **when, **pay)


def _request(order_id: str, at: datetime) -> PaymentRequest:
    return PaymentRequest(
        order_id=order_id,
        booking_id=1,
        purpose=RequestPurpose.FULL,
        amount=1,
        channels=[],
        created_at=at,
        expires_at=at,
    )


def _notification(order_id: str, digest: str, at: datetime, *, due_at: datetime | None = None) -> PaymentNotification:
    return PaymentNotification(order_id=order_id, digest=digest, body={}, received_at=at, due_at=due_at)


def _unknown(order_id: str, at: datetime, *, explained_at: datetime | None = None) -> UnknownOrder:
    explanation = "Pak Joko" if explained_at else None
    return UnknownOrder(
        order_id=order_id,
        transaction_id="t",
        status="settlement",
        amount=1,
        answer={},
        found_at=at,
        explanation=explanation,
        explained_at=explained_at,
    )


def _waiting(customer: int, at: datetime, state: WaitState) -> Waiting:
    code = f"BK-{customer}{at:%m%d}"
    return Waiting(booking_code=code, customer_id=customer, starts_at=at, order={}, state=state, created_at=at)
