"""Clients of all vendors, built from the settings; a vendor without credentials is off, which is logged."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import ClientSession, ClientTimeout
from pydantic import SecretStr

from bot.channels.email import Email
from bot.channels.sending import Sender
from bot.channels.telegram import TelegramSender, make_bot
from bot.channels.whatsapp import WhatsAppSender
from bot.config import Settings
from bot.payments.midtrans_client import Midtrans
from bot.second_reader import SecondReader
from bot.timeouts import DEFAULT_TIMEOUTS, Timeouts
from webhooks.api.auth import Clerk, KeySet, fetch_keys

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels; None for one that is off."""

    telegram: TelegramSender | None
    whatsapp: WhatsAppSender | None
    email: Email | None

    @property
    def senders(self) -> dict[str, Sender]:
        named = {"telegram": self.telegram, "whatsapp": self.whatsapp, "email": self.email}
        return {name: sender for name, sender in named.items() if sender}

    async def fetch(self, channel: str, handle: str) -> bytes | None:
        """A media file that a person sent, by the channel's handle."""
        source = {"telegram": self.telegram, "whatsapp": self.whatsapp}.get(channel)
        return await source.fetch(handle) if source else None


@asynccontextmanager
async def channels(
    settings: Settings, *, clock: Callable[[], datetime], timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> AsyncIterator[Channels]:
    """The channels of the settings, closed at the end."""
    async with AsyncExitStack() as stack:
        opened = Channels(telegram(settings, timeouts), whatsapp(settings, timeouts), _email(settings, clock, timeouts))
        for client in (opened.telegram, opened.whatsapp):
            if client:
                stack.push_async_callback(client.close)
        _log_what_is_off(opened)
        yield opened


def whatsapp(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> WhatsAppSender | None:
    """The WhatsApp channel, None without credentials; needs a running event loop, and must be closed."""
    account = settings.whatsapp
    if not account.account_sid or not account.sender:
        return None
    return WhatsAppSender(
        account_sid=account.account_sid,
        auth_token=plain(account.auth_token),
        sender=account.sender,
        public_url=settings.server.public_url,
        templates=account.templates,
        api_url=account.api_url,
        content_url=account.content_url,
        timeout=timeouts.chat,
    )


def midtrans(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> Midtrans | None:
    """The Midtrans client, None without a key; must be closed."""
    account = settings.midtrans
    if account.server_key is None:
        return None
    return Midtrans(
        server_key=plain(account.server_key),
        client_key=account.client_key or "",
        production=account.production,
        snap_url=account.snap_url,
        api_url=account.api_url,
        timeout=timeouts.midtrans.total_seconds(),
    )


def second_reader(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> SecondReader | None:
    """The second reader of lines, None unless the owner wants one; needs a running event loop, and must be closed."""
    reader = settings.second_reader
    if not reader.url or not reader.model:
        return None
    return SecondReader(url=reader.url, model=reader.model, key=plain(reader.key), timeout=timeouts.second_reader)


async def clerk(settings: Settings, stack: AsyncExitStack, timeouts: Timeouts) -> Clerk | None:
    """The reader of sign-in tokens, None without an issuer; `stack` closes its HTTP client."""
    if settings.clerk.issuer is None:
        _log.warning("Signing in on the web is off: BENGKEL_CLERK__ISSUER is not set")
        return None
    client = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=timeouts.keys.total_seconds())))
    keys = KeySet(partial(fetch_keys, client, settings.clerk.keys_url))
    return Clerk(issuer=settings.clerk.issuer, parties=settings.clerk.authorized_parties, keys=keys, shop=settings.shop)


def plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def telegram(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> TelegramSender | None:
    if settings.telegram.token is None:
        return None
    return TelegramSender(make_bot(plain(settings.telegram.token), settings.telegram.api_url, timeout=timeouts.chat))


def _email(settings: Settings, clock: Callable[[], datetime], timeouts: Timeouts) -> Email | None:
    mail = settings.email
    if not mail.smtp_url or not mail.sender:
        return None
    return Email(plain(mail.smtp_url), mail.sender, clock=clock, timeout=timeouts.mail)


def _log_what_is_off(opened: Channels) -> None:
    if opened.telegram is None:
        _log.warning("Telegram is off: BENGKEL_TELEGRAM__TOKEN is not set")
    if opened.whatsapp is None:
        _log.warning("WhatsApp is off: BENGKEL_WHATSAPP__ACCOUNT_SID is not set")
    if opened.email is None:
        _log.warning("E-mail is off: BENGKEL_EMAIL__SMTP_URL is not set")
