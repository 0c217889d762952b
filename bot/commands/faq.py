"""`bengkel faq`: the owner's questions and answers from a file and into one."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

from bot import app
from bot.commands import CommandFailed, catalog_files, opened
from bot.commands.catalog_files import BadFile
from bot.config import load
from conversations.texts import render
from core.catalogue.csv_files import BadFiles
from core.db.database import Database
from core.faq import csv_file
from core.messaging.messages import say


async def run(options: Namespace) -> AsyncIterator[str]:
    """Import or export; a bad line is named, and nothing is imported then."""
    try:
        async with opened(load(options.config)) as database:
            is_import = options.action == "import"
            done = await _import(database, options) if is_import else await _export(database, options.path)
    except BadFile as bad:
        raise CommandFailed(render(bad.why, options.language)) from None
    except BadFiles as bad:
        lines = [*(line.sentence for line in bad.lines), say("catalogue.nothing_imported")]
        raise CommandFailed("\n".join(render(line, options.language) for line in lines)) from None
    yield done


async def _import(database: Database, options: Namespace) -> str:
    file = options.demo if options.path == "demo" else Path(options.path)
    rows = csv_file.read(await asyncio.to_thread(catalog_files.load, file))
    async with database.write() as session:
        done = await csv_file.apply(session, rows, now=app.now())
    said = say("faq.imported", kept=done.kept, retired=done.retired) if rows else say("faq.nothing")
    return render(said, options.language)


async def _export(database: Database, path: str) -> str:
    target = Path(path)
    async with database.read() as session:
        if target.suffix.lower() == ".xlsx":
            content = catalog_files.workbook({"faq": await csv_file.table(session)})
        else:
            content = (await csv_file.write(session)).encode()
    [file] = await asyncio.to_thread(catalog_files.save, {target: content})
    return str(file)
