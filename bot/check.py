"""`bengkel check`: one line each on the settings, the database and every vendor's credentials."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy import text
from telegram.error import TelegramError

from bot import app, vendors
from bot.channels.email import server
from bot.channels.sending import NotSent
from bot.config import Settings
from bot.listening import CantListen, try_to_listen
from bot.payments.midtrans_client import MidtransError
from bot.second_reader import BadAnswer
from bot.timeouts import DEFAULT_TIMEOUTS
from conversations.engine import Unread
from core.catalogue.snapshot import Catalogue
from core.db.database import AWAY, Database, UnusableDatabase, upgrade
from webhooks.api.auth import KeysAway, fetch_keys, read_keys


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    state: Literal["ok", "off", "bad"]
    words: str

    def __str__(self) -> str:
        return f"{self.state:<4}{self.part}: {self.words}"


class Bad(Exception):
    """A part doesn't work; the message is for the owner."""


Probe = Callable[[Settings], Awaitable[str | None]]


async def check(settings: Settings, database: Database) -> list[Finding]:
    """Check every part; nothing is sent to a customer, and only the schema may change."""
    probes: dict[str, Probe] = {
        "server": _server,
        "telegram": _telegram,
        "whatsapp": _whatsapp,
        "midtrans": _midtrans,
        "email": _email,
        "second reader": _second_reader,
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
    except UnusableDatabase as error:
        return Finding("database", "bad", str(error))
    return Finding("database", "ok", "reachable, schema up to date")


async def _server(settings: Settings) -> str | None:
    host, port = settings.server.host, settings.server.port
    try:
        await try_to_listen(host, port, setting="server.host, server.port")
    except CantListen as error:
        if await _is_ours(f"http://{host}:{port}"):
            return f"is running at {host}:{port}"
        raise Bad(str(error)) from error
    return f"can listen at {host}:{port}"


async def _is_ours(url: str) -> bool:
    """Whether a server of this program answers there."""
    try:
        async with ClientSession(timeout=ClientTimeout(total=5)) as client, client.get(f"{url}/readyz") as found:
            answer = await found.json(content_type=None)
    except (ClientError, TimeoutError, ValueError):
        return False
    return isinstance(answer, dict) and answer.keys() == {"ready", "missing", "away"}


async def _telegram(settings: Settings) -> str | None:
    sender = vendors.telegram(settings)
    if sender is None:
        return None
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
        await vendor.status("BOOKING-check")  # an unknown order: only a valid key gets that answer
    except MidtransError as error:
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


async def _second_reader(settings: Settings) -> str | None:
    reader = vendors.second_reader(settings)
    if reader is None:
        return None
    catalogue = Catalogue(0, {}, {}, {}, {})
    try:
        await reader.acts(Unread("halo", None, app.now(), catalogue, ()))
    except BadAnswer as error:
        raise Bad(f"{error} (second_reader.url, model, BENGKEL_SECOND_READER__KEY)") from error
    except (ClientError, TimeoutError) as error:
        raise Bad(f"{type(error).__name__} (second_reader.url); it has two seconds") from error
    finally:
        await reader.close()
    return f"{settings.second_reader.model}, masked lines go to {settings.second_reader.url}"


async def _clerk(settings: Settings) -> str | None:
    issuer = settings.clerk.issuer
    if issuer is None:
        return None
    try:
        async with ClientSession(timeout=ClientTimeout(total=DEFAULT_TIMEOUTS.keys.total_seconds())) as client:
            keys = read_keys(await fetch_keys(client, settings.clerk.keys_url))
    except KeysAway as error:
        raise Bad(f"can't fetch the keys: {error} (clerk.issuer, clerk.jwks_url)") from error
    if not keys:
        raise Bad("no published key is an RSA signing key (clerk.issuer, clerk.jwks_url)")
    return f"{issuer}, signing keys: {len(keys)}"


async def _staff(settings: Settings) -> str | None:
    if not settings.shop.admin_addresses:
        raise Bad("no admin can be reached: set telegram or whatsapp for one under staff")
    return f"{len(settings.staff)} people"
