"""`bengkel report`: a month's figures as a table, or as a CSV file for a spreadsheet."""

import asyncio
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

from bot import app
from bot.commands import CommandFailed, opened
from bot.config import load
from bot.papers import monthly_sheet
from conversations.texts import render
from core.messaging.messages import say
from core.refusals import BooksDiffer
from core.reports import monthly


async def run(options: Namespace) -> AsyncIterator[str]:
    """The report of `options.month` (None: the current one); fails if its sums don't match."""
    settings = load(options.config)
    shop, language = settings.shop, options.language
    first = options.month or monthly.month_of(shop.local(app.now()).date())
    async with opened(settings) as database, database.read() as session:
        try:
            month = await monthly.load(session, first, shop=shop)
        except BooksDiffer as differ:
            raise CommandFailed(render(say(f"refusal.{differ.code}", **differ.params), language)) from None
    if options.csv is None:
        for line in monthly_sheet.as_table(month, language, shop):
            yield line
    elif options.csv == "-":
        sys.stdout.buffer.write(monthly_sheet.as_csv(month, language))
        sys.stdout.buffer.flush()
    else:
        file = Path(options.csv) / monthly_sheet.file_name(month, language)
        try:
            await asyncio.to_thread(_write, file, monthly_sheet.as_csv(month, language))
        except OSError as error:
            raise CommandFailed(f"{file} can't be written: {error.strerror}.") from None
        yield str(file)


def parse_month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a month; write it like 2026-11") from None


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
