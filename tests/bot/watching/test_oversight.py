"""What a server reports about itself: readiness, metrics, alarms."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from shops import MONDAY_8_AM
from sqlalchemy import select
from waiting import HANG

from bot.background.loop import Loop, Repeated
from bot.channels.sending import NotSent, Unclear, Undeliverable
from bot.transactions import Transactions
from bot.watching import metrics
from bot.watching.oversight import Check, Oversight, Pulse
from core.context import Context
from core.db.database import AWAY, Database
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say
from core.shop import Shop
from core.upkeep import undelivered
from webhooks import operators
from webhooks.app import make_app, traced

CHANNELS = ("telegram", "whatsapp", "email")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

Client = TestClient[Any, Any]


def figure(text: str, name: str, **labels: str) -> float | None:
    """A sample's value, or None."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"bengkel_{name}" and labels.items() <= sample.labels.items():
                return sample.value
    return None


def oversight(database: Database, shop: Shop, now: datetime, **parts: Callable[[], str | None]) -> Oversight:
    transactions = Transactions(database, shop, lambda: now)
    return Oversight(transactions, channels=CHANNELS, parts=parts, wake=lambda: None)


@asynccontextmanager
async def served(seen: Oversight, *, token: str | None = None, behind_proxy: bool = False) -> AsyncIterator[Client]:
    async def forbid(_: web.Request) -> web.Response:
        raise web.HTTPForbidden

    routes = operators.routes(seen.exposition, token=token, behind_proxy=behind_proxy)
    around = [traced(lambda: "1"), metrics.counted]
    app = make_app([*routes, web.post("/webhooks/telegram", forbid)], ready=seen.ready, around=around)
    async with TestClient(TestServer(app)) as client:
        yield client
    await seen.close()


async def test_readiness_names_every_failing_part(database: Database, shop: Shop, now: datetime) -> None:
    seen = oversight(database, shop, now, dispatcher=lambda: None, telegram=lambda: "not joined yet")
    assert await seen.ready() == {"telegram": "not joined yet", "scheduler": "not running"}
    for tick in seen.ticks(SECOND):
        await tick.check()
    assert await seen.ready() == {"telegram": "not joined yet"}
    await seen.close()
    await database.close()


async def test_hanging_database_is_reported_and_checked_once() -> None:
    runs, gate = [], asyncio.Event()

    async def run() -> str:
        runs.append(1)
        await gate.wait()
        return "done"

    check = Check(run, timeout=timedelta(milliseconds=5))
    for _ in range(3):
        with pytest.raises(AWAY):
            await check.result()
    assert len(runs) == 1
    gate.set()
    assert await check.result() == "done"
    assert await check.result() == "done"
    assert len(runs) == 2


async def test_readiness_and_metrics_answer_without_database(shop: Shop, now: datetime) -> None:
    away = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    seen = oversight(away, shop, now)
    assert (await seen.ready())["database"] == "OperationalError"
    text = (await seen.exposition()).decode()
    assert figure(text, "database_up") == 0
    assert figure(text, "outbox_depth", channel="telegram") is None
    await seen.raise_alarms()
    await seen.close()
    await away.close()
    await _join_driver_threads()


async def _join_driver_threads() -> None:
    """The driver doesn't join the thread of a failed connection, which then misses the test's loop."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


async def test_hanging_loop_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, began = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        began.set()
        await gate.wait()
        return 0

    loop = Loop("outbox", work)
    assert loop.trouble == "not running"
    running = asyncio.create_task(loop.run())
    await began.wait()
    assert loop.trouble is None
    clock, started = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    monkeypatch.setattr(clock, "time", lambda: started + 600)
    assert loop.trouble == "stuck"
    monkeypatch.undo()
    gate.set()
    loop.stop()
    await running
    assert loop.trouble == "not running"


async def test_loop_restarts_after_a_bug_and_reports_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, goes_well, stays = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.release()
        if not goes_well.is_set():
            raise KeyError("date")
        stays.set()
        await asyncio.Event().wait()

    polling = Repeated("polling", work, timedelta())
    running = asyncio.create_task(polling.run())
    for _ in range(3):
        await begun.acquire()
    assert polling.trouble == "fails: KeyError"
    assert caplog.text.count("a bug") == 1
    goes_well.set()
    await stays.wait()
    assert polling.trouble == "fails: KeyError", "it may come again"
    clock, later = asyncio.get_running_loop(), asyncio.get_running_loop().time() + 61
    monkeypatch.setattr(clock, "time", lambda: later)
    assert polling.trouble is None
    monkeypatch.undo()
    running.cancel()


async def test_loop_survives_a_bug_and_reports_it_once(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [KeyError("1"), KeyError("2"), OSError("the database is away"), None]
    seen: list[str | None] = []
    worked = asyncio.Event()

    async def work() -> int:
        seen.append(loop.trouble)
        if error := outcomes.pop(0):
            raise error
        worked.set()
        return 0

    loop = Loop("outbox", work, pause=timedelta())
    running = asyncio.create_task(loop.run())
    await asyncio.wait_for(worked.wait(), HANG)
    assert seen == [None, "fails: KeyError", "fails: KeyError", "fails: KeyError"]
    assert loop.trouble is None
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    loop.stop()
    await running


async def test_paused_loop_stops_at_once() -> None:
    failed = asyncio.Event()

    async def work() -> int:
        failed.set()
        raise ZeroDivisionError

    loop = Loop("outbox", work, pause=timedelta(hours=1))
    running = asyncio.create_task(loop.run())
    await failed.wait()
    loop.stop()
    await asyncio.wait_for(running, HANG)


async def test_admins_hear_of_a_broken_part_once_a_day(database: Database, shop: Shop, now: datetime) -> None:
    troubles = iter(["fails: KeyError", None, "fails: KeyError", "fails: KeyError", "fails: KeyError"])
    seen = oversight(database, shop, now, payments=lambda: next(troubles))
    told = []
    for _ in range(5):
        await seen.raise_alarms()
        async with database.read() as session:
            told.append([row.body["says"][1]["with"] for row in await session.scalars(select(Outbox))])
    assert told == [[], [], [], [{"why": "fails: KeyError"}], [{"why": "fails: KeyError"}]]


async def test_silent_scheduler_is_reported() -> None:
    patient, impatient = Pulse(MINUTE), Pulse(-SECOND)
    for pulse in (patient, impatient):
        assert pulse.trouble() == "not running"
        pulse.beat()
    assert (patient.trouble(), impatient.trouble()) == (None, "stuck")


async def test_backlog_is_shown_by_channel(database: Database, shop: Shop, now: datetime) -> None:
    async with database.write() as session:
        for key in ("one", "two"):
            await outbox.enqueue(
                Context(session, shop, now),
                key=key,
                channel="telegram",
                address=key,
                language="id",
                message=message(say("notice.see_you")),
            )
        row = (await outbox_claims.claim(session, now=now, limit=1, channels=["telegram"]))[0]
        await outbox_claims.failed(session, row, reason="403")
        assert len(await undelivered.listed(session, limit=9)) == 1
    text = (await oversight(database, shop, now + MINUTE).exposition()).decode()
    assert figure(text, "database_up") == 1
    assert figure(text, "outbox_depth", channel="telegram") == 1
    assert figure(text, "outbox_age_seconds", channel="telegram") == 60
    assert figure(text, "outbox_depth", channel="email") == 0
    assert figure(text, "dead_letters", channel="telegram") == 1
    assert figure(text, "payment_notifications_waiting") == 0
    assert figure(text, "build_info") == 1


WHO = [
    ({}, None, False, 200, "this machine"),
    ({"X-Forwarded-For": "203.0.113.7"}, None, False, 404, "somebody behind a proxy on this machine"),
    ({}, None, True, 404, "a proxy that tells nothing of whom it speaks for"),
    ({"Authorization": "Bearer graphs"}, "graphs", True, 200, "who knows the token"),
    ({"Authorization": "Bearer graph"}, "graphs", True, 401, "a wrong token"),
    ({"Authorization": "graphs"}, "graphs", True, 401, "no bearer"),
    ({"Authorization": "Bearer \xff"}, "graphs", True, 401, "a token in strange letters"),
    ({"Authorization": "Bearer "}, None, True, 404, "an empty token where none is set"),
]


@pytest.mark.parametrize(("headers", "token", "proxy", "status", "_who"), WHO, ids=[who for *_, who in WHO])
async def test_metrics_need_this_machine_or_the_token(
    sqlite_url: str,
    shop: Shop,
    now: datetime,
    headers: dict[str, str],
    token: str | None,
    proxy: bool,
    status: int,
    _who: str,
) -> None:
    database = Database(sqlite_url)
    async with served(oversight(database, shop, now), token=token, behind_proxy=proxy) as client:
        answer = await client.get("/metrics", headers=headers)
        assert answer.status == status
        assert ("bengkel_" in await answer.text()) == (status == 200)
    await database.close()


async def test_answers_are_counted_by_route_and_known_method(sqlite_url: str, shop: Shop, now: datetime) -> None:
    database = Database(sqlite_url)
    async with served(oversight(database, shop, now)) as client:
        before = figure(await _metrics(client), "http_answers_total", route="/webhooks/telegram", status="403") or 0
        await client.post("/webhooks/telegram", data=b"{}")
        await client.get("/api/bookings/BK-7F3K2Q?phone=081234567890")
        await client.request("PROPFIND", "/coffee-with-budi")
        text = await _metrics(client)
    assert figure(text, "http_answers_total", route="/webhooks/telegram", status="403") == before + 1
    assert figure(text, "http_answers_total", method="other", route="(no route)")
    assert not any(told in text for told in ("PROPFIND", "budi", "BK-7F3K2Q", "081234567890"))
    await database.close()


def counted() -> str:
    return metrics.exposition(None, channels=(), now=MONDAY_8_AM).decode()


async def _metrics(client: Client) -> str:
    return await (await client.get("/metrics")).text()


async def test_vendor_calls_are_counted_by_outcome(caplog: pytest.LogCaptureFixture) -> None:
    with metrics.vendor_call("smoke signals"):
        pass
    with pytest.raises(NotSent), metrics.vendor_call("smoke signals"):
        raise NotSent("rain")
    text = counted()
    assert figure(text, "vendor_calls_total", vendor="smoke signals", outcome="ok") == 1
    assert figure(text, "vendor_calls_total", vendor="smoke signals", outcome="NotSent") == 1
    assert figure(text, "vendor_seconds_count", vendor="smoke signals") == 2
    assert "smoke signals: NotSent" in caplog.text


@pytest.mark.parametrize(
    ("last", "away"),
    [
        (NotSent("rain"), {"smoke signals": "NotSent"}),
        (Undeliverable("nobody looks"), {}),  # it has answered
        (asyncio.CancelledError(), {"smoke signals": "Unclear"}),  # cancelled by us
    ],
)
def test_silent_vendor_is_away_until_it_answers(last: BaseException, away: dict[str, str]) -> None:
    for error in (Unclear("fog"), last):
        with pytest.raises(type(error)), metrics.vendor_call("smoke signals"):
            raise error
    assert _smoke(metrics.away()) == away
    with metrics.vendor_call("smoke signals"):
        pass
    assert _smoke(metrics.away()) == {}


def _smoke(away: Mapping[str, str]) -> dict[str, str]:
    """Vendors that are away, without those of other tests in this process."""
    return {vendor: how for vendor, how in away.items() if vendor == "smoke signals"}


def test_refusals_in_the_chat_are_counted_by_code() -> None:
    reply = Outbox(body={"says": [{"say": "refusal.slot_full", "with": {}}, {"say": "booking.when", "with": {}}]})
    before = figure(counted(), "refusals_total", code="slot_full")
    metrics.refused([reply])
    text = counted()
    assert figure(text, "refusals_total", code="slot_full") == (before or 0) + 1
