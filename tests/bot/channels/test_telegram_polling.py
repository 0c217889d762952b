"""Polling takes the chats of a batch side by side, and confirms nothing that isn't committed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import RetryAfter
from waiting import HANG

from bot.channels.telegram_polling import poll
from conversations.incoming import Incoming


class Enough(Exception):
    pass


class Bot:
    """Gives out the updates of a batch from the offset on, and ends when all are confirmed."""

    def __init__(self, *chats: int) -> None:
        self.chats = chats
        self.offsets: list[int] = []

    async def do_api_request(self, _: str, asked: dict[str, Any], *, read_timeout: float) -> list[dict[str, Any]]:
        self.offsets.append(asked["offset"])
        assert read_timeout > asked["timeout"]
        if asked["offset"] > len(self.chats):
            raise Enough
        return [self.update(number, chat) for number, chat in enumerate(self.chats, 1) if number >= asked["offset"]]

    def update(self, number: int, chat: int) -> dict[str, Any]:
        user = {"id": chat, "is_bot": False, "first_name": "X"}
        message = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, "from": user, "text": "halo"}
        return {"update_id": number, "message": message}


async def test_a_slow_chat_holds_up_no_other() -> None:
    bot, other_is_done = Bot(5, 6), asyncio.Event()

    async def take(incoming: Incoming) -> None:
        if incoming.address == "5":
            await other_is_done.wait()
        other_is_done.set()

    async with asyncio.timeout(HANG):
        with pytest.raises(Enough):
            await poll(bot, take=take, answer=lambda _: None)  # type: ignore[arg-type]
    assert bot.offsets == [0, 3]


async def test_what_came_after_a_message_that_failed_is_asked_for_again() -> None:
    """The first of three can't be taken while the database is away; the others were, and are known by their ids."""
    bot, taken = Bot(5, 6, 7), list[str]()

    async def take(incoming: Incoming) -> None:
        taken.append(incoming.event_id)
        if taken.count("1") == 1 and incoming.event_id == "1":
            raise ConnectionRefusedError

    async def pause(seconds: float) -> None:
        assert seconds == 1

    with pytest.raises(Enough):
        await poll(bot, take=take, answer=lambda _: None, pause=pause)  # type: ignore[arg-type]
    assert bot.offsets == [0, 0, 4]
    assert taken == ["1", "2", "3"] * 2


async def test_when_telegram_asks_us_to_wait_we_do() -> None:
    pauses = list[float]()

    class Busy(Bot):
        async def do_api_request(self, *asked: Any, **more: Any) -> list[dict[str, Any]]:
            if not pauses:
                raise RetryAfter(timedelta(seconds=40))
            return await super().do_api_request(*asked, **more)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def take(_: Incoming) -> None:
        pass

    with pytest.raises(Enough):
        await poll(Busy(5), take=take, answer=lambda _: None, pause=pause)  # type: ignore[arg-type]
    assert pauses == [40]


async def test_what_came_after_a_message_that_failed_does_not_overtake_it() -> None:
    """Both are of one chat: "satu" fails the first time, and "dua" waits for it."""
    bot, answered, fails = Bot(5, 5), list[str](), ["1"]

    async def take(incoming: Incoming) -> None:
        if incoming.event_id in fails:
            fails.remove(incoming.event_id)
            raise ConnectionRefusedError
        answered.append(incoming.event_id)

    async def pause(_: float) -> None:
        pass

    with pytest.raises(Enough):
        await poll(bot, take=take, answer=lambda _: None, pause=pause)  # type: ignore[arg-type]
    assert answered == ["1", "2"]
    assert bot.offsets == [0, 0, 3]


async def test_an_update_that_the_library_cannot_read_is_handed_over_to_be_kept_and_keeps_no_other_back() -> None:
    class Odd(Bot):
        def update(self, number: int, chat: int) -> dict[str, Any]:
            read = super().update(number, chat)
            return read if number != 2 else {"update_id": 2, "message": {"chat": 5}}

    bot, taken = Odd(5, 6, 7), dict[str, Incoming]()

    async def take(incoming: Incoming) -> None:
        taken[incoming.event_id] = incoming

    with pytest.raises(Enough):
        await poll(bot, take=take, answer=lambda _: None)  # type: ignore[arg-type]
    assert bot.offsets == [0, 4]
    assert [bool(taken[number].unread) for number in "123"] == [False, True, False]
    assert taken["2"].raw == {"update_id": 2, "message": {"chat": 5}}
