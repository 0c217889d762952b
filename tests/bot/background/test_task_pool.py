"""The task pool limits its tasks, reports results, and notices a task that is stuck."""

import asyncio

import pytest

from bot.background.task_pool import TaskPool


async def test_a_task_reports_its_result_and_frees_its_place() -> None:
    pool, results = TaskPool[str](2), list[str | BaseException]()

    async def work(word: str) -> str:
        if word == "bug":
            raise KeyError(word)
        return word

    for word in ("done", "bug"):
        pool.start(work(word), results.append)
    assert (pool.free, bool(pool)) == (0, True)
    await pool.wait_for_all()
    assert (pool.free, bool(pool)) == (2, False)
    assert results[0] == "done"
    assert isinstance(results[1], KeyError)


async def test_a_cancelled_task_reports_nothing() -> None:
    pool, results = TaskPool[bool](1), list[bool | BaseException]()
    pool.start(asyncio.Event().wait(), results.append)
    await pool.cancel()
    assert (pool.free, results) == (1, [])


async def test_a_task_that_never_ends_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = TaskPool[bool](1)
    pool.start(asyncio.Event().wait(), lambda _: None)
    assert pool.trouble is None
    loop, later = asyncio.get_running_loop(), asyncio.get_running_loop().time() + 181
    monkeypatch.setattr(loop, "time", lambda: later)
    assert pool.trouble == "stuck"
    monkeypatch.undo()
    await pool.cancel()
