"""Ticks are repeated, whatever a check does."""

import asyncio
from datetime import timedelta

import pytest

from bot.background.ticker import Tick, start


async def test_a_tick_is_repeated_after_a_failed_check(caplog: pytest.LogCaptureFixture) -> None:
    looked = asyncio.Semaphore(0)

    async def look() -> None:
        looked.release()
        raise ZeroDivisionError

    scheduler = start([Tick("sweep", timedelta(milliseconds=5), look)], fresh=lambda: "1")
    for _ in range(3):
        await looked.acquire()
    scheduler.shutdown(wait=False)
    assert "ZeroDivisionError" in caplog.text


async def test_late_ticks_are_coalesced_into_one() -> None:
    async def look() -> None: ...

    scheduler = start([Tick("sweep", timedelta(minutes=5), look)], fresh=lambda: "1")
    (job,) = scheduler.get_jobs()
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
    scheduler.shutdown(wait=False)
