"""Kills the server repeatedly while customers book, and checks the final state.

customers ── phones ──> vendors (in this process) ──> proxy ──> server processes <── SIGKILL, start

Rivals want the same hour at the same moment. Once they are answered, the first who got a place has the job done, the
next cancels, and the third keeps the booking.
"""

import asyncio
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random  # noqa: TID251 seeded, and the seed is printed

from patrons import Fate, Owner, Patron
from servers import BENGKEL, Proxy, Server
from sqlalchemy import select, update
from verdict import ON_HAND, Verdict, judge

from bot import app
from bot.config import Settings
from bot.sandbox.demo import OWNER, TECHNICIAN, WORKSHOP, free_port, settings_for
from bot.sandbox.server import StandIns, stand_ins
from core.db.database import Database
from core.db.tables import Outbox, Part, PaymentNotification, Refund
from core.shop import Shop

RETRY_FACTOR = 1 / 60
"""Midtrans' first retry comes after two minutes; here after two seconds."""
HOURS = (9, 11, 13, 15)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Plan:
    """The parameters of a run."""

    database_url: str
    """Migrated, with the demo catalogue."""
    seed: int
    kills: int
    processes: int = 1
    rivals: tuple[str, ...] = ("telegram", "telegram", "whatsapp")
    """Messengers of the customers who want the same hour: one more than it has places."""
    hours_at_once: int = 1
    """Hours that are contested at the same time."""
    held_for: timedelta = timedelta()
    """How long the proxy holds a request while no server is up; Twilio gives up after two requests."""
    patience: timedelta = timedelta(minutes=3)
    program: str = BENGKEL
    mode: str = "webhook"
    gather_seconds: float = 0

    @property
    def places(self) -> int:
        """Places per hour."""
        return len(self.rivals) - 1


@dataclass(frozen=True)
class Outcome:
    """The result of a run."""

    verdict: Verdict
    slowest: float
    """The longest wait for an answer, in seconds."""
    logs: str


async def run(plan: Plan, folder: Path) -> Outcome:
    """Kill the servers, wait until nothing is in progress, and check the state."""
    faults = _Faults()
    logging.getLogger("aiohttp.server").addHandler(faults)
    async with town(plan, folder) as (there, settings, servers):
        patrons = await _busy_day(plan, there, servers)
        database = app.database(settings)
        try:
            unfinished = await _wait_until_idle(database, there, plan.patience)
            verdict = await judge(there, database, patrons, plan.places)
        finally:
            await database.close()
        logs = "\n".join(server.log for server in servers)
    verdict.expect(not unfinished, f"never came to an end: {unfinished}")
    _, bug, trace = logs.partition("Traceback")
    verdict.expect(not bug, f"a bug: {trace[:3000]}")
    verdict.counts["kills"] = plan.kills
    verdict.counts |= faults.counts
    return Outcome(verdict, max(patron.slowest for patron in patrons), logs)


class _Faults(logging.Handler):
    """Counts exceptions in the stand-ins: requests whose caller was killed, or bugs of the stand-ins."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter[str]()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        self.counts[f"answered 500 by a vendor: {error!r}"] += 1


@contextlib.asynccontextmanager
async def town(plan: Plan, folder: Path) -> AsyncIterator[tuple[StandIns, Settings, list[Server]]]:
    """Run the stand-ins, and the server processes behind a proxy."""
    async with stand_ins(app.now) as there:
        there.midtrans.notifications.retry_factor = RETRY_FACTOR
        there.world.add_staff("owner", OWNER, "Ibu Rina", phone="+628111000001")
        there.world.add_staff("technician", TECHNICIAN, "Dedi", phone="+6281219000101")
        settings = _settings(plan, there, folder)
        await _fill_the_shelves(settings)
        servers = [Server(settings, folder / f"process-{number}", plan.program) for number in range(plan.processes)]
        there.connect_shop(settings.server.public_url)
        async with Proxy(*servers, held_for=plan.held_for).listening(settings.server.port):
            await asyncio.gather(*(server.start() for server in servers))
            try:
                yield there, settings, servers
            finally:
                await asyncio.gather(*(server.close() for server in servers))


async def _busy_day(plan: Plan, there: StandIns, servers: list[Server]) -> list[Patron]:
    """New customers come while servers are killed; then the present ones finish."""
    chance, patrons = Random(plan.seed), list[Patron]()
    hours, fates, over = itertools.count(), itertools.cycle((Fate.DONE, Fate.CANCELLED, Fate.BOOKED)), asyncio.Event()
    owner = Owner(there.world.phones["owner"], plan.patience)

    async def hours_in_turn() -> None:
        while not over.is_set() or not patrons:
            day, hour = divmod(next(hours), len(HOURS))
            people = [there.world.new_customer(channel) for channel in plan.rivals]
            rivals = [Patron(person, day + 2, HOURS[hour], plan.patience) for person in people]
            patrons.extend(rivals)
            await asyncio.gather(*(patron.book(there) for patron in rivals))
            # Not earlier: another rival could get a place that is given back.
            lucky = [patron for patron in rivals if patron.fate is Fate.BOOKED]
            await asyncio.gather(*(_finish(next(fates), patron, owner) for patron in lucky))

    closed = asyncio.Event()
    resending = asyncio.create_task(owner.resend_failed_messages(closed))
    coming = [asyncio.create_task(hours_in_turn()) for _ in range(plan.hours_at_once)]
    for _ in range(plan.kills):
        await asyncio.sleep(chance.uniform(0.1, 2))
        server = chance.choice(servers)
        await server.kill()
        await asyncio.sleep(chance.uniform(0, 0.5))
        await server.start()
    over.set()
    await asyncio.gather(*coming)
    closed.set()
    await resending
    return patrons


async def _finish(fate: Fate, patron: Patron, owner: Owner) -> None:
    if fate is Fate.DONE:
        await patron.have_it_done(owner)
    elif fate is Fate.CANCELLED:
        await patron.cancel()


async def _wait_until_idle(database: Database, there: StandIns, patience: timedelta) -> list[str]:
    """Wait until nothing is in progress; returns what is left after the timeout."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience.total_seconds()):
            while await _unfinished(database, there):  # noqa: ASYNC110 another process ends it
                await asyncio.sleep(0.1)
    return await _unfinished(database, there)


async def _unfinished(database: Database, there: StandIns) -> list[str]:
    waiting = select(Outbox).where(Outbox.state.in_(["due", "sending"]), Outbox.due_at <= app.now())
    noted = select(PaymentNotification).where(PaymentNotification.due_at.is_not(None))
    owed = select(Refund).where(Refund.due_at.is_not(None))
    async with database.read() as session:
        messages = [f"{row.key} {row.state} {row.error}" for row in await session.scalars(waiting)]
        money = [f"{row.order_id}" for query in (noted, owed) for row in await session.scalars(query)]
    updates = [f"update {number} of Telegram" for number in there.world.telegram.pending]
    return messages + money + updates + _undelivered(there)


def _undelivered(there: StandIns) -> list[str]:
    messages = [each for each in there.world.whatsapp.messages.values() if each.direction == "outbound-api"]
    return [f"{each.sid} {each.status}" for each in messages if each.status not in ("read", "failed")]


def _settings(plan: Plan, there: StandIns, folder: Path) -> Settings:
    """The demo's shop, open every day so that the date of the run doesn't matter."""
    settings = settings_for(
        there, folder=folder, database=plan.database_url, port=free_port(), gather_seconds=plan.gather_seconds
    )
    rules = {
        "opening_hours": dict.fromkeys(DAYS, "09:00-17:00"),
        "closed_on_public_holidays": False,
        "max_bookings_per_slot": plan.places,
    }
    telegram = settings.telegram.model_copy(update={"mode": plan.mode})
    return settings.model_copy(update={"workshop": Shop.model_validate(WORKSHOP | rules), "telegram": telegram})


async def _fill_the_shelves(settings: Settings) -> None:
    database = app.database(settings)
    async with database.write() as session:
        await session.execute(update(Part).values(on_hand=ON_HAND))
    await database.close()
