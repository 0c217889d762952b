"""Turns compared with floors: alternating rounds on the same engine, under the same load."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter_ns, process_time_ns

import served

from core.db.database import Database

ROUNDS = 3
DIALOGUES = {1: 8, 32: 1}
"""Dialogues per chat in a round, by number of parallel chats."""
_FIRST = count(1_000_000_000, 1_000_000)
"""The first update id of each round."""


@dataclass(frozen=True, slots=True)
class Round:
    """Latencies (ms), messages per second, and the server's CPU time per message (ms)."""

    latencies: list[float]
    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Messages per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    """CPU milliseconds of the server's process, which other work on the machine disturbs least."""


Tell = Callable[[bytes], None]
"""Reports a processed update and its time: "UPDATE_ID MOMENT" and a newline."""
Served = Callable[[Tell], AbstractAsyncContextManager[Sequence[int]]]
"""Runs the measured server while the block runs; yields its ports."""


async def compare(database: Database, chats: int) -> tuple[Cost, Cost]:
    """Cost of the floor and of a turn with this many parallel chats."""
    floors, turns = [], []
    for _ in range(ROUNDS):
        floors.append(await round_of(_here(served.floor, database), chats))
        turns.append(await round_of(_here(served.shop, database), chats))
    return cost_of(floors), cost_of(turns)


def _here(serve: served.Serve, database: Database) -> Served:
    """Serve in this process, so that its CPU time is measured."""

    @asynccontextmanager
    async def opened(tell: Tell) -> AsyncIterator[Sequence[int]]:
        async with serve(database, lambda update_id: tell(f"{update_id} {perf_counter_ns()}\n".encode())) as port:
            yield [port]

    return opened


async def round_of(serve: Served, chats: int) -> Round:
    """Run a round with this many parallel chats; the CPU time is this process's only."""
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("load.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert load.stdin
    assert load.stdout
    async with serve(load.stdin.write) as ports:
        load.stdin.write(f"{chats} {DIALOGUES[chats]} {next(_FIRST)} {' '.join(map(str, ports))}\n".encode())
        await load.stdout.readexactly(1)
        begin = process_time_ns()
        spans = json.loads(await load.stdout.read())
        worked = process_time_ns() - begin
    await load.wait()
    return Round(
        latencies=[(done - posted) / 1e6 for posted, done in spans],
        rate=len(spans) / (max(done for _, done in spans) - min(posted for posted, _ in spans)) * 1e9,
        cpu=worked / len(spans) / 1e6,
    )


def cost_of(rounds: Sequence[Round]) -> Cost:
    """Medians of the rates and CPU times, quantiles of all latencies."""
    cuts = quantiles([latency for each in rounds for latency in each.latencies], n=100)
    return Cost(
        rate=median(each.rate for each in rounds),
        p50=cuts[49],
        p99=cuts[98],
        cpu=median(each.cpu for each in rounds),
    )
