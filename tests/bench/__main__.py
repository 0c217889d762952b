"""`make bench`: measures turns (of one and several processes), payments, the nightly reconciliation, a day's slots, REST,
understanding, a typed booking's messages and the server's memory. It never fails on a slow result."""

# ruff: noqa: T201

import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import history
import money
import reading
import rest
import served
import several
import turns
from dialogue import DIALOGUE
from places import Places, places
from turns import Cost

from core.db.database import Database

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("load", "talk")]

import rush
import simulation

FEW, MANY = 1_000, 100_000
CUSTOMERS, PLACES, A_SECOND = 100, 10, 6


async def main() -> None:
    """Measure everything and print a table for each topic."""
    cores = len(os.sched_getaffinity(0))
    print(f"Server, load (a process of its own) and database on {cores} cores, Python {platform.python_version()}.")
    async with places() as kinds:
        await show_turns(kinds)
        await show_several(kinds[1])
        await show_money(kinds)
        async with AsyncExitStack() as stack:
            aged = [(kind.name, *[await _aged(kind, past, stack) for past in (FEW, MANY)]) for kind in kinds]
            await show_days(aged)
            await show_rest([(name, many) for name, _, many in aged])
        await show_memory(kinds)
    await show_talk()
    show_reading()


async def show_talk() -> None:
    """Messages of a typed booking: what the customer writes until the link, and what WhatsApp charges for."""
    print("\nTyped bookings on WhatsApp: messages to the payment link, and messages sent until it is confirmed\n")
    _row("to the link", "sent", "the customer")
    for story in await simulation.count_messages():
        _row(story.to_the_link, story.whatsapp_messages, story.persona.name)


async def show_memory(kinds: Sequence[Places]) -> None:
    """Memory of the whole server, idle and under load."""
    print(
        f"\nMemory of the whole server (resident, MiB): idle, and at most while {CUSTOMERS} customers book, with a flood and slow callers\n"
    )
    _row("database", "idle", "at most", "replies", "p99 ms")
    for kind in kinds:
        async with kind.make("rush") as database:
            await served.prepare(database)
            plan = rush.Plan(
                database.url, CUSTOMERS, PLACES, a_second=A_SECOND, burst=CUSTOMERS // 10, slow=50, flood=100
            )
            with TemporaryDirectory(prefix="bengkel-bench-") as folder:
                outcome = await rush.run(plan, Path(folder))
        if outcome.unanswered:
            raise RuntimeError(outcome.unanswered[:3])
        _row(kind.name, f"{outcome.idle:.0f}", f"{outcome.peak:.0f}", outcome.replies, f"{1e3 * outcome.p99:.0f}")


async def _aged(kind: Places, past: int, stack: AsyncExitStack) -> Database:
    database = await stack.enter_async_context(kind.make(f"past_{past}"))
    await history.fill(database, past)
    return database


async def show_turns(kinds: Sequence[Places]) -> None:
    """Turns compared with their floor."""
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
                _beside(kind.name, chats, floor, "turn", turn)
            await served.check(database)


async def show_several(postgresql: Places) -> None:
    """Turns of several processes compared with one."""
    print(
        f"\nTurn, as above, of several processes on one {postgresql.name}: {several.CHATS} chats, each message to the next process"
        f"\nMedians of {turns.ROUNDS} rounds of each, in turns; processes, load and database share the cores\n"
    )
    _row("processes", "per second", "of one", "p50 ms", "p99 ms")
    async with postgresql.make("several") as database:
        await served.prepare(database)
        costs = await several.compare(database)
        await served.check(database)
    for number, cost in costs.items():
        _row(number, f"{cost.rate:.0f}", f"{cost.rate / costs[1].rate:.2f}", f"{cost.p50:.1f}", f"{cost.p99:.1f}")


async def show_money(kinds: Sequence[Places]) -> None:
    """Notifications compared with their floor, and the nightly reconciliation."""
    print(
        "\nNotification: posted -> kept, confirmed by a status call to Midtrans' stand-in, settled"
        "\nFloor: the same post -> a bare aiohttp handler has committed an entry and its booking's sum"
        f"\nMedians of {money.ROUNDS} rounds of each, in turns; {money.NOTIFICATIONS} over {money.CONNECTIONS} connections\n"
    )
    _row("database", "", "per second", "server CPU ms")
    for kind in kinds:
        async with kind.make("settling") as database:
            floor, settled = await money.settle(database)
        for name, each in (("floor", floor), ("settled", settled)):
            _row(kind.name, name, f"{each.rate:.0f}", f"{each.cpu:.2f}")
        _row("", "floors", f"{floor.rate / settled.rate:.1f}", f"{settled.cpu / floor.cpu:.1f}")
    print(
        f"\nNightly reconciliation: {money.REQUESTS} requests compared with the stand-in, no rate limit; {money.LOST} of them repaired\n"
    )
    _row("database", "seconds", "CPU ms each", "more memory, MB")
    async with money.bank(money.REQUESTS) as (vendor, transactions):
        for kind in kinds:
            async with kind.make("night") as database:
                night = await money.compare_night(database, vendor, transactions)
            _row(kind.name, f"{night.seconds:.0f}", f"{night.cpu:.2f}", f"{night.megabytes:.0f}")


async def show_days(aged: Sequence[tuple[str, Database, Database]]) -> None:
    """A day's slots with a short and a long history."""
    print(f"\nSlots of a day (slots_of_day), median of {history.TIMES} each, asked alternately\n")
    _row("database", f"{FEW} past, ms", f"{MANY} past, ms", "ratio")
    for name, few, many in aged:
        short, long = await history.compare(few, many)
        _row(name, f"{1e3 * short:.2f}", f"{1e3 * long:.2f}", f"{long / short:.2f}")


async def show_rest(aged: Sequence[tuple[str, Database]]) -> None:
    """REST requests compared with their floors, with a long history."""
    print(
        f"\nREST with {MANY} past bookings: GET timeslots, GET my-bookings (of {rest.OWN}), POST bookings"
        "\nFloors: a bare aiohttp handler's constant answer; for a booking, one that commits the least there can be"
        f"\nMedians of {rest.ROUNDS} rounds of each, in turns; a round is {rest.READS} reads or {rest.BOOKINGS} bookings\n"
    )
    _row("database", "connections", "", "per second", "p50 ms", "p99 ms", "server CPU ms")
    for kind, many in aged:
        for (name, connections), (floor, request) in (await rest.compare(many)).items():
            _beside(kind, connections, floor, name, request)


def _beside(kind: str, parallel: int, floor: Cost, name: str, cost: Cost) -> None:
    """Print a floor, a cost, and their ratio."""
    for row, each in (("floor", floor), (name, cost)):
        _row(kind, parallel, row, f"{each.rate:.0f}", f"{each.p50:.2f}", f"{each.p99:.2f}", f"{each.cpu:.2f}")
    ratios = (floor.rate / cost.rate, cost.p50 / floor.p50, cost.p99 / floor.p99, cost.cpu / floor.cpu)
    _row("", "", "floors", *(f"{ratio:.1f}" for ratio in ratios))


def show_reading() -> None:
    """Time to understand a line."""
    spent, slowest = reading.measure()
    print(f"\nunderstand(), {len(spent)} lines, median of {reading.TIMES} each\n")
    _row("median ms", "worst ms", "the slowest")
    _row(f"{1e3 * median(spent):.2f}", f"{1e3 * max(spent):.2f}", slowest)


def _row(*cells: object) -> None:
    print(" ".join(f"{cell!s:>15}" for cell in cells), flush=True)


if __name__ == "__main__":  # the server of show_memory is forked from a process that imports this module
    asyncio.run(main())
