"""`bengkel check`: whether the settings, the database and each vendor's credentials work, a line each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
from aiohttp import ClientSession
from sqlalchemy import text
from telegram.error import TelegramError

from bot import app, vendors
from bot.channels.email import server
from bot.channels.sending import NotSent
from bot.channels.telegram import TelegramSender, make_bot
from bot.config import Settings
from bot.payments.midtrans_client import MidtransRefused, MidtransTrouble
from bot.rest import published_keys
from core.db.database import AWAY, Database, SchemaTooOld, upgrade
from webhooks.api.auth import KeysAway, read_keys
from webhooks.api.jwks import PATIENCE


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part."""

    part: str
    state: Literal["ok", "off", "bad"]
    words: str

    def __str__(self) -> str:
        return f"{self.state:<4}{self.part}: {self.words}"


class Bad(Exception):
    """A part that doesn't work, in words for the owner."""


Probe = Callable[[Settings], Awaitable[str | None]]


async def check(settings: Settings, database: Database) -> list[Finding]:
    """Ask every part; nothing is sent to a customer and nothing is changed but the schema."""
    probes: dict[str, Probe] = {
        "telegram": _telegram,
        "whatsapp": _whatsapp,
        "midtrans": _midtrans,
        "email": _email,
        "clerk": _clerk,
        "staff": _staff,
    }
    found = await asyncio.gather(*(_finding(part, probe, settings) for part, probe in probes.items()))
    return [Finding("settings", "ok", "read"), await _database(database), *found]


async def _finding(part: str, probe: Probe, settings: Settings) -> Finding:
    try:
        words = await probe(settings)
    except Bad as bad:
        return Finding(part, "bad", str(bad))
    return Finding(part, "ok", words) if words else Finding(part, "off", "no credentials")


async def _database(database: Database) -> Finding:
    try:
        await upgrade(database)
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    except AWAY as error:
        return Finding("database", "bad", str(getattr(error, "orig", None) or error).splitlines()[0])
    except SchemaTooOld as error:
        return Finding("database", "bad", str(error))
    return Finding("database", "ok", "reachable, schema up to date")


async def _telegram(settings: Settings) -> str | None:
    if settings.telegram.token is None:
        return None
    sender = TelegramSender(make_bot(settings.telegram.token.get_secret_value(), settings.telegram.api_url))
    try:
        return f"@{(await sender.bot.get_me()).username}, {settings.telegram.mode}"
    except TelegramError as error:
        raise Bad(f"{error.message} (BENGKEL_TELEGRAM__TOKEN)") from error
    finally:
        await sender.close()


async def _whatsapp(settings: Settings) -> str | None:
    sender = vendors.whatsapp(settings)
    if sender is None:
        return None
    try:
        await sender.missed(app.now())
    except NotSent as error:
        raise Bad(f"{error} (BENGKEL_WHATSAPP__AUTH_TOKEN)") from error
    finally:
        await sender.close()
    return settings.whatsapp.sender


async def _midtrans(settings: Settings) -> str | None:
    vendor = vendors.midtrans(settings)
    if vendor is None:
        return None
    try:
        await vendor.status("BOOKING-check")  # unknown, but only a good key is told so
    except (MidtransTrouble, MidtransRefused) as error:
        raise Bad(f"{error} (BENGKEL_MIDTRANS__SERVER_KEY)") from error
    finally:
        vendor.close()
    return "production" if settings.midtrans.production else "sandbox"


async def _email(settings: Settings) -> str | None:
    if settings.email.smtp_url is None:
        return None
    try:
        async with aiosmtplib.SMTP(**server(settings.email.smtp_url.get_secret_value())):
            return settings.email.sender
    except (ValueError, OSError, aiosmtplib.SMTPException) as error:
        raise Bad(f"{error} (BENGKEL_EMAIL__SMTP_URL)") from error


async def _clerk(settings: Settings) -> str | None:
    issuer = settings.clerk.issuer
    if issuer is None:
        return None
    try:
        async with ClientSession(timeout=PATIENCE) as client:
            keys = read_keys(await published_keys(settings, client)())
    except KeysAway as error:
        raise Bad(f"no keys to be had: {error} (clerk.issuer, clerk.jwks_url)") from error
    if not keys:
        raise Bad("none of the published keys is an RSA key that signs (clerk.issuer, clerk.jwks_url)")
    return f"{issuer}, signing keys: {len(keys)}"


async def _staff(settings: Settings) -> str | None:
    if not settings.shop.admin_addresses:
        raise Bad("no admin can be reached: give one a telegram or whatsapp under staff")
    return f"{len(settings.staff)} people"
