"""A load test of the real server process: more customers than places, with a flood and slow clients.

customers ── phones ──> vendors (in this process) ──> webhooks of the server <── a flood, slow clients
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession
from crowd import Customer, flood, slow_clients
from sqlalchemy import delete, func, select

from bot import app
from bot.config import Settings
from bot.sandbox.demo import WORKSHOP, free_port, settings_for
from bot.sandbox.phones import Person
from bot.sandbox.server import StandIns, stand_ins
from conversations.texts import render
from core.db.tables import Booking, Outbox, Technician
from core.messaging.messages import say
from core.shop import Shop

sys.path.append(str(Path(__file__).parents[1] / "crash"))

from servers import Proxy, Server

HOURS = (10, 13, 15)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ANY_NUMBER = 10_000
READ = 60
"""Messages of one chat that are read per minute: the default of `server.chat_limit`."""


@dataclass(frozen=True)
class Plan:
    """Customers and places per hour, for three hours; `a_second` customers arrive, and a `burst` of them at once."""

    database_url: str
    """Migrated, with the demo catalogue."""
    customers: int
    places: int
    a_second: float
    burst: int
    slow: int
    """Number of clients that never finish the head, and of those that never finish the body."""
    flood: int
    """Messages that one person sends at once."""
    patience: float = 120
    """Timeout of an answer, in seconds."""
    mostly: float = 60
    """Limit of the 99th percentile, in seconds."""
    memory: float = 150
    """MiB that the server may use above its idle memory."""


@dataclass(frozen=True)
class Outcome:
    """The result; times in seconds, memory in MiB."""

    booked: int
    turned_away: int
    unanswered: list[str]
    cars: Counter[datetime]
    """Bookings that hold a place, by hour."""
    replies: int
    a_second: float
    p50: float
    p99: float
    slowest: float
    flood: list[str]
    """The answers to the flood."""
    took: float
    idle: float
    peak: float
    log: str

    @property
    def lines(self) -> list[str]:
        """The printed summary."""
        return [
            f"{self.cars.total()} bookings, {self.turned_away} turned away, {len(self.unanswered)} unanswered",
            f"{self.replies} replies, {self.a_second:.0f} a second",
            f"reply: p50 {1e3 * self.p50:.0f} ms, p99 {1e3 * self.p99:.0f} ms, slowest {1e3 * self.slowest:.0f} ms",
            f"the flood: {len(self.flood)} answers, {self.asked_to_wait} of them to write less",
            f"memory: {self.idle:.0f} MiB idle, {self.peak:.0f} MiB at most",
        ]

    @property
    def asked_to_wait(self) -> int:
        """How often the flood was asked to slow down."""
        return self.flood.count(render(say("flood.unread"), "id"))

    def broken(self, plan: Plan) -> list[str]:
        """The broken promises."""
        places, minutes = min(plan.customers, plan.places * len(HOURS)), 1 + self.took / 60
        promises = {
            f"{places} bookings, as many as were told so": self.cars.total() == self.booked == places,
            "the others are turned away": self.turned_away == plan.customers - places,
            "no hour with more cars than places": max(self.cars.values()) <= plan.places,
            f"{READ} messages of a flood are read in a minute": len(self.flood) - self.asked_to_wait <= READ * minutes,
            "a flood is told so, once in a minute": plan.flood <= READ or 1 <= self.asked_to_wait <= minutes,
            f"99 of 100 replies within {plan.mostly} s": self.p99 <= plan.mostly,
            f"no more than {plan.memory} MiB for all of it": self.peak <= self.idle + plan.memory,
            "no bug": "Traceback" not in self.log,
        }
        return [promise for promise, is_kept in promises.items() if not is_kept] + self.unanswered


async def run(plan: Plan, folder: Path) -> Outcome:
    """Run the customers, the flood and the slow clients."""
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
            await flooding
        cars = await _cars(settings, nuisance)
        waits = [wait for customer in crowd for wait in customer.waits]
        cuts, outcomes = quantiles(waits, n=100), Counter(customer.booked for customer in crowd)
        return Outcome(
            booked=outcomes[True],
            turned_away=outcomes[False],
            unanswered=[customer.missing for customer in crowd if customer.booked is None],
            cars=cars,
            replies=len(waits),
            a_second=len(waits) / took,
            p50=cuts[49],
            p99=cuts[98],
            slowest=max(waits),
            flood=[bubble.text for bubble in nuisance.bubbles if bubble.author == "shop"],
            took=clock() - began,
            idle=idle,
            peak=_memory(server, "VmHWM"),
            log=server.log,
        )


async def _arrive(customer: Customer, number: int, plan: Plan) -> None:
    """Start at the customer's time; the burst in the middle starts at once."""
    middle = plan.customers // 2
    await asyncio.sleep((middle if middle <= number < middle + plan.burst else number) / plan.a_second)
    await customer.book(plan.patience)


@asynccontextmanager
async def _open(plan: Plan, folder: Path) -> AsyncIterator[tuple[StandIns, Settings, Server]]:
    async with stand_ins(app.now) as there:
        settings = _settings(plan, there, folder)
        database = app.database(settings)
        async with database.write() as session:
            await session.execute(delete(Technician))  # so that only places are scarce
        await database.close()
        server = Server(settings, folder / "process")
        there.connect_shop(settings.server.public_url)
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


def _settings(plan: Plan, there: StandIns, folder: Path) -> Settings:
    """The demo's shop, open every day so that the date of the run doesn't matter, without vendor rate limits."""
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


async def _cars(settings: Settings, nuisance: Person) -> Counter[datetime]:
    """Bookings that hold a place, by hour; waits until the flood is answered."""
    database = app.database(settings)
    unsaid = select(func.count()).where(Outbox.address == nuisance.address, Outbox.state.in_(["due", "sending"]))
    async with database.read() as session:
        while await session.scalar(unsaid):
            await session.rollback()  # start a new snapshot
            await asyncio.sleep(0.1)
        by_hour = select(Booking.starts_at, func.count()).where(Booking.holding).group_by(Booking.starts_at)
        cars = Counter(dict((await session.execute(by_hour)).all()))
    await database.close()
    return cars


def _memory(server: Server, what: str) -> float:
    """Resident memory now (VmRSS) or at its peak (VmHWM), in MiB."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024
