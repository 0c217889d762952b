"""Polling takes the chats of a batch side by side, and confirms nothing that isn't committed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from telegram import Update
from telegram.error import RetryAfter

from bot.polling import poll
from conversations.incoming import Incoming


class Enough(Exception):
    pass


class Bot:
    """Gives out the updates of a batch from the offset on, and ends when all are confirmed."""

    def __init__(self, *chats: int) -> None:
        self.chats = chats
        self.offsets: list[int] = []

    async def get_updates(self, *, offset: int, timeout: timedelta, allowed_updates: object) -> list[Update]:  # noqa: ASYNC109 (the library's own name)
        self.offsets.append(offset)
        if offset > len(self.chats):
            raise Enough
        return [_update(number, chat) for number, chat in enumerate(self.chats, 1) if number >= offset]


def _update(number: int, chat: int) -> Update:
    user = {"id": chat, "is_bot": False, "first_name": "X"}
    message = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, "from": user, "text": "halo"}
    return Update.de_json({"update_id": number, "message": message}, None)


async def test_a_slow_chat_holds_up_no_other() -> None:
    bot, other_is_done = Bot(5, 6), asyncio.Event()

    async def take(incoming: Incoming) -> None:
        if incoming.address == "5":
            await other_is_done.wait()
        other_is_done.set()

    async with asyncio.timeout(5):
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
        async def get_updates(self, **asked: Any) -> list[Update]:
            if not pauses:
                raise RetryAfter(timedelta(seconds=40))
            return await super().get_updates(**asked)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def take(_: Incoming) -> None:
        pass

    with pytest.raises(Enough):
        await poll(Busy(5), take=take, answer=lambda _: None, pause=pause)  # type: ignore[arg-type]
    assert pauses == [40]
