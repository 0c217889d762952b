"""The scheduler only says "look", again and again, whatever a look comes to."""

import asyncio
from datetime import timedelta

import pytest

from bot.background.ticker import Tick, start


async def test_a_tick_goes_on_after_a_look_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    looked = asyncio.Semaphore(0)

    async def look() -> None:
        looked.release()
        raise ZeroDivisionError

    scheduler = start([Tick("sweep", timedelta(milliseconds=5), look)], fresh=lambda: "1")
    for _ in range(3):
        await looked.acquire()
    scheduler.shutdown(wait=False)
    assert "ZeroDivisionError" in caplog.text


async def test_no_look_is_skipped_for_being_late_and_none_is_made_up_for_twice() -> None:
    async def look() -> None: ...

    scheduler = start([Tick("sweep", timedelta(minutes=5), look)], fresh=lambda: "1")
    (job,) = scheduler.get_jobs()
    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
    scheduler.shutdown(wait=False)
