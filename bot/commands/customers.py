"""`bengkel customer`: export or erase a person's data (UU PDP art. 7 and 8)."""

import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import load
from conversations.understand.contacts import read_phone
from core import media
from core.context import Context
from core.db.database import Database
from core.db.tables import Customer
from core.people import privacy
from core.people.privacy import Ambiguous, StillNeeded
from core.refusals import NotFound
from core.shop import Shop


async def run(options: Namespace) -> AsyncIterator[str]:
    """Export or erase the person with this phone number or booking code."""
    settings = load(options.config)
    async with opened(settings) as database:
        if options.action == "export":
            async with database.read() as session:
                data = await privacy.export(session, await _find(session, options.who))
            yield json.dumps(data, ensure_ascii=False, indent=2)
            return
        if not (options.yes or await asyncio.to_thread(_confirm, options.who)):
            raise CommandFailed("Nothing was erased.")
        photos = await _erase(database, options.who, settings.shop)
        await asyncio.to_thread(_remove, settings.server.photos, photos)
        yield f"Erased; stored photos removed: {len(photos)}. Bookings, payments and issued papers stay, as the law requires."


async def _erase(database: Database, who: str, shop: Shop) -> Sequence[str]:
    try:
        async with database.write() as session:
            return await privacy.erase(Context(session, shop, app.now()), await _find(session, who))
    except StillNeeded as needed:
        raise CommandFailed(
            f"Still open: {needed}. Complete or cancel it, and refund what is owed, before erasing."
        ) from None


async def _find(session: AsyncSession, who: str) -> Customer:
    phone = read_phone(who)
    try:
        return await privacy.find(session, phone=phone, code=None if phone else who.upper())
    except NotFound:
        raise CommandFailed(f"No customer found for {who}: give a phone number or a booking code.") from None
    except Ambiguous:
        raise CommandFailed(f"Several customers share {who}: give a booking code instead.") from None


def _confirm(who: str) -> bool:
    return input(f"Erase the customer {who} for good? Type yes: ").strip().lower() == "yes"


def _remove(folder: Path, photos: Sequence[str]) -> None:
    for photo in photos:
        for name in (photo, media.thumbnail_key(photo)):
            (folder / name).unlink(missing_ok=True)
