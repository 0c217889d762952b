"""What many want at once is done at once, everybody waits for it, and nobody pays for another's bug."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.background.batching import Batcher
from core.db.database import AWAY


class Work:
    """Takes as long as the test wants, and can't stand zeros."""

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


async def wanted(together: Batcher[int], *numbers: int) -> list[BaseException | None]:
    return await asyncio.gather(*(together.do(number) for number in numbers), return_exceptions=True)


async def test_what_comes_while_a_round_is_done_is_the_next_round() -> None:
    work = Work()
    together = Batcher(work)
    work.may_go_on.clear()
    first = asyncio.create_task(together.do(1))
    await work.called.wait()
    rest = asyncio.create_task(wanted(together, 2, 3, 4))
    await asyncio.sleep(0)
    assert (first.done(), rest.done()) == (False, False)
    work.may_go_on.set()
    await first
    assert await rest == [None] * 3
    assert work.calls == [[1], [2, 3, 4]]


async def test_each_round_is_of_its_own_callers() -> None:
    work = Work()
    together = Batcher(work)
    for number in (1, 2):
        await together.do(number)
    assert work.calls == [[1], [2]]


async def test_whose_bug_it_is_has_it_alone() -> None:
    work = Work()
    one, zero, two = await wanted(Batcher(work), 1, 0, 2)
    assert (one, two) == (None, None)
    assert isinstance(zero, ZeroDivisionError)
    assert work.calls == [[1, 0, 2], [1], [0], [2]]


async def test_a_database_that_is_away_is_away_for_all_of_them() -> None:
    work = Work()
    work.is_away = True
    together = Batcher(work)
    assert all(isinstance(error, AWAY) for error in await wanted(together, 1, 2))
    assert work.calls == [[1, 2]]
    work.is_away = False
    await together.do(3)


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    work = Work()
    together = Batcher(work)
    work.may_go_on.clear()
    leaving, staying = asyncio.create_task(together.do(1)), asyncio.create_task(together.do(2))
    await work.called.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    work.may_go_on.set()
    await staying
    assert work.calls == [[1, 2]]
