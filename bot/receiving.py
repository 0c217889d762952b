"""What goes on beside the webhooks as long as the server runs, whatever bug it meets.

telegram    Telegram is told where we are, or polled
whatsapp    messages that no webhook brought are fetched
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
JOIN_AGAIN = timedelta(hours=1)

_log = logging.getLogger(__name__)


def going_on(
    settings: Settings,
    database: Database,
    channels: Channels,
    intake: Intake,
    reports: DeliveryReports,
    *,
    last_seen: datetime | None,
    clock: Callable[[], datetime],
) -> Mapping[str, Repeated]:
    """The duties by their names; `last_seen`: when somebody was last heard on WhatsApp."""
    duties: dict[str, Repeated] = {}
    if channels.telegram:
        join = partial(_join_telegram, channels.telegram, settings, database, intake)
        duties["telegram"] = Repeated("telegram", join)
    if channels.whatsapp:
        # Where nobody ever wrote to this installation, what lies at Twilio isn't for it.
        since = last_seen or clock()
        take = partial(intake.take_missed, "whatsapp")
        missed = partial(catch_up, channels.whatsapp, since=since, take=take, note=reports.note, clock=clock)
        duties["whatsapp"] = Repeated("what was missed of WhatsApp", missed)
    return duties


@contextlib.contextmanager
def carried_out(duties: Mapping[str, Repeated]) -> Iterator[None]:
    """Carry them out while the block runs."""
    tasks = [asyncio.create_task(duty.run()) for duty in duties.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _join_telegram(sender: TelegramSender, settings: Settings, database: Database, intake: Intake) -> None:
    """Tell Telegram where we are, from time to time lest it forgot; or poll, where that is the mode and our part."""
    webhook = None
    if settings.telegram.mode == "webhook":
        webhook = (f"{settings.server.public_url}/webhooks/telegram", plain(settings.telegram.webhook_secret))
    while True:
        await _announce(sender, webhook)
        if webhook is None:
            polling = partial(poll, sender.bot, take=intake.take, answer=sender.answer)
            await in_one_process(database, "polling", polling)
        await asyncio.sleep(JOIN_AGAIN.total_seconds())


async def _announce(sender: TelegramSender, webhook: tuple[str, str] | None) -> None:
    for failures in itertools.count():
        try:
            await sender.announce(COMMANDS, webhook)
        except TelegramError as error:
            _log.warning("Telegram can't be reached yet: %s", error)
            await asyncio.sleep(backoff(failures).total_seconds())
        else:
            break
