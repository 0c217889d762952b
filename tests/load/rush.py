"""A rush on the real server, started as a process: more customers than places, and what it came to.

customers ── phones ──> vendors (in this process) ──> webhooks of the server <── who floods it, who is slow
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession
from crowd import Customer, flood, slow_clients
from sqlalchemy import delete, func, select

from bot import app
from bot.config import Settings
from bot.sandbox.demo import WORKSHOP, free_port, settings_for
from bot.sandbox.server import Outside, outside
from core.shop import Shop
from core.tables import Booking, Slot, Technician

sys.path.append(str(Path(__file__).parents[1] / "crash"))

from servers import Proxy, Server

HOURS = (10, 13, 15)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ANY_NUMBER = 10_000


@dataclass(frozen=True)
class Plan:
    """How many come for how many places in each of three hours; `a_second` arrive, and a tenth of all in one moment."""

    database_url: str
    """Migrated, with the demo catalogue."""
    customers: int
    places: int
    a_second: float
    slow: int
    """Callers who never come to the end of a head, and of a body."""
    flood: int
    """Messages that somebody sends at once."""
    patience: float = 120
    """Seconds that a customer waits for an answer."""


@dataclass(frozen=True)
class Outcome:
    """What the rush came to; times in seconds, memory in MiB."""

    booked: int
    turned_away: int
    unanswered: list[str]
    in_the_books: int
    overbooked: int
    replies: int
    a_second: float
    p50: float
    p99: float
    slowest: float
    flood_answered: int
    idle: float
    peak: float
    log: str

    @property
    def lines(self) -> list[str]:
        """For a person."""
        return [
            f"{self.in_the_books} bookings, {self.turned_away} turned away, {len(self.unanswered)} unanswered",
            f"{self.replies} replies, {self.a_second:.0f} a second",
            f"reply: p50 {1e3 * self.p50:.0f} ms, p99 {1e3 * self.p99:.0f} ms, slowest {1e3 * self.slowest:.0f} ms",
            f"the flood: {self.flood_answered} answers",
            f"memory: {self.idle:.0f} MiB idle, {self.peak:.0f} MiB at most",
        ]


async def run(plan: Plan, folder: Path) -> Outcome:
    """Let them all come, and count."""
    async with _open(plan, folder) as (there, settings, server):
        idle = _memory(server, "VmRSS")
        networks = ("telegram", "whatsapp")
        crowd = [
            Customer(there.world.new_customer(networks[number % 2]), HOURS[number % len(HOURS)])
            for number in range(plan.customers)
        ]
        nuisance = there.world.new_customer("telegram")
        clock = asyncio.get_running_loop().time
        began = clock()
        async with slow_clients(f"http://127.0.0.1:{server.port}", plan.slow):
            flooding = asyncio.create_task(flood(nuisance, plan.flood))
            await asyncio.gather(*(_arrive(customer, number, plan) for number, customer in enumerate(crowd)))
            took = clock() - began
            answers = await flooding
        books, overbooked = await _books(settings)
        waits = [wait for customer in crowd for wait in customer.waits]
        cuts, outcomes = quantiles(waits, n=100), Counter(customer.booked for customer in crowd)
        return Outcome(
            booked=outcomes[True],
            turned_away=outcomes[False],
            unanswered=[customer.missing for customer in crowd if customer.booked is None],
            in_the_books=books,
            overbooked=overbooked,
            replies=len(waits),
            a_second=len(waits) / took,
            p50=cuts[49],
            p99=cuts[98],
            slowest=max(waits),
            flood_answered=len(answers),
            idle=idle,
            peak=_memory(server, "VmHWM"),
            log=server.log,
        )


async def _arrive(customer: Customer, number: int, plan: Plan) -> None:
    """One after the other; but those of the middle tenth all at once."""
    middle, tenth = plan.customers // 2, plan.customers // 10
    await asyncio.sleep((middle if middle <= number < middle + tenth else number) / plan.a_second)
    await customer.book(plan.patience)


@asynccontextmanager
async def _open(plan: Plan, folder: Path) -> AsyncIterator[tuple[Outside, Settings, Server]]:
    async with outside(app.now) as there:
        settings = _settings(plan, there, folder)
        database = app.database(settings)
        async with database.write() as session:
            await session.execute(delete(Technician))  # so that places are all that is scarce
        await database.close()
        server = Server(settings, folder / "process")
        there.shop_is_at(settings.server.public_url)
        async with Proxy(server).listening(settings.server.port):
            await server.start()
            try:
                await _ready(settings.server.public_url)
                yield there, settings, server
            finally:
                await server.close()


async def _ready(url: str) -> None:
    async with ClientSession(url) as http:
        while True:
            async with http.get("/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


def _settings(plan: Plan, there: Outside, folder: Path) -> Settings:
    """The demo's shop, open on every day so that it doesn't matter when this runs, with vendors that take any number."""
    settings = settings_for(there, folder=folder, database=plan.database_url, port=free_port())
    rules = {
        "opening_hours": dict.fromkeys(DAYS, "09:00-17:00"),
        "closed_on_public_holidays": False,
        "max_bookings_per_slot": plan.places,
    }
    quick = {"per_second": ANY_NUMBER}
    return settings.model_copy(
        update={
            "workshop": Shop.model_validate(WORKSHOP | rules),
            "telegram": settings.telegram.model_copy(update=quick),
            "whatsapp": settings.whatsapp.model_copy(update=quick),
            "staff": (),
        }
    )


async def _books(settings: Settings) -> tuple[int, int]:
    """How many bookings hold a place, and how many slots hold more than they have."""
    database = app.database(settings)
    async with database.read() as session:
        held = await session.scalar(select(func.count()).select_from(Booking).where(Booking.holding))
        over = await session.scalar(select(func.count()).select_from(Slot).where(Slot.taken > Slot.cap))
    await database.close()
    return held or 0, over or 0


def _memory(server: Server, what: str) -> float:
    """The resident memory now (VmRSS) or at its peak (VmHWM), in MiB."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024
