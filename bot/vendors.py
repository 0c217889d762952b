"""The vendors' clients, as the settings want them; what has no credentials is off, and says so."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from bot.channels.email import Email
from bot.channels.sending import Sender
from bot.channels.telegram import TelegramSender, make_bot
from bot.channels.whatsapp import WhatsAppSender
from bot.config import Settings
from bot.payments.midtrans_client import Midtrans
from bot.timeouts import USUAL, Patience

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways to people; None where one is off."""

    telegram: TelegramSender | None
    whatsapp: WhatsAppSender | None
    email: Email | None

    @property
    def senders(self) -> dict[str, Sender]:
        """Those that are on, by their names."""
        named = {"telegram": self.telegram, "whatsapp": self.whatsapp, "email": self.email}
        return {name: sender for name, sender in named.items() if sender}

    async def fetch(self, channel: str, handle: str) -> bytes | None:
        """What somebody sent beside their words, by the channel's handle of it."""
        source = {"telegram": self.telegram, "whatsapp": self.whatsapp}.get(channel)
        return await source.fetch(handle) if source else None


@asynccontextmanager
async def channels(
    settings: Settings, *, clock: Callable[[], datetime], patience: Patience = USUAL
) -> AsyncIterator[Channels]:
    """The channels of the settings, closed in the end."""
    async with AsyncExitStack() as stack:
        opened = Channels(
            _telegram(settings, patience), whatsapp(settings, patience), _email(settings, clock, patience)
        )
        for client in (opened.telegram, opened.whatsapp):
            if client:
                stack.push_async_callback(client.close)
        _say_what_is_off(opened)
        yield opened


def whatsapp(settings: Settings, patience: Patience = USUAL) -> WhatsAppSender | None:
    """The WhatsApp channel, None without credentials; needs a running loop, and to be closed."""
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
        timeout=patience.chat,
    )


def midtrans(settings: Settings, patience: Patience = USUAL) -> Midtrans | None:
    """The Midtrans account, None without a key; to be closed."""
    account = settings.midtrans
    if account.server_key is None:
        return None
    return Midtrans(
        server_key=plain(account.server_key),
        client_key=account.client_key or "",
        production=account.production,
        snap_url=account.snap_url,
        api_url=account.api_url,
        timeout=patience.midtrans.total_seconds(),
    )


def plain(secret: SecretStr | None) -> str:
    """A secret's text, empty where there is none."""
    return secret.get_secret_value() if secret else ""


def _telegram(settings: Settings, patience: Patience) -> TelegramSender | None:
    if settings.telegram.token is None:
        return None
    return TelegramSender(make_bot(plain(settings.telegram.token), settings.telegram.api_url, timeout=patience.chat))


def _email(settings: Settings, clock: Callable[[], datetime], patience: Patience) -> Email | None:
    mail = settings.email
    if not mail.smtp_url or not mail.sender:
        return None
    return Email(plain(mail.smtp_url), mail.sender, clock=clock, timeout=patience.mail)


def _say_what_is_off(opened: Channels) -> None:
    if opened.telegram is None:
        _log.warning("Telegram is off: BENGKEL_TELEGRAM__TOKEN is not set")
    if opened.whatsapp is None:
        _log.warning("WhatsApp is off: BENGKEL_WHATSAPP__ACCOUNT_SID is not set")
    if opened.email is None:
        _log.warning("E-mail is off: BENGKEL_EMAIL__SMTP_URL is not set")
