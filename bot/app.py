"""Builds all objects; the only module that reads the clock and random numbers.

settings ── serving ──> database, engine ──> intake <── webhooks (Telegram, Twilio, Midtrans)
                           │                    └─ wake ──> dispatcher ──> senders
                           ├── collector (payment links, notifications) <── ticks (apscheduler)
                           └── waitlist (offers of free slots) <── wake, ticks
"""

import asyncio
import base64
import gc
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from bot import vendors
from bot.background import ticker
from bot.background.burst_worker import BurstWorker
from bot.background.loop import Repeated
from bot.background.single_process import marked_as_serving, sqlite_lock
from bot.background.waitlist_worker import WaitlistWorker
from bot.channels.telegram import TelegramSender
from bot.config import Settings
from bot.intake import Intake
from bot.listening import explained
from bot.outbox.delivery_reports import DeliveryReports
from bot.outbox.dispatch import Dispatcher
from bot.papers.files import Library
from bot.papers.photos import Photos, PhotosAway
from bot.payments.payment_worker import PaymentWorker
from bot.payments.reconciliation_worker import Reconciler
from bot.receiving import receivers, running
from bot.timeouts import DEFAULT_TIMEOUTS, Timeouts
from bot.transactions import Transactions
from bot.vendors import Channels, plain
from bot.watching import housekeeping, logs, metrics
from bot.watching.oversight import Oversight
from conversations import person
from conversations.engine import Engine, Unread
from core import booking, payment, shop_settings
from core.catalogue.snapshot import Newest
from core.context import Work
from core.db import leases
from core.db.database import AWAY, Database, insert_once, upgrade
from core.db.tables import Contact, Secret
from core.messaging import outbox_claims
from core.notices import escalations
from core.refusals import BadPhotos
from core.shop import Shop
from webhooks import api, cors, files, midtrans, operators, payment_pages, telegram, twilio
from webhooks.app import make_app, make_runner, traced

RELEASE_EVERY = timedelta(minutes=1)
RECONCILE_EVERY = timedelta(minutes=1)
SHUTDOWN_TIMEOUT = timedelta(seconds=4)
"""Grace period for requests, and then for sending, at shutdown; the server must be gone within 10 s."""
LAST_TURNS_TIMEOUT = timedelta(seconds=1)
"""Grace period for turns of held messages, between the two."""
_ALPHABET = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
"""Crockford's base 32, without I, L, O and U, which are easily misread."""

_log = logging.getLogger(__name__)


def now() -> datetime:
    return datetime.now(UTC)


def fresh_id() -> str:
    """A new random id of 16 letters and digits that are easy to read aloud."""
    return base64.b32encode(secrets.token_bytes(10)).translate(_ALPHABET).decode()


def database(settings: Settings, timeouts: Timeouts | None = None) -> Database:
    """The database of the settings; makes a SQLite file's folder. Without timeouts, statements may take any time."""
    file = sqlite_file(settings)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    lock, statement = (timeouts.database, timeouts.statement) if timeouts else (DEFAULT_TIMEOUTS.database, None)
    return Database(settings.database.url, lock_timeout=lock, deadline=statement)


def sqlite_file(settings: Settings) -> Path | None:
    url = make_url(settings.database.url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


async def run(settings: Settings) -> None:
    # What is imported stays. A full garbage collection that went through it would hold everything up for 0.1 s.
    gc.freeze()
    logs.set_up(settings.server.log, settings.server.log_level, secrets=settings.secrets)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as url:
        _log.info("serving at %s", url)
        await stop.wait()
        _log.info("stopping")


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now,
    fresh: Callable[[], str] = fresh_id,
    tick: timedelta = timedelta(seconds=5),
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> AsyncIterator[str]:
    """Run the whole server while the block runs; yields its URL."""
    async with AsyncExitStack() as stack:
        opened = await _served_database(settings, clock, timeouts, stack)
        transactions = Transactions(opened, settings.shop, clock)
        await _take_settings(transactions, settings.shop)
        await _review_bookings(transactions)  # before a payment comes in: the settings may have changed
        photos, secret = _photos(settings), await _file_secret(opened, fresh)
        library = Library(opened, photos, secret, settings.server.public_url, transactions.shop, clock)
        channels = await stack.enter_async_context(vendors.channels(settings, clock=clock, timeouts=timeouts))
        workers = _workers(settings, transactions, channels, library, stack, timeouts)
        newest = Newest()
        intake = Intake(
            transactions,
            Engine(newest),
            fresh=fresh,
            keep_photo=_photo_keeper(photos, channels),
            send=workers.dispatcher.send,
            wake=workers.wake,
            second=await _second_reader(settings, stack, timeouts),
            limit=settings.server.chat_limit,
            gap=timedelta(seconds=settings.server.gather_seconds),
        )
        reports = DeliveryReports(transactions, channels=tuple(channels.senders), wake=workers.wake)
        last_seen = await _last_seen(opened)
        receiving = receivers(settings, opened, channels, intake, reports, last_seen=last_seen, clock=clock)
        parts = _parts(workers, intake, channels.telegram, receiving)
        oversight = Oversight(transactions, channels=tuple(channels.senders), parts=parts, wake=workers.wake)
        stack.push_async_callback(oversight.close)
        rest = api.Api(
            database=opened,
            shop=transactions.shop,
            shop_changed=partial(setattr, transactions, "shop"),
            clock=clock,
            fresh=fresh,
            wake=workers.wake,
            clerk=await vendors.clerk(settings, stack, timeouts),
            pay_link=workers.collector.link_for if workers.collector else None,
            file_link=library.link,
            keep_photo=photos.keep,
            newest=newest,
            rate_limit=settings.server.rate_limit,
            behind_proxy=settings.server.behind_proxy,
        )
        routes: list[web.AbstractRouteDef] = [
            *files.routes(secret=secret, load=library.download, now=clock),
            payment_pages.finish_page(transactions.shop),
            *_webhooks(settings, transactions, channels, workers.collector, intake, reports, page_secret=secret),
            *api.routes(rest, public_url=settings.server.public_url),
            *operators.routes(
                oversight.exposition,
                token=plain(settings.server.metrics_token) or None,
                behind_proxy=settings.server.behind_proxy,
            ),
        ]

        async def look() -> None:
            rest.use(await _take_settings(transactions, settings.shop))

        async def keep_current() -> None:
            with suppress(*AWAY):  # what needs the database says so
                await intake.refresh()

        # Before somebody asks: a large catalogue takes seconds.
        await keep_current()
        ticks = [
            *_ticks(settings, transactions, photos, workers, stack),
            *oversight.ticks(tick),
            ticker.Tick("settings", tick, look),  # another process may have changed them
            ticker.Tick("catalogue", tick, keep_current),
        ]
        _start(stack, workers, intake, fresh, tick, ticks)
        # Closed before the loops, so that they send the replies of a last turn.
        url = await _listen(settings, routes, oversight.ready, fresh, stack)
        stack.enter_context(running(receiving))
        yield url


async def _take_settings(transactions: Transactions, configured: Shop) -> Shop:
    """Use the shop's settings as they are now."""
    async with transactions.read() as ctx:
        transactions.shop = await shop_settings.load(ctx.session, configured)
    return transactions.shop


@asynccontextmanager
async def intake_beside(settings: Settings, opened: Database) -> AsyncIterator[Intake]:
    """An intake for `replay` outside of the server, whose loops send what it writes."""
    async with vendors.channels(settings, clock=now) as channels:
        transactions = Transactions(opened, settings.shop, now)
        await _take_settings(transactions, settings.shop)
        yield Intake(
            transactions,
            Engine(),
            fresh=fresh_id,
            keep_photo=_photo_keeper(_photos(settings), channels),
            send=lambda _: None,
            wake=lambda *_: None,
        )


# --- building --------------------------------------------------------------------------------------


Worker = Dispatcher | WaitlistWorker | PaymentWorker | BurstWorker


@dataclass(frozen=True, slots=True)
class Workers:
    """The loops that do what a transaction has left; `collector` is None while payment by link is off."""

    dispatcher: Dispatcher
    waitlist: WaitlistWorker
    collector: PaymentWorker | None

    @property
    def loops(self) -> list[Worker]:
        return [self.dispatcher, self.waitlist, *([self.collector] if self.collector else [])]

    def wake(self, *work: Work) -> None:
        """Wake the workers for these kinds of work; without a kind, all of them."""
        self.dispatcher.wake(*work)
        if self.collector and (not work or Work.PAYMENTS in work):
            self.collector.wake()
        if not work or Work.WAITLIST in work:
            self.waitlist.wake()


async def _second_reader(
    settings: Settings, stack: AsyncExitStack, timeouts: Timeouts
) -> Callable[[Unread], Awaitable[tuple[Any, ...]]] | None:
    reader = vendors.second_reader(settings, timeouts)
    if reader is None:
        return None
    stack.push_async_callback(reader.close)
    _log.info("Lines that the bot can't read go to a second reader at %s, masked", settings.second_reader.url)
    return reader.read


def chance() -> float:
    """A random number from 0 to 1 (jitter)."""
    return secrets.randbelow(1 << 20) / (1 << 20)


async def _served_database(
    settings: Settings, clock: Callable[[], datetime], timeouts: Timeouts, stack: AsyncExitStack
) -> Database:
    """The migrated database, marked as served; a process that starts alone takes over all leases."""
    opened = database(settings, timeouts)
    stack.push_async_callback(opened.close)
    await upgrade(opened)
    if file := sqlite_file(settings):
        stack.enter_context(sqlite_lock(file))

    async def take_over() -> None:
        async with opened.write() as session:
            await outbox_claims.end_leases(session, now=clock())
            await leases.end_all(session, now=clock())

    await stack.enter_async_context(marked_as_serving(opened, if_alone=take_over))
    return opened


async def _review_bookings(transactions: Transactions) -> None:
    """Find the bookings that settings or imported files have made impossible."""
    async with transactions.read() as ctx:
        if not await booking.has_news(ctx):
            return
    async with transactions.write() as ctx:
        await booking.review(ctx)


async def _renew_calls(transactions: Transactions) -> None:
    """Send the cards of customers who still wait for a person again."""
    async with transactions.read() as ctx:
        waiting = await escalations.due(ctx)
    for contact_id in waiting:
        async with transactions.write() as ctx:
            await person.renew(ctx, contact_id)


def _photos(settings: Settings) -> Photos:
    return Photos(settings.server.photos, lambda: secrets.token_hex(16))


def _photo_keeper(photos: Photos, channels: Channels) -> Callable[[str, str], Awaitable[str | None]]:
    """A function that stores what was sent by channel and handle and returns its key, or None if it can't be kept."""

    async def keep(channel: str, handle: str) -> str | None:
        content = await channels.fetch(channel, handle)
        try:
            return await photos.keep_any(content) if content else None
        except BadPhotos:
            return None
        except OSError as error:
            # Not an error in AWAY, which would have the vendor send the message again and again.
            raise PhotosAway(str(error)) from error

    return keep


def _workers(
    settings: Settings,
    transactions: Transactions,
    channels: Channels,
    library: Library,
    stack: AsyncExitStack,
    timeouts: Timeouts,
) -> Workers:
    dispatcher = Dispatcher(
        transactions,
        channels.senders,
        files=library.file,
        pay_page=library.pay_page,
        chance=chance,
        per_second={"telegram": settings.telegram.per_second, "whatsapp": settings.whatsapp.per_second},
    )
    collector = None
    if midtrans_client := vendors.midtrans(settings, timeouts):
        stack.callback(midtrans_client.close)
        finish_url = settings.server.public_url + payment_pages.FINISHED
        collector = PaymentWorker(
            transactions, midtrans_client, finish_url=finish_url, chance=chance, wake_dispatch=dispatcher.wake
        )
    else:
        _log.warning("Payment by link is off: BENGKEL_MIDTRANS__SERVER_KEY is not set")
    return Workers(dispatcher, WaitlistWorker(transactions, wake_dispatch=dispatcher.wake), collector)


def _webhooks(
    settings: Settings,
    transactions: Transactions,
    channels: Channels,
    collector: PaymentWorker | None,
    intake: Intake,
    reports: DeliveryReports,
    *,
    page_secret: bytes,
) -> list[web.RouteDef]:
    routes: list[web.RouteDef] = []
    if channels.telegram and settings.telegram.mode == "webhook":
        secret = plain(settings.telegram.webhook_secret)
        routes += telegram.routes(secret=secret, take=intake.take, answer=channels.telegram.answer)
    if channels.whatsapp:
        routes += twilio.routes(
            auth_token=plain(settings.whatsapp.auth_token),
            public_url=settings.server.public_url,
            take=intake.take,
            delivered=reports.note,
        )
    if collector:
        key = plain(settings.midtrans.server_key)
        routes += midtrans.routes(transactions.database, server_key=key, clock=transactions.clock, wake=collector.wake)
        routes += payment_pages.again(
            transactions.database,
            settings.shop,
            secret=page_secret,
            clock=transactions.clock,
            pay_link=collector.link_for,
        )
    return routes


def _parts(
    workers: Workers, intake: Intake, bot: TelegramSender | None, receiving: Mapping[str, Repeated]
) -> Mapping[str, Callable[[], str | None]]:
    """What /readyz checks: why each part doesn't work, or None."""
    parts: dict[str, Callable[[], str | None]] = {
        "dispatcher": lambda: workers.dispatcher.trouble,
        "waiting": lambda: workers.waitlist.trouble,
        "bursts": lambda: intake.bursts.trouble,
    }
    if collector := workers.collector:
        parts["payments"] = lambda: collector.trouble
    if bot:
        parts["telegram"] = lambda: receiving["telegram"].trouble or (None if bot.joined else "not joined yet")
    if "whatsapp" in receiving:
        parts["whatsapp"] = lambda: receiving["whatsapp"].trouble
    return parts


def _ticks(
    settings: Settings, transactions: Transactions, photos: Photos, workers: Workers, stack: AsyncExitStack
) -> list[ticker.Tick]:
    async def release() -> None:
        """Release the holds of unpaid bookings; remind of payments whose slot is lost, of impossible bookings and of
        customers who wait for a person.
        """
        await _review_bookings(transactions)
        async with transactions.write() as ctx:
            await payment.end_holds(ctx)
            await payment.remind_of_lost_slots(ctx)
            await booking.remind_of_impossible(ctx)
        await _renew_calls(transactions)

    ticks = [
        ticker.Tick("release", RELEASE_EVERY, release),
        *housekeeping.backups(settings.backup, sqlite_file(settings), transactions),
        housekeeping.forgetting(settings.privacy, transactions, photos),
    ]
    # A client of its own, so that payments at night don't wait for the reconciliation.
    if account := vendors.midtrans(settings):
        stack.callback(account.close)
        reconciler = Reconciler(transactions, account, wake=workers.wake)
        ticks.append(ticker.Tick("reconciliation", RECONCILE_EVERY, reconciler.nightly))
    return ticks


async def _file_secret(database: Database, fresh: Callable[[], str]) -> bytes:
    """The secret that signs file links, created at the first start."""
    async with database.write() as session:
        await insert_once(session, Secret, name="files", value=fresh() + fresh())
        return (await session.scalars(select(Secret.value).where(Secret.name == "files"))).one().encode()


async def _listen(
    settings: Settings,
    routes: list[web.AbstractRouteDef],
    ready: Callable[[], Awaitable[Mapping[str, str]]],
    fresh: Callable[[], str],
    stack: AsyncExitStack,
) -> str:
    app = make_app(routes, ready=ready, away=metrics.away, around=[traced(fresh), metrics.counted])
    cors.allow(app, settings.server.cors_origins)
    runner = make_runner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    host, port = settings.server.host, settings.server.port
    with explained(host, port, setting="server.host, server.port"):
        await web.TCPSite(runner, host, port).start()
    return f"http://{settings.server.host}:{runner.addresses[0][1]}"


def _start(
    stack: AsyncExitStack,
    workers: Workers,
    intake: Intake,
    fresh: Callable[[], str],
    tick: timedelta,
    ticks: Sequence[ticker.Tick],
) -> None:
    """Start the loops and the ticks; at shutdown the ticks stop first, then what takes turns, then what sends."""
    _run(stack, workers.loops, SHUTDOWN_TIMEOUT)
    _run(stack, [intake.bursts], LAST_TURNS_TIMEOUT)

    async def wake_all() -> None:
        workers.wake()
        intake.bursts.wake()

    scheduler = ticker.start([ticker.Tick("wake", tick, wake_all), *ticks], fresh=fresh)
    stack.callback(scheduler.shutdown, wait=False)
    workers.wake()


def _run(stack: AsyncExitStack, loops: Sequence[Worker], grace: timedelta) -> None:
    running = [asyncio.create_task(loop.run()) for loop in loops]
    stack.push_async_callback(_finish, loops, running, grace)


async def _finish(loops: Sequence[Worker], running: Sequence[asyncio.Task[None]], grace: timedelta) -> None:
    """Let the loops finish; work that takes too long stays claimed or held, and another process retries it."""
    for loop in loops:
        loop.stop()
    await asyncio.wait(running, timeout=grace.total_seconds())
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _last_seen(database: Database) -> datetime | None:
    async with database.read() as session:
        return await session.scalar(select(func.max(Contact.last_seen_at)).where(Contact.channel == "whatsapp"))
