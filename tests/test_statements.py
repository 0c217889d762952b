"""Statements of the hot paths: their number, and no full scan of a growing table."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from shops import make_shop
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversations.engine import Engine
from conversations.incoming import Incoming
from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, BookingLine, Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say
from core.people import contacts
from core.pricing import trust
from core.schedule import availability, bookings
from core.shop import Shop
from core.states import PaymentMethod
from core.upkeep import delivery_reports
from core.upkeep.delivery_reports import Report

GROWING = (
    "booking|booking_event|booking_line|contact|conversation|customer|inbound|ledger_entry|outbox"
    "|payment_attempt|payment_notification|payment_request|refund"
)
HELLO = message(say("notice.see_you"))


async def test_a_plain_turn_is_five_statements(stocked: Database, shop: Shop, now: datetime) -> None:
    engine = Engine()
    await _turn(stocked, engine, "halo", now)
    with _statements(stocked) as asked:
        await _turn(stocked, engine, "menu", now)
    assert [_what(statement) for statement, _ in asked] == [
        "INSERT inbound",  # deduplication
        "SELECT catalogue_version",  # whether the cached catalogue is current
        "SELECT contact",  # with its customer and its conversation, locked
        "UPDATE conversation",
        "INSERT outbox",  # the reply, already claimed
    ]


async def test_a_contact_is_written_at_most_once_a_minute(stocked: Database, shop: Shop, now: datetime) -> None:
    engine = Engine()
    await _turn(stocked, engine, "halo", now)
    with _statements(stocked) as asked:
        await _turn(stocked, engine, "menu", now + timedelta(seconds=59))
        await _turn(stocked, engine, "menu", now + timedelta(seconds=60))
    assert [_what(statement) for statement, _ in asked].count("UPDATE contact") == 1


async def test_a_long_history_adds_no_statements(stocked: Database, shop: Shop, now: datetime) -> None:
    engine = Engine()
    await _turn(stocked, engine, "halo", now)
    counts = []
    for bookings_so_far in (1, 30):
        await _have_booked(stocked, bookings_so_far, now)
        await _turn(stocked, engine, "menu", now + timedelta(seconds=bookings_so_far - 1))  # the same screen each time
        with _statements(stocked) as asked:
            await _turn(stocked, engine, "booking saya", now + timedelta(seconds=bookings_so_far))
        counts.append(len(asked))
    assert counts[0] == counts[1]


Hot = Callable[[AsyncSession, Shop, datetime], Awaitable[object]]
HOT: dict[str, Hot] = {
    "the contact of a message": lambda session, _, now: contacts.find_or_create(
        session, "telegram", "1", phone="+6281234567890", language="id", now=now
    ),
    "whether a message is new": lambda session, _, now: contacts.record_inbound(session, "telegram", "e1", "1", now),
    "the reply": lambda session, shop, now: outbox.reply(
        Context(session, shop, now), key="k", channel="telegram", address="1", language="id", message=HELLO
    ),
    "messages due": lambda session, _, now: outbox_claims.claim(session, now=now, limit=32, channels=["telegram"]),
    "a delivery report": lambda session, shop, now: delivery_reports.record(
        Context(session, shop, now), Report("SM1", "read", message=1), channels=[]
    ),
    "delivery reports noted at once": lambda session, _, __: delivery_reports.record_steps(
        session, [Report("SM1", "read", message=1)]
    ),
    "messages sent": lambda session, _, now: outbox_claims.sent(session, [(Outbox(id=1, attempts=1), "SM1")], now=now),
    "a delivery report without a number": lambda session, shop, now: delivery_reports.record(
        Context(session, shop, now), Report("SM1", "read"), channels=[]
    ),
    "requests due": lambda session, _, now: payment.claim_requests(session, now=now, limit=16),
    "notifications due": lambda session, _, now: payment.claim_notifications(session, now=now, limit=16),
    "other attempts of an order": lambda session, _, now: payment.other_attempts(session, "B", None),
    "refunds due": lambda session, _, now: payment.claim_refunds(session, now=now, limit=16),
    "holds that ended": lambda session, shop, now: bookings.release_ended_holds(Context(session, shop, now)),
    "a customer's bookings": lambda session, _, now: bookings.of_customer(session, 1),
    "no-shows of a customer": lambda session, _, __: trust.count_no_shows(session, 1),
    "the slots of a day": lambda session, shop, now: availability.slots_of_day(
        Context(session, shop, now), shop.local(now).date(), technician_id="andi"
    ),
    "free technicians": lambda session, shop, now: availability.free_technicians(
        Context(session, shop, now), now + timedelta(hours=3), 60, skills=frozenset()
    ),
}


@pytest.mark.parametrize("asks", HOT.values(), ids=HOT)
async def test_no_hot_query_scans_a_growing_table(sqlite_url: str, shop: Shop, now: datetime, asks: Hot) -> None:
    """By SQLite's plans: PostgreSQL has the same indexes, but scans small tables."""
    assert await _scans(sqlite_url, asks, shop, now) == []


async def test_control_a_full_scan_is_found(sqlite_url: str, shop: Shop, now: datetime) -> None:
    async def whole(session: AsyncSession, _: Shop, __: datetime) -> None:
        await session.execute(select(Outbox).where(Outbox.error == "429"))

    assert await _scans(sqlite_url, whole, shop, now) == ["SCAN outbox"]


async def _scans(sqlite_url: str, asks: Hot, shop: Shop, now: datetime) -> list[str]:
    """The plan steps that scan a growing table."""
    database = Database(sqlite_url)
    async with database.write() as session:
        with _statements(database) as asked:
            await asks(session, shop, now)
        connection = await session.connection()
        steps = [
            step[-1]
            for statement, given in asked
            if not statement.startswith(("SAVEPOINT", "RELEASE"))
            for step in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    await database.close()
    return [step for step in steps if re.match(rf"SCAN ({GROWING})(_\d+)?\b", step)]


async def _turn(database: Database, engine: Engine, text: str, now: datetime) -> None:
    incoming = Incoming("telegram", "1", f"{text} {now}", text=text, name="Sari", language="id")
    async with database.write() as session:
        assert await engine.take_turn(Context(session, make_shop(), now), incoming, fresh="0123456789ABCDEF")


async def _have_booked(database: Database, count: int, now: datetime) -> None:
    """Give the customer this many bookings, each with a line."""
    async with database.write() as session:
        contact, _, _ = await contacts.find_or_create(session, "telegram", "1", phone=None, language="id", now=now)
        known = await bookings.of_customer(session, contact.customer_id, limit=count)
        session.add_all(_booking(contact.customer_id, number, now) for number in range(len(known), count))


def _booking(customer_id: int, number: int, now: datetime) -> Booking:
    return Booking(
        code=f"BK-{number:06}",
        customer_id=customer_id,
        name="Sari",
        phone="+6281234567890",
        car_brand="Toyota",
        car_model="Avanza",
        car_year=2018,
        starts_at=now + timedelta(days=number),
        ends_at=now + timedelta(days=number, hours=1),
        minutes=60,
        payment_method=PaymentMethod.TRANSFER,
        total_price=150_000,
        created_at=now,
        lines=[BookingLine(name="Pasang speaker", price=150_000, total=150_000)],
    )


@contextmanager
def _statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Records the statements and their parameters, without BEGIN."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    yield asked
    event.remove(database.engine.sync_engine, "before_cursor_execute", listen)


def _what(statement: str) -> str:
    """The verb and the first table."""
    found = re.search(r"(?:INTO|FROM|UPDATE) (\w+)", statement)
    assert found, statement
    return f"{statement.split(maxsplit=1)[0]} {found[1]}"
