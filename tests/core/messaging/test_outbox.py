"""Messages to send, and what becomes of them: once per key, in a chat's order, at least once and at most twice."""

from datetime import datetime, timedelta
from typing import Any

from shops import make_shop
from sqlalchemy import event, select

from core.context import Context
from core.db.database import Database
from core.db.tables import Contact, Customer, Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HELLO = message(say("notice.see_you"))


async def write(database: Database, key: str, now: datetime, **changes: Any) -> bool:
    values = {"channel": "telegram", "address": "1", "language": "id", "message": HELLO} | changes
    async with database.write() as session:
        return await outbox.enqueue(Context(session, make_shop(), now), key=key, **values)


async def claim(database: Database, now: datetime, *, limit: int = 10) -> list[Outbox]:
    async with database.write() as session:
        return await outbox_claims.claim(session, now=now, limit=limit, channels=("telegram", "email"))


async def record(database: Database, how: Any, row: Outbox, **details: Any) -> None:
    async with database.write() as session:
        await how(session, row, **details)


async def accept(database: Database, row: Outbox, vendor_id: str, now: datetime) -> None:
    async with database.write() as session:
        await outbox_claims.sent(session, [(row, vendor_id)], now=now)


async def show(database: Database, *rows: Outbox) -> set[int]:
    async with database.write() as session:
        return await outbox_claims.mark_shown(session, rows)


async def stored(database: Database, key: str) -> Outbox:
    async with database.read() as session:
        return (await session.scalars(select(Outbox).where(Outbox.key == key))).one()


async def test_the_same_cause_is_written_once(database: Database, now: datetime) -> None:
    assert await write(database, "paid:1", now)
    assert not await write(database, "paid:1", now + MINUTE)
    assert [row.key for row in await claim(database, now)] == ["paid:1"]


async def test_messages_of_one_chat_are_sent_in_order(database: Database, now: datetime) -> None:
    await write(database, "first", now)
    await write(database, "second", now)
    await write(database, "another chat", now, address="2")
    rows = await claim(database, now)
    assert [row.key for row in rows] == ["first", "another chat"]
    assert await claim(database, now) == []
    await accept(database, rows[0], "m1", now)
    assert [row.key for row in await claim(database, now)] == ["second"]


async def test_the_order_in_a_chat_is_by_due_time(database: Database, now: datetime) -> None:
    await write(database, "reminder", now - HOUR, due_at=now - SECOND)
    await write(database, "earlier", now - MINUTE)
    assert [row.key for row in await claim(database, now)] == ["earlier"]


async def test_what_waits_for_later_holds_nothing_up(database: Database, now: datetime) -> None:
    await write(database, "reminder", now, due_at=now + HOUR, kind="reminder")
    await write(database, "reply", now)
    assert [row.key for row in await claim(database, now)] == ["reply"]


async def test_a_backoff_holds_its_own_chat_up_and_no_other(database: Database, now: datetime) -> None:
    await write(database, "first", now)
    await write(database, "second", now)
    (row,) = await claim(database, now)
    await record(database, outbox_claims.retry, row, reason="429", now=now, jitter=0.0, after=10 * SECOND)
    await write(database, "another chat", now, address="2")
    assert [each.key for each in await claim(database, now + SECOND)] == ["another chat"]
    assert [each.key for each in await claim(database, now + 10 * SECOND)] == ["first"]


async def test_an_expired_lease_is_claimed_again_as_unclear(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    assert len(await claim(database, now)) == 1
    assert await claim(database, now + outbox.LEASE - SECOND) == []
    for times in (1, 2):
        await show(database, await stored(database, "reply"))
        [again] = await claim(database, now + times * outbox.LEASE)
        assert (again.attempts, again.unclear) == (times + 1, times)


async def test_an_expired_lease_not_shown_is_not_unclear(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    for times in range(3):
        [row] = await claim(database, now + times * outbox.LEASE)
        assert (row.attempts, row.unclear) == (times + 1, 0)


async def test_who_lost_the_lease_shows_nothing(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    (late,) = await claim(database, now)
    (row,) = await claim(database, now + outbox.LEASE)
    assert await show(database, late) == set()
    assert await show(database, row) == {row.id}


async def test_a_reply_is_shown_by_the_turn_that_claims_it(database: Database, now: datetime) -> None:
    async with database.write() as session:
        ctx = Context(session, make_shop(), now)
        await outbox.reply(ctx, key="k", channel="telegram", address="1", language="id", message=HELLO)
        assert [row.shown for row in ctx.effects.replies] == [True]
    assert (await stored(database, "k")).shown
    [again] = await claim(database, now + outbox.LEASE)
    assert (again.unclear, again.shown) == (1, False)


async def test_a_claim_that_is_renewed_is_taken_by_nobody(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    (row,) = await claim(database, now)
    async with database.write() as session:
        await outbox_claims.renew(session, [row], now=now + outbox.LEASE - SECOND)
    assert await claim(database, now + outbox.LEASE) == []
    assert [each.key for each in await claim(database, now + 2 * outbox.LEASE - SECOND)] == ["reply"]
    async with database.write() as session:
        await outbox_claims.renew(session, [row], now=now + HOUR)
    assert (await stored(database, "reply")).not_before < now + HOUR, "who lost the claim renews nothing"


async def test_renewing_claims_skips_locked_rows(postgres_url: str, now: datetime) -> None:
    """Each would hold rows that the other wants."""
    database = Database(postgres_url, lock_timeout=timedelta(milliseconds=500))
    for key in ("recorded", "under way"):
        await write(database, key, now, address=key)
    rows = await claim(database, now)
    async with database.write() as recording:
        await outbox_claims.sent(recording, [(rows[0], None)], now=now)
        async with database.write() as renewing:
            await outbox_claims.renew(renewing, rows, now=now + SECOND)
    assert (await stored(database, "under way")).not_before == now + SECOND + outbox.LEASE
    await database.close()


async def test_leases_of_a_dead_process_end_at_once(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    await write(database, "reminder", now, address="2", due_at=now + HOUR)
    assert len(await claim(database, now)) == 1
    async with database.write() as session:
        await outbox_claims.end_leases(session, now=now + SECOND)
    assert [(row.key, row.attempts) for row in await claim(database, now + SECOND)] == [("reply", 2)]


async def test_who_lost_the_lease_records_nothing(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    (late,) = await claim(database, now)
    (row,) = await claim(database, now + outbox.LEASE)
    await record(database, outbox_claims.failed, late, reason="too late")
    await accept(database, row, "m1", now)
    assert (await stored(database, "reply")).state == "sent"


async def test_an_unclear_message_is_sent_again_but_not_for_ever(database: Database, now: datetime) -> None:
    await write(database, "reply", now)
    for tries in range(outbox_claims.MOST_UNCLEAR + 1):
        at = now + tries * MINUTE
        (row,) = await claim(database, at)
        assert row.unclear == tries
        await record(database, outbox_claims.unclear, row, reason="read timeout", now=at, jitter=0.0)
    assert (await stored(database, "reply")).state == "failed"


async def test_what_nobody_wants_any_more_is_dropped(database: Database, now: datetime) -> None:
    await write(database, "reminder", now, until=now + HOUR)
    await write(database, "old reply", now, address="2")
    claimed = await claim(database, now + 3 * timedelta(days=1))
    assert [row.state for row in claimed] == ["dropped", "dropped"], "whoever claims must know that more may be due"
    assert (await stored(database, "reminder")).state == "dropped"
    assert (await stored(database, "old reply")).state == "dropped"


async def test_a_retry_that_would_come_too_late_is_given_up(database: Database, now: datetime) -> None:
    await write(database, "reminder", now, until=now + MINUTE)
    (row,) = await claim(database, now)
    await record(database, outbox_claims.retry, row, reason="429", now=now, jitter=0.0, after=HOUR)
    assert (await stored(database, "reminder")).state == "failed"


async def test_a_closed_chat_gives_up_what_waits_for_it(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Customer(id=1, created_at=now))
        await session.flush()
        session.add(Contact(channel="telegram", address="1", customer_id=1, created_at=now))
    await write(database, "first", now)
    await write(database, "second", now)
    async with database.write() as session:
        await outbox.chat_closed(session, channel="telegram", address="1", reason="blocked", now=now)
    assert await claim(database, now) == []
    async with database.read() as session:
        assert (await session.scalars(select(Contact.unreachable_at))).one() == now


async def test_claiming_does_not_feel_what_was_sent_before(sqlite_url: str, now: datetime) -> None:
    """The plan uses the partial indexes: no scan of a table that grows."""
    database = Database(sqlite_url)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    async with database.write() as session:
        await outbox_claims.claim(session, now=now, limit=10, channels=["telegram"])
        statement, parameters = next(each for each in asked if "UPDATE outbox" in each[0])
        connection = await session.connection()
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = "\n".join(row[-1] for row in plan)
    await database.close()
    assert "SCAN outbox" not in steps
    assert "ix_outbox_due (channel=? AND due_at<?)" in steps
    assert "ix_outbox_waiting (channel=? AND address=? AND due_at<?)" in steps
