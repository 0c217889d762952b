"""Turns of one, two and four processes on one PostgreSQL; each message of a chat goes to the next process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from turns import ROUNDS, Cost, Round, Served, Tell, cost_of, round_of

from core.db.database import Database

PROCESSES = (1, 2, 4)
CHATS = 32


@dataclass(frozen=True, slots=True)
class Worker:
    """A server process: its port and its output."""

    port: int
    says: asyncio.StreamReader


async def compare(database: Database) -> dict[int, Cost]:
    """Cost of a turn by number of processes; their CPU time isn't measured."""
    rounds: dict[int, list[Round]] = {number: [] for number in PROCESSES}
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(_worker(database.url)) for _ in range(max(PROCESSES))]
        for _ in range(ROUNDS):
            for number, measured in rounds.items():
                measured.append(await round_of(_together(workers[:number]), CHATS))
    return {number: cost_of(measured) for number, measured in rounds.items()}


def _together(workers: Sequence[Worker]) -> Served:
    @asynccontextmanager
    async def opened(tell: Tell) -> AsyncIterator[Sequence[int]]:
        hearing = [asyncio.create_task(_hear(worker, tell)) for worker in workers]
        yield [worker.port for worker in workers]
        for task in hearing:
            task.cancel()
        await asyncio.wait(hearing)

    return opened


async def _hear(worker: Worker, tell: Tell) -> None:
    async for line in worker.says:
        tell(line)


@asynccontextmanager
async def _worker(url: str) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("worker.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{url}\n".encode())
    yield Worker(int(await process.stdout.readline()), process.stdout)
    process.stdin.close()
    await process.wait()
