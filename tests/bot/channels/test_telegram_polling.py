"""Polling takes the chats of a batch side by side, and confirms only what is committed."""

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
    """Returns the updates from the offset on, and raises `Enough` when all are confirmed."""

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


async def test_updates_after_a_failed_one_are_fetched_again() -> None:
    """The database is away for the first of three; the others were taken, and are known by their ids."""
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


async def test_polling_respects_retry_after() -> None:
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


async def test_later_messages_do_not_overtake_a_failed_one() -> None:
    """Both are from one chat: the first fails once, and the second waits for it."""
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


async def test_an_unreadable_update_is_kept_and_skipped() -> None:
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
