"""Old messages, chats' memories and repeated requests go in small batches; what is still wanted stays."""

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, func, select

from core.db.database import Database
from core.db.tables import IDEMPOTENCY_KEPT, Contact, Conversation, Customer, IdempotencyKey, Inbound, Outbox
from core.people import retention

OLD = timedelta(days=366)
KEEP = timedelta(days=365)


def _letter(key: str, at: datetime, *, state: str = "sent", due: timedelta = timedelta()) -> Outbox:
    return Outbox(
        key=key, channel="telegram", address="1", language="id", body={}, state=state, due_at=at + due, not_before=at, created_at=at
    )  # fmt: skip


def _message(event_id: str, at: datetime, **more: Any) -> Inbound:
    return Inbound(channel="telegram", event_id=event_id, address="1", received_at=at, **more)


async def _forget_all(database: Database, now: datetime, *, most: int = retention.BATCH) -> list[int]:
    gone = []
    while not gone or gone[-1]:
        async with database.write() as session:
            gone.append(
                await retention.forget(
                    session, before=now - KEEP, emptied=lambda state: {"n": state["n"]}, now=now, most=most
                )
            )
    return gone


async def test_what_is_old_goes_and_what_is_wanted_stays(database: Database, now: datetime) -> None:
    then = now - OLD
    async with database.write() as session:
        session.add_all(
            [
                _message("old", then),
                _message("failed", then, raw={"text": "halo"}, error="KeyError"),
                _message("new", now),
                _letter("old", then),
                _letter("given up", then, state="failed"),
                _letter("a reminder of tomorrow", then, state="due", due=OLD),
                _letter("a reminder of today", then, due=OLD),  # its key says that it was sent
                _letter("waits since long", then, state="due"),
                _letter("new", now),
                IdempotencyKey(owner="a", key="old", digest="", answer={}, created_at=now - IDEMPOTENCY_KEPT * 2),
                IdempotencyKey(owner="a", key="new", digest="", answer={}, created_at=now),
            ]
        )
    assert await _forget_all(database, now) == [5, 0]
    async with database.read() as session:
        assert set(await session.scalars(select(Inbound.event_id))) == {"new"}
        assert set(await session.scalars(select(Outbox.key))) == {
            "a reminder of tomorrow",
            "a reminder of today",
            "waits since long",
            "new",
        }
        assert set(await session.scalars(select(IdempotencyKey.key))) == {"new"}


async def test_a_quiet_chat_restarts_as_the_same_contact(database: Database, now: datetime) -> None:
    async with database.write() as session:
        for number, seen in enumerate((now - OLD, now), 1):
            session.add(Customer(id=number, created_at=now))
            await session.flush()
            session.add(Contact(id=number, channel="telegram", address=str(number), customer_id=number, created_at=now))
            await session.flush()
            session.add(Conversation(contact_id=number, state={"n": 7, "answers": ["Sari"]}, updated_at=seen))
    assert await _forget_all(database, now) == [1, 0]
    async with database.read() as session:
        states = await session.scalars(select(Conversation.state).order_by(Conversation.contact_id))
        assert states.all() == [{"n": 7}, {"n": 7, "answers": ["Sari"]}]
        assert await session.scalar(select(func.count()).select_from(Contact)) == 2


async def test_a_transaction_forgets_one_batch_at_most(sqlite_url: str, now: datetime) -> None:
    database = Database(sqlite_url)
    async with database.write() as session:
        session.add_all(_message(str(number), now - OLD) for number in range(7))
    assert await _forget_all(database, now, most=3) == [3, 3, 1, 0]
    await database.close()


async def test_the_old_is_found_by_an_index(sqlite_url: str, now: datetime) -> None:
    database = Database(sqlite_url)
    plans: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def _explain(connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(step[3] for step in cursor.fetchall())

    await _forget_all(database, now)
    await database.close()
    for index in ("inbound_received_at", "outbox_created_at", "idempotency_key_created_at", "conversation_updated_at"):
        assert any(f"ix_{index}" in plan for plan in plans), plans
    # A subquery in brackets holds one batch at most.
    assert not [plan for plan in plans if re.match(r"SCAN (?!CONSTANT ROW|\()", plan)]
