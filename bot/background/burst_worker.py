"""Answers the chats whose messages were held, once nothing more came: all of them side by side, each once at a time.

look ──> due chats ── a task each ──> answered      next one due ── timer ──> look again
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from bot.background.loop import LOG, Loop
from bot.background.task_pool import TaskPool
from core.db.database import AWAY

Chat = tuple[str, str]
"""Channel and address."""
MAX_ANSWERING = 32
"""Chats answered at the same time; others wait for the next look."""


class BurstWorker(Loop):
    """`look` returns the chats that are due, and how long until the next one is; `answer` answers one.

    What can't be answered while the database is away stays due: a tick wakes the worker.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[tuple[Sequence[Chat], timedelta | None]]],
        answer: Callable[[Chat], Awaitable[None]],
    ) -> None:
        super().__init__("bursts", self.run_once)
        self._look = look
        self._answer = answer
        self._tasks = TaskPool[None](MAX_ANSWERING)
        self._answering = set[Chat]()
        self._timer: asyncio.TimerHandle | None = None

    async def run_once(self) -> int:
        """Start what is due; returns 0, as it is woken when there is more."""
        due, wait = await self._look()
        for chat in due:
            if chat not in self._answering and self._tasks.free:
                self._answering.add(chat)
                self._tasks.start(self._answer_one(chat), partial(self._ended, chat))
        self._wake_in(wait)
        return 0

    async def run(self) -> None:
        """Work until stopped; the chats being answered are finished, those that still wait are left to the next start."""
        try:
            await super().run()
            await self._tasks.wait_for_all()
        finally:
            self._wake_in(None)
            await self._tasks.cancel()

    @property
    def trouble(self) -> str | None:
        return super().trouble or self._tasks.trouble

    async def _answer_one(self, chat: Chat) -> None:
        await self._answer(chat)

    def _ended(self, chat: Chat, result: BaseException | None) -> None:
        self._answering.discard(chat)
        if isinstance(result, AWAY):
            LOG.warning("bursts: the database is away (%s)", type(result).__name__)
        elif result is not None:
            LOG.error("bursts: a bug; tried again at the next tick", exc_info=result)
        else:
            self.wake()  # more may be due: what came meanwhile, and chats beyond MAX_ANSWERING

    def _wake_in(self, wait: timedelta | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        # Never at once: the database's clock may lag behind the loop's.
        self._timer = loop.call_later(max(wait.total_seconds(), 0.01), self.wake) if wait is not None else None
