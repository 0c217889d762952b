"""Money for an order that we don't know is kept, shown to the admins, and listed until staff say what it was."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from paying import answer, book, letters
from shops import make_shop
from sqlalchemy import select
from test_payment_worker import OTHER_ORDER, Till

from bot.__main__ import main
from core.context import Context
from core.db.database import Database, upgrade
from core.db.tables import LedgerEntry, PaymentNotification
from core.payment import notifications, reconciliation_run, unknown_orders
from core.shop import Shop

CONFIG = str(Path(__file__).parents[3] / "config.yaml")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def till(database: Database, shop: Shop, now: datetime) -> Till:
    return Till(database, shop, now)


async def told(till: Till, key: str) -> list[str]:
    return [text for name, text in (await letters(till.database, kind="staff")).items() if key in name]


async def listed(till: Till) -> list[str]:
    async with till.database.read() as session:
        return [order.order_id for order in await unknown_orders.unexplained(session)]


async def report(till: Till) -> list[str]:
    """What the nightly reconciliation tells the admins."""
    async with till.database.write() as session:
        ctx = Context(session, till.shop, till.now)
        run = await reconciliation_run.claim_run(ctx)
        assert run
        await reconciliation_run.finish(ctx, run)
    return await told(till, "reconciled:")


async def test_unknown_payment_is_asked_about_told_and_listed(till: Till) -> None:
    await till.book()
    till.midtrans.statuses[OTHER_ORDER] = answer(OTHER_ORDER, amount=404_000)
    for _ in range(2):
        await till.notify(OTHER_ORDER)
        await till.work(MINUTE)
    assert ("status", OTHER_ORDER) in till.midtrans.asked
    (alert,) = await told(till, "unknown-order")
    assert OTHER_ORDER in alert
    assert "Rp404.000" in alert
    assert await listed(till) == [OTHER_ORDER]
    (nightly,) = await report(till)
    assert f"{OTHER_ORDER}: Rp404.000" in nightly
    async with till.database.read() as session:
        (kept,) = await session.scalars(select(PaymentNotification).filter_by(order_id=OTHER_ORDER))
        assert (kept.outcome, kept.due_at) == ("unknown order", None)
        assert (await session.scalars(select(LedgerEntry))).all() == []


async def test_explained_order_is_listed_no_longer(till: Till) -> None:
    await till.book()
    till.midtrans.statuses[OTHER_ORDER] = answer(OTHER_ORDER)
    await till.notify(OTHER_ORDER)
    await till.work()
    async with till.database.write() as session:
        await unknown_orders.explain(Context(session, till.shop, till.now), OTHER_ORDER, "Pak Joko, booked again")
    assert await listed(till) == []
    assert await report(till) == []


async def test_payment_unknown_to_midtrans_too_is_told_and_asked_about_again(till: Till) -> None:
    await till.book()
    await till.notify(OTHER_ORDER)
    await till.work()
    (alert,) = await told(till, "unknown-order")
    assert "Rp150.000" in alert
    till.midtrans.asked.clear()
    await till.work(MINUTE)
    assert ("status", OTHER_ORDER) in till.midtrans.asked
    await till.work(notifications.MAX_STATUS_DELAY)
    till.midtrans.asked.clear()
    await till.work(timedelta(days=1))
    assert ("status", OTHER_ORDER) not in till.midtrans.asked, "it isn't asked about for ever"
    assert await listed(till) == [OTHER_ORDER]


@pytest.mark.parametrize("status", ["pending", "expire", "deny", "cancel"])
async def test_unknown_order_without_money_is_only_kept(till: Till, status: str) -> None:
    await till.book()
    till.midtrans.statuses[OTHER_ORDER] = answer(OTHER_ORDER, status)
    await till.notify(OTHER_ORDER, status)
    await till.work()
    assert await listed(till) == []
    assert await told(till, "unknown-order") == []
    async with till.database.read() as session:
        (kept,) = await session.scalars(select(PaymentNotification).filter_by(order_id=OTHER_ORDER))
        assert kept.due_at is None


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of a command, as its setting names it."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
    monkeypatch.setenv("BENGKEL_DATABASE__URL", url)
    monkeypatch.chdir(tmp_path)
    return url


async def _with_unknown_order(url: str, now: datetime) -> None:
    database = Database(url)
    await upgrade(database)
    shop = make_shop()
    await book(database, shop, now)
    async with database.write() as session:
        ctx = Context(session, shop, now)
        await unknown_orders.record(ctx, OTHER_ORDER, answer(OTHER_ORDER))
    await database.close()


def test_staff_say_what_an_unknown_order_was(typed: str, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_with_unknown_order(typed, now))

    def settled(*words: str) -> int:
        return main(["reconcile", "--config", CONFIG, "--settle-unknown", *words])

    assert settled(OTHER_ORDER) == 1
    assert "--note" in capsys.readouterr().err
    assert settled("BOOKING-A1-NOTHING-1", "--note", "?") == 1
    assert "BOOKING-A1-NOTHING-1" in capsys.readouterr().err
    assert settled(OTHER_ORDER, "--note", "Pak Joko, booked again") == 0
    assert f"{OTHER_ORDER} is settled: Pak Joko" in capsys.readouterr().out
