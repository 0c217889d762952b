"""`bengkel catalog`: the catalogue from files and into files, and the demo's entries out of it."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from bot import app
from bot.commands import CommandFailed, catalog_files, opened
from bot.commands.catalog_files import BadFile
from bot.config import load
from conversations.texts import render
from core.catalogue import clearing, csv_files
from core.catalogue.clearing import Cleared
from core.catalogue.csv_files import BadFiles, InDoubt, Line, Remark
from core.db.database import Database
from core.messaging.messages import Say, say


async def run(options: Namespace) -> AsyncIterator[str]:
    """Import, export or clear; fails with every bad or doubtful line, and has changed nothing then."""
    language = options.language
    try:
        async with opened(load(options.config)) as database:
            match options.action:
                case "import":
                    found = await _import(database, options)
                case "export":
                    found = await _export(database, options.paths)
                case _:
                    found = await _clear(database, options)
    except BadFile as bad:
        raise CommandFailed(render(bad.why, language)) from None
    except BadFiles as bad:
        raise CommandFailed(_listed(bad.lines, say("catalogue.nothing_imported"), language)) from None
    except InDoubt as doubtful:
        raise CommandFailed(_listed(doubtful.lines, say("catalogue.unsure"), language)) from None
    for line in found:
        yield render(line, language)


async def _import(database: Database, options: Namespace) -> list[Say | str]:
    async with database.read() as session:
        known = await csv_files.ids(session)
    lines = await asyncio.to_thread(_lines, options, known)
    async with database.write() as session:
        counts = await csv_files.apply(session, lines, now=app.now(), sure=options.yes)
    if not counts:
        return [say("catalogue.nothing")]
    return [say("catalogue.imported", counts=_counted(counts, options.language))]


def _lines(options: Namespace, known: Mapping[str, set[str]]) -> list[Line]:
    is_demo = options.paths == ["demo"]
    files = sorted(options.demo.glob("*.csv")) if is_demo else [Path(path) for path in options.paths]
    contents = [catalog_files.load(file) for file in files]
    return csv_files.read({name: content for found in contents for name, content in found.items()}, known)


async def _export(database: Database, paths: Sequence[str]) -> list[Say | str]:
    if len(paths) != 1:
        raise BadFile(say("catalogue.one_target"))
    target = Path(paths[0])
    async with database.read() as session:
        if target.suffix.lower() == ".xlsx":
            files = {target: catalog_files.workbook(await csv_files.rows(session))}
        else:
            texts = await csv_files.write(session)
            files = {target / name: text.encode() for name, text in texts.items()}
    return [str(file) for file in await asyncio.to_thread(catalog_files.save, files)]


async def _clear(database: Database, options: Namespace) -> list[Say | str]:
    if options.paths != ["demo"]:
        raise BadFile(say("catalogue.clear_what"))
    lines = await asyncio.to_thread(_lines, options, {})
    async with database.write() as session:
        cleared = await clearing.clear(session, lines, now=app.now())
    return _report(cleared, options.language)


def _report(cleared: Cleared, language: str) -> list[Say | str]:
    said: list[Say | str] = []
    if cleared.deleted:
        said.append(say("catalogue.cleared", counts=_counted(cleared.deleted, language)))
    if cleared.retired:
        said.append(say("catalogue.cleared.retired", ids=", ".join(cleared.retired)))
    if not said:
        said.append(say("catalogue.cleared.nothing"))
    if cleared.kept:
        said.append(say("catalogue.cleared.kept", ids=", ".join(cleared.kept)))
    if cleared.unskilled:
        said.append(say("catalogue.cleared.unskilled", ids=", ".join(cleared.unskilled)))
    return said


def _counted(counts: Mapping[str, int], language: str) -> str:
    return ", ".join(render(say(f"catalogue.count.{name}", count=count), language) for name, count in counts.items())


def _listed(lines: Sequence[Remark], closing: Say, language: str) -> str:
    return "\n".join(render(line, language) for line in [*(line.sentence for line in lines), closing])
