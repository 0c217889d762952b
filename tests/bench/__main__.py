"""`make bench`: what a turn, the day's slots and the reading of a line cost. It measures and asserts nothing."""
# ruff: noqa: T201

import asyncio
import os
import platform
from collections.abc import Sequence
from statistics import median

import history
import reading
import served
import turns
from dialogue import DIALOGUE
from places import Places, places

FEW, MANY = 1_000, 100_000


async def main() -> None:
    """Measure it all, and print a table for each question."""
    cores = len(os.sched_getaffinity(0))
    print(f"Server, load (a process of its own) and database on {cores} cores, Python {platform.python_version()}.")
    async with places() as kinds:
        await show_turns(kinds)
        await show_days(kinds)
    show_reading()


async def show_turns(kinds: Sequence[Places]) -> None:
    """A turn beside its floor."""
    print(
        "\nTurn: a Telegram update posted -> its reply committed and handed to the channel"
        "\nFloor: the same post -> a bare aiohttp handler has committed one row on the same engine"
        f"\nMedians of {turns.ROUNDS} rounds of each, in turns; a round is {turns.DIALOGUES[1] * len(DIALOGUE)} messages or more\n"
    )
    _row("database", "chats", "", "per second", "p50 ms", "p99 ms", "server CPU ms")
    for kind in kinds:
        async with kind.make("turns") as database:
            await served.prepare(database)
            for chats in turns.DIALOGUES:
                floor, turn = await turns.compare(database, chats)
                for name, cost in (("floor", floor), ("turn", turn)):
                    _row(
                        kind.name,
                        chats,
                        name,
                        f"{cost.rate:.0f}",
                        f"{cost.p50:.2f}",
                        f"{cost.p99:.2f}",
                        f"{cost.cpu:.2f}",
                    )
                ratios = (floor.rate / turn.rate, turn.p50 / floor.p50, turn.p99 / floor.p99, turn.cpu / floor.cpu)
                _row("", "", "floors a turn", *(f"{ratio:.1f}" for ratio in ratios))
            await served.check(database)


async def show_days(kinds: Sequence[Places]) -> None:
    """The slots of a day, with a short and with a long history."""
    print(f"\nSlots of a day (core.bookings.day_load), median of {history.TIMES} each, asked alternately\n")
    _row("database", f"{FEW} past, ms", f"{MANY} past, ms", "ratio")
    for kind in kinds:
        async with kind.make("few") as few, kind.make("many") as many:
            await history.fill(few, FEW)
            await history.fill(many, MANY)
            short, long = await history.compare(few, many)
            _row(kind.name, f"{1e3 * short:.2f}", f"{1e3 * long:.2f}", f"{long / short:.2f}")


def show_reading() -> None:
    """What understanding a line takes."""
    spent, slowest = reading.measure()
    print(f"\nunderstand(), {len(spent)} lines, median of {reading.TIMES} each\n")
    _row("median ms", "worst ms", "the slowest")
    _row(f"{1e3 * median(spent):.2f}", f"{1e3 * max(spent):.2f}", slowest)


def _row(*cells: object) -> None:
    print(" ".join(f"{cell!s:>15}" for cell in cells), flush=True)


asyncio.run(main())
