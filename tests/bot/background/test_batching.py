"""Items of a batch are done by one call, and one item's bug fails no other."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.background.batching import Batcher
from core.db.database import AWAY


class Work:
    """Waits until the test lets it go on; zeros are a bug."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.called, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.may_go_on.set()
        self.is_away = False

    async def __call__(self, numbers: Sequence[int]) -> None:
        self.calls.append(list(numbers))
        self.called.set()
        await self.may_go_on.wait()
        if self.is_away:
            raise AWAY[0]("", None, OSError())
        if 0 in numbers:
            raise ZeroDivisionError


async def do_all(batcher: Batcher[int], *numbers: int) -> list[BaseException | None]:
    return await asyncio.gather(*(batcher.do(number) for number in numbers), return_exceptions=True)


async def test_items_during_a_call_are_the_next_batch() -> None:
    work = Work()
    batcher = Batcher(work)
    work.may_go_on.clear()
    first = asyncio.create_task(batcher.do(1))
    await work.called.wait()
    rest = asyncio.create_task(do_all(batcher, 2, 3, 4))
    await asyncio.sleep(0)
    assert (first.done(), rest.done()) == (False, False)
    work.may_go_on.set()
    await first
    assert await rest == [None] * 3
    assert work.calls == [[1], [2, 3, 4]]


async def test_a_batch_holds_only_its_own_items() -> None:
    work = Work()
    batcher = Batcher(work)
    for number in (1, 2):
        await batcher.do(number)
    assert work.calls == [[1], [2]]


async def test_only_the_item_with_the_bug_fails() -> None:
    work = Work()
    one, zero, two = await do_all(Batcher(work), 1, 0, 2)
    assert (one, two) == (None, None)
    assert isinstance(zero, ZeroDivisionError)
    assert work.calls == [[1, 0, 2], [1], [0], [2]]


async def test_a_database_outage_fails_the_whole_batch() -> None:
    work = Work()
    work.is_away = True
    batcher = Batcher(work)
    assert all(isinstance(error, AWAY) for error in await do_all(batcher, 1, 2))
    assert work.calls == [[1, 2]]
    work.is_away = False
    await batcher.do(3)


async def test_a_cancelled_caller_does_not_cancel_the_batch() -> None:
    work = Work()
    batcher = Batcher(work)
    work.may_go_on.clear()
    leaving, staying = asyncio.create_task(batcher.do(1)), asyncio.create_task(batcher.do(2))
    await work.called.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    work.may_go_on.set()
    await staying
    assert work.calls == [[1, 2]]
