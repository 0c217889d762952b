"""Clock changes, downtime and the end of a year: reminders and holds end exactly once."""

from datetime import UTC, datetime, timedelta

import pytest
from paying import book
from shops import make_shop
from sqlalchemy import select

from core.context import Context
from core.db.database import Database
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say
from core.notices import reminders
from core.schedule import bookings
from core.shop import Shop

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


async def _claim(database: Database, now: datetime) -> list[Outbox]:
    async with database.write() as session:
        claimed = await outbox_claims.claim(session, now=now, limit=10, channels=("telegram",))
    return [row for row in claimed if row.state == "sending"]


async def _sends(database: Database, now: datetime, *, kind: str | None = None) -> list[str]:
    """The keys of this kind that are sent by then, polling once for each message in the chat."""
    keys = []
    for _ in range(6):
        for row in await _claim(database, now):
            keys += [row.key] if kind in (None, row.kind) else []
            async with database.write() as session:
                await outbox_claims.sent(session, [(row, None)], now=now)
    return keys


async def _write(database: Database, key: str, now: datetime) -> None:
    async with database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), now),
            key=key,
            channel="telegram",
            address="1",
            language="id",
            message=message(say("menu")),
        )


@pytest.mark.parametrize(
    ("down_until", "sent", "dropped"),
    [
        pytest.param(timedelta(hours=-22), ["24h"], [], id="two hours late: the day's reminder still helps"),
        pytest.param(timedelta(hours=-2) + SECOND, ["2h"], ["24h"], id="only the later one is of use"),
        pytest.param(timedelta(minutes=-20), ["2h"], ["24h"], id="it still is, as long as the job hasn't begun"),
        pytest.param(timedelta(minutes=1), [], ["24h", "2h"], id="nobody is reminded of what has begun"),
    ],
)
async def test_reminders_due_during_downtime(
    database: Database, shop: Shop, now: datetime, down_until: timedelta, sent: list[str], dropped: list[str]
) -> None:
    starts_at = (now + timedelta(days=8)).replace(hour=3, minute=0)
    await book(database, shop, now, starts_at=starts_at)
    async with database.write() as session:
        booking = await bookings.load(session, code="BK-000001")
        await reminders.schedule(Context(session, shop, now), booking)
    went = await _sends(database, starts_at + down_until, kind="reminder")
    assert [key.split(":")[2] for key in went] == sent
    async with database.read() as session:
        rows = await session.scalars(select(Outbox).where(Outbox.state == "dropped").order_by(Outbox.due_at))
        assert [(row.key.split(":")[2], row.error) for row in rows] == [
            (name, "too late to be of use") for name in dropped
        ]


async def test_a_clock_set_back_doubles_nothing(database: Database, now: datetime) -> None:
    await _write(database, "sent before", now)
    assert await _sends(database, now) == ["sent before"]
    await _write(database, "in hand", now)
    assert [row.key for row in await _claim(database, now)] == ["in hand"]
    await _write(database, "waits behind it", now)
    back = now - HOUR
    assert await _claim(database, back) == []
    await _write(database, "said after the step", back)
    assert await _sends(database, back) == ["said after the step"]
    late = now + outbox.LEASE
    assert await _sends(database, late) == ["in hand", "waits behind it"]


async def test_a_clock_that_jumps_loses_nothing(database: Database, now: datetime) -> None:
    await _write(database, "in hand", now)
    (first,) = await _claim(database, now)
    async with database.write() as session:
        await outbox_claims.mark_shown(session, [first])
    (again,) = await _claim(database, now + HOUR)
    assert again.unclear == 1  # it may have been sent: looked up where the vendor can tell
    for row in (first, again):
        async with database.write() as session:
            await outbox_claims.sent(session, [(row, None)], now=now + HOUR)
    assert await _sends(database, now + 2 * HOUR) == []


async def test_a_hold_ends_once_when_the_clock_steps(database: Database, shop: Shop, now: datetime) -> None:
    await book(database, shop, now)
    released = []
    async with database.read() as session:
        ends = (await bookings.load(session, code="BK-000001")).hold_until
    assert ends is not None
    for moment in (ends - HOUR, ends + SECOND, ends - HOUR, ends + SECOND):
        async with database.write() as session:
            released.append(len(await bookings.release_ended_holds(Context(session, shop, moment))))
    assert released == [0, 1, 0, 0]


async def test_reminders_across_the_end_of_the_year(database: Database, shop: Shop) -> None:
    starts_at = datetime(2027, 1, 2, 3, 0, tzinfo=UTC)  # Saturday at ten in Jakarta
    now = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)  # a minute before midnight there
    await book(database, shop, now, starts_at=starts_at)
    async with database.write() as session:
        booking = await bookings.load(session, code="BK-000001")
        await reminders.schedule(Context(session, shop, now), booking)
    after_midnight = now + 2 * MINUTE
    assert await _sends(database, after_midnight, kind="reminder") == []
    assert len(await _sends(database, starts_at - 23 * HOUR, kind="reminder")) == 1
    assert len(await _sends(database, starts_at - HOUR, kind="reminder")) == 1
