"""Work done side by side: it ends by itself, has room, and tells when something hangs."""

import asyncio

import pytest

from bot.background.task_pool import TaskPool


async def test_whoever_begins_work_hears_what_it_came_to_and_there_is_room_again() -> None:
    crew, heard = TaskPool[str](2), list[str | BaseException]()

    async def work(word: str) -> str:
        if word == "bug":
            raise KeyError(word)
        return word

    for word in ("done", "bug"):
        crew.start(work(word), heard.append)
    assert (crew.free, bool(crew)) == (0, True)
    await crew.wait_for_all()
    assert (crew.free, bool(crew)) == (2, False)
    assert heard[0] == "done"
    assert isinstance(heard[1], KeyError)


async def test_what_is_broken_off_came_to_nothing() -> None:
    crew, heard = TaskPool[bool](1), list[bool | BaseException]()
    crew.start(asyncio.Event().wait(), heard.append)
    await crew.cancel()
    assert (crew.free, heard) == (1, [])


async def test_what_never_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = TaskPool[bool](1)
    crew.start(asyncio.Event().wait(), lambda _: None)
    assert crew.trouble is None
    loop, later = asyncio.get_running_loop(), asyncio.get_running_loop().time() + 181
    monkeypatch.setattr(loop, "time", lambda: later)
    assert crew.trouble == "stuck"
    monkeypatch.undo()
    await crew.cancel()
