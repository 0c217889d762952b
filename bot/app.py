"""The one place where objects are built, and where the clock is read and chance is drawn.

settings ── serving ──> database, engine ──> intake <── webhooks (Telegram, Twilio, Midtrans)
                           │                    └─ wake ──> dispatcher ──> senders
                           ├── collector (payment links, notifications) <── ticks (apscheduler)
                           └── line (offers to who waits) <── wake, ticks
"""

import asyncio
import base64
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aiohttp import web
from core.context import Context
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from bot import vendors
from bot.background import ticker
from bot.background.loop import Repeated
from bot.background.single_process import marked_as_serving, sqlite_lock
from bot.background.waitlist_worker import WaitlistWorker
from bot.channels.telegram import TelegramSender
from bot.config import Settings
from bot.intake import Intake
from bot.outbox.delivery_reports import DeliveryReports
from bot.outbox.dispatch import Dispatcher
from bot.papers.files import Library
from bot.papers.photos import Photos, PhotosAway
from bot.payments.payment_worker import PaymentWorker
from bot.payments.reconciliation_worker import Reconciler
from bot.receiving import carried_out, going_on
from bot.rest import rest
from bot.timeouts import USUAL, Patience
from bot.vendors import Channels, plain
from bot.watching import housekeeping, logs, metrics
from bot.watching.oversight import Oversight
from conversations.engine import Engine
from core.db.database import Database, Work, insert_once, upgrade
from core.db.tables import Contact, Secret
from core.payment import payment_requests, slot_lost
from core.refusals import BadPhotos
from core.shop import Shop
from core.upkeep import leases
from webhooks import api, cors, files, midtrans, operators, pages, telegram, twilio
from webhooks.app import make_app, make_runner, traced

RELEASE_EVERY = timedelta(minutes=1)
LONGEST_END = timedelta(seconds=4)
"""How long requests, and then what is being sent, have to end when the server stops: it must be gone in 10 s."""
_ALPHABET = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
"""Crockford's base 32: no I, L, O or U to misread."""

_log = logging.getLogger(__name__)


def now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)


def fresh_id() -> str:
    """A new random id of 16 letters and digits that people can read to each other."""
    return base64.b32encode(secrets.token_bytes(10)).translate(_ALPHABET).decode()


def database(settings: Settings, patience: Patience | None = None) -> Database:
    """The database of the settings, waited for that long, or (None) as long as it takes; a SQLite file's folder is made."""
    file = sqlite_file(settings)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    lock, statement = (patience.database, patience.statement) if patience else (USUAL.database, None)
    return Database(settings.database.url, patience=lock, deadline=statement)


def database_exists(settings: Settings) -> bool:
    """Whether there is a database to look into, without making one."""
    file = sqlite_file(settings)
    return file is None or file.exists()


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite database, None for PostgreSQL."""
    url = make_url(settings.database.url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    logs.set_up(settings.server.log, settings.server.log_level, secrets=settings.secrets)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
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
    patience: Patience = USUAL,
) -> AsyncIterator[str]:
    """The whole server while it is up, and the address it listens on; everything is closed in the end."""
    async with AsyncExitStack() as stack:
        shop, opened = settings.shop, database(settings, patience)
        stack.push_async_callback(opened.close)
        await upgrade(opened)
        if file := sqlite_file(settings):
            stack.enter_context(sqlite_lock(file))
        await stack.enter_async_context(marked_as_serving(opened, if_alone=partial(_take_over, opened, clock)))
        secret = await _kept_secret(opened, fresh)
        photos = Photos(settings.server.photos, lambda: secrets.token_hex(16))
        library = Library(opened, photos, secret, settings.server.public_url, shop, clock)
        channels = await stack.enter_async_context(vendors.channels(settings, clock=clock, patience=patience))
        dispatcher = Dispatcher(
            opened,
            channels.senders,
            files=library.file,
            shop=shop,
            clock=clock,
            chance=chance,
            per_second={"telegram": settings.telegram.per_second, "whatsapp": settings.whatsapp.per_second},
        )
        collector = _collector(settings, opened, dispatcher, clock, stack, patience)
        line = WaitlistWorker(opened, shop=shop, clock=clock, wake_dispatch=dispatcher.wake)

        def wake(*work: Work) -> None:
            dispatcher.wake(*work)
            if collector and (not work or Work.PAYMENTS in work):
                collector.wake()
            if not work or Work.WAITLIST in work:
                line.wake()

        intake = Intake(
            opened,
            Engine(shop),
            shop,
            clock=clock,
            fresh=fresh,
            keep_photo=_keeping(photos, channels),
            send=dispatcher.send,
            wake=wake,
            limit=settings.server.chat_limit,
        )
        web_api = await rest(
            settings,
            opened,
            collector,
            photos,
            file_link=library.link,
            clock=clock,
            fresh=fresh,
            wake=wake,
            stack=stack,
            patience=patience,
        )
        reports = DeliveryReports(opened, shop, channels=tuple(channels.senders), clock=clock, wake=wake)
        duties = going_on(settings, opened, channels, intake, reports, last_seen=await _last_seen(opened), clock=clock)
        oversight = Oversight(
            opened,
            shop,
            channels=tuple(channels.senders),
            parts=_parts(dispatcher, line, collector, channels.telegram, duties),
            clock=clock,
            wake=wake,
        )
        stack.push_async_callback(oversight.close)
        routes: list[web.AbstractRouteDef] = [
            *files.routes(secret=secret, load=library.download, now=clock),
            *pages.routes(shop),
            *_webhooks(settings, opened, channels, collector, intake, reports, clock),
            *api.routes(web_api, public_url=settings.server.public_url),
            *operators.routes(
                oversight.exposition,
                token=plain(settings.server.metrics_token) or None,
                behind_proxy=settings.server.behind_proxy,
            ),
        ]
        ticks = [
            ticker.Tick("release", RELEASE_EVERY, partial(_release, opened, shop, clock)),
            *housekeeping.backups(settings.backup, sqlite_file(settings), opened, shop=shop, clock=clock),
            housekeeping.forgetting(settings.privacy, opened, photos, clock=clock),
            *oversight.ticks(tick),
        ]
        if account := vendors.midtrans(settings):  # of its own: who pays at night doesn't wait for the comparison
            stack.callback(account.close)
            ticks.append(Reconciler(opened, account, shop=shop, clock=clock, wake=wake).tick())
        await _start(stack, [dispatcher, line, *([collector] if collector else [])], wake, fresh, tick, ticks)
        # Closed first: what a turn that is still being taken hands over is sent.
        url = await _listen(settings, routes, oversight.ready, fresh, stack)
        stack.enter_context(carried_out(duties))
        yield url


@asynccontextmanager
async def intake_beside(settings: Settings, opened: Database) -> AsyncIterator[Intake]:
    """An intake for `replay`, beside a server or without one: what it writes is sent by a server's loops."""
    async with vendors.channels(settings, clock=now) as channels:
        photos = Photos(settings.server.photos, lambda: secrets.token_hex(16))
        yield Intake(
            opened,
            Engine(settings.shop),
            settings.shop,
            clock=now,
            fresh=fresh_id,
            keep_photo=_keeping(photos, channels),
            send=lambda _: None,
            wake=lambda *_: None,
        )


# --- building --------------------------------------------------------------------------------------


def chance() -> float:
    """A random number from 0 to 1 (jitter)."""
    return secrets.randbelow(1 << 20) / (1 << 20)


def _keeping(photos: Photos, channels: Channels) -> Callable[[str, str], Awaitable[str | None]]:
    """Stores a photo that somebody sent on a channel; answers its key, None for what is no photo."""

    async def keep(channel: str, handle: str) -> str | None:
        content = await channels.fetch(channel, handle)
        try:
            return await photos.keep(content) if content else None
        except BadPhotos:
            return None
        except OSError as error:
            # Not the database's trouble, which would have the message come again and again before all others.
            raise PhotosAway(str(error)) from error

    return keep


def _collector(
    settings: Settings,
    database: Database,
    dispatcher: Dispatcher,
    clock: Callable[[], datetime],
    stack: AsyncExitStack,
    patience: Patience,
) -> PaymentWorker | None:
    vendor = vendors.midtrans(settings, patience)
    if vendor is None:
        _log.warning("Payment by link is off: BENGKEL_MIDTRANS__SERVER_KEY is not set")
        return None
    stack.callback(vendor.close)
    return PaymentWorker(
        database,
        vendor,
        shop=settings.shop,
        finish_url=settings.server.public_url + pages.FINISHED,
        clock=clock,
        chance=chance,
        wake_dispatch=dispatcher.wake,
    )


def _webhooks(
    settings: Settings,
    database: Database,
    channels: Channels,
    collector: PaymentWorker | None,
    intake: Intake,
    reports: DeliveryReports,
    clock: Callable[[], datetime],
) -> list[web.RouteDef]:
    """Where the vendors that are on call us."""
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
        routes += midtrans.routes(database, server_key=key, clock=clock, wake=collector.wake)
    return routes


def _parts(
    dispatcher: Dispatcher,
    line: WaitlistWorker,
    collector: PaymentWorker | None,
    bot: TelegramSender | None,
    duties: Mapping[str, Repeated],
) -> Mapping[str, Callable[[], str | None]]:
    """What must work for the server to be ready: why each doesn't, None where it does."""
    parts: dict[str, Callable[[], str | None]] = {
        "dispatcher": lambda: dispatcher.trouble,
        "waiting": lambda: line.trouble,
    }
    if collector:
        parts["payments"] = lambda: collector.trouble
    if bot:
        parts["telegram"] = lambda: duties["telegram"].trouble or (None if bot.joined else "not joined yet")
    if "whatsapp" in duties:
        parts["whatsapp"] = lambda: duties["whatsapp"].trouble
    return parts


async def _take_over(database: Database, clock: Callable[[], datetime]) -> None:
    async with database.write() as session:
        await leases.take_over(session, now=clock())


async def _kept_secret(database: Database, fresh: Callable[[], str]) -> bytes:
    """The secret that signs links to files: made at the first start, the same ever after."""
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
    await web.TCPSite(runner, settings.server.host, settings.server.port).start()
    return f"http://{settings.server.host}:{runner.addresses[0][1]}"


async def _start(
    stack: AsyncExitStack,
    loops: Sequence[Dispatcher | PaymentWorker | WaitlistWorker],
    wake: Callable[[], None],
    fresh: Callable[[], str],
    tick: timedelta,
    ticks: Sequence[ticker.Tick],
) -> None:
    """The loops and the ticks; stopped in the reverse order, the loops after what they are doing."""
    running = [asyncio.create_task(loop.run()) for loop in loops]
    stack.push_async_callback(_finish, loops, running)

    async def look() -> None:
        wake()

    scheduler = ticker.start([ticker.Tick("look", tick, look), *ticks], fresh=fresh)
    stack.callback(scheduler.shutdown, wait=False)
    wake()


async def _release(database: Database, shop: Shop, clock: Callable[[], datetime]) -> None:
    """Give back what unpaid bookings held, and remind of money that waits for a place."""
    async with database.write() as session:
        await payment_requests.end_holds(Context(session, shop, clock()))
        await slot_lost.remind(Context(session, shop, clock()))


async def _finish(
    loops: Sequence[Dispatcher | PaymentWorker | WaitlistWorker], running: Sequence[asyncio.Task[None]]
) -> None:
    """Let them end what they are doing; what a vendor holds up longer is left claimed, and tried again by who comes next."""
    for loop in loops:
        loop.stop()
    await asyncio.wait(running, timeout=LONGEST_END.total_seconds())
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _last_seen(database: Database) -> datetime | None:
    """When somebody was last heard on WhatsApp."""
    async with database.read() as session:
        return await session.scalar(select(func.max(Contact.last_seen_at)).where(Contact.channel == "whatsapp"))
