"""Receiving beside the webhooks, as long as the server runs.

telegram    tell Telegram the webhook's URL, or poll
whatsapp    fetch messages that no webhook delivered
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from telegram.error import TelegramError

from bot.background.loop import Repeated
from bot.background.single_process import in_one_process
from bot.channels.telegram import TelegramSender
from bot.channels.telegram_polling import backoff, poll
from bot.channels.whatsapp_catch_up import catch_up
from bot.config import Settings
from bot.intake import Intake
from bot.outbox.delivery_reports import DeliveryReports
from bot.vendors import Channels, plain
from core.db.database import Database
from core.messaging.messages import say

COMMANDS = {
    "booking": say("command.booking"),
    "bookings": say("command.bookings"),
    "menu": say("command.menu"),
    "help": say("command.help"),
    "cancel": say("command.cancel"),
}
ANNOUNCE_EVERY = timedelta(hours=1)

_log = logging.getLogger(__name__)


def receivers(
    settings: Settings,
    database: Database,
    channels: Channels,
    intake: Intake,
    reports: DeliveryReports,
    *,
    last_seen: datetime | None,
    clock: Callable[[], datetime],
) -> Mapping[str, Repeated]:
    """The tasks by name; `last_seen` is when a customer last wrote on WhatsApp."""
    found: dict[str, Repeated] = {}
    if channels.telegram:
        receive = partial(_receive_telegram, channels.telegram, settings, database, intake)
        found["telegram"] = Repeated("telegram", receive)
    if channels.whatsapp:
        # If nobody ever wrote to this installation, Twilio's older messages belong to another one.
        since = last_seen or clock()
        take = partial(intake.take_missed, "whatsapp")
        missed = partial(catch_up, channels.whatsapp, since=since, take=take, note=reports.note, clock=clock)
        found["whatsapp"] = Repeated("WhatsApp catch-up", missed)
    return found


@contextlib.contextmanager
def running(repeated: Mapping[str, Repeated]) -> Iterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in repeated.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _receive_telegram(sender: TelegramSender, settings: Settings, database: Database, intake: Intake) -> None:
    """Announce the bot to Telegram once an hour, or poll in one of the processes."""
    webhook = None
    if settings.telegram.mode == "webhook":
        webhook = (f"{settings.server.public_url}/webhooks/telegram", plain(settings.telegram.webhook_secret))
    while True:
        await _announce(sender, webhook)
        if webhook is None:
            polling = partial(poll, sender.bot, take=intake.take, answer=sender.answer)
            await in_one_process(database, "polling", polling)
        await asyncio.sleep(ANNOUNCE_EVERY.total_seconds())


async def _announce(sender: TelegramSender, webhook: tuple[str, str] | None) -> None:
    for failures in itertools.count():
        try:
            await sender.announce(COMMANDS, webhook)
        except TelegramError as error:
            _log.warning("Telegram can't be reached yet: %s", error)
            await asyncio.sleep(backoff(failures).total_seconds())
        else:
            break
