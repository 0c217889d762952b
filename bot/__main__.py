"""`bengkel`: the commands."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot import app
from bot.check import check
from bot.commands import CommandFailed, catalog, customers, faq, inbox, opened, outbox, reconcile, report, storage
from bot.config import BadSettings, Settings, load
from bot.listening import CantListen
from bot.sandbox.demo import CATALOGUE as DEMO_CATALOGUE
from bot.sandbox.demo import FAQ as DEMO_FAQ
from bot.sandbox.demo import demo
from conversations.texts import LANGUAGES
from conversations.understand import understand
from conversations.understand.lexicon import Lexicon
from core.catalogue import csv_files, snapshot
from core.db.database import AWAY, UnusableDatabase


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 bad usage."""
    options = _parser().parse_args(words)
    try:
        return asyncio.run(options.command(options)) or 0
    except (BadSettings, CommandFailed, CantListen, UnusableDatabase) as error:
        print(error, file=sys.stderr)
        return 1
    except AWAY as error:
        print(f"The database can't be used: {_first_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bengkel", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[..., Awaitable[int | None]], words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.add_argument("--config", type=Path, default=Path("config.yaml"), help="settings file")
        added.set_defaults(command=command)
        return added

    demonstration = add("demo", _demo, "Start everything on this machine, no account needed.")
    demonstration.add_argument("--port", type=int, default=8100, help="where the demo page is (0: any free port)")
    add("run", _run, "Migrate the database, then serve.")
    add("check", _check, "Check the settings, the database and the credentials.")
    copy = add(
        "backup", _printed(storage.back_up), "Copy the SQLite database into a file, checked, while it is in use."
    )
    copy.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: a dated name in backup.folder")
    step = add("db", _printed(storage.database), "Migrate or copy the database.")
    step.add_argument(
        "step",
        choices=["upgrade", "copy"],
        help="upgrade: migrate the schema; copy: everything into an empty database",
    )
    step.add_argument("urls", nargs="*", metavar="URL", help="copy: FROM and TO, each as in database.url")
    files = add("catalog", _printed(catalog.run), "Import or export the catalogue as CSV or XLSX, or clear the demo.")
    files.add_argument("action", choices=["import", "export", "clear"])
    files.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="import: files, or `demo`; export: a folder, or an .xlsx file; clear: `demo`",
    )
    files.set_defaults(demo=DEMO_CATALOGUE)
    files.add_argument("--yes", action="store_true", help="import: don't ask about prices")
    files.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    answers = add("faq", _printed(faq.run), "Import or export the questions that the bot answers in your words.")
    answers.add_argument("action", choices=["import", "export"])
    answers.add_argument("path", metavar="FILE", help="a CSV or XLSX file; import: or `demo`")
    answers.set_defaults(demo=DEMO_FAQ)
    answers.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    kept = add("inbox", _printed(inbox.run), "Look at messages whose turn failed through a bug, and replay them.")
    kept.add_argument("action", nargs="?", choices=["list", "show", "replay"], default="list")
    kept.add_argument("channel", nargs="?", metavar="CHANNEL")
    kept.add_argument("event_id", nargs="?", metavar="EVENT_ID")
    kept.add_argument("--all", action="store_true", help="replay: all of them, oldest first")
    lost = add("outbox", _printed(outbox.run), "Look at messages that failed for good, and send them again.")
    lost.add_argument("action", nargs="?", choices=["list", "resend"], default="list")
    lost.add_argument("key", nargs="?", metavar="KEY")
    person = add("customer", _printed(customers.run), "Show all data kept about a person, or erase it.")
    person.add_argument("action", choices=["export", "erase"])
    person.add_argument("who", metavar="PHONE|CODE", help="a phone number or a booking code")
    person.add_argument("--yes", action="store_true", help="erase: don't ask")
    month = add("report", _printed(report.run), "Print a month's figures: money, sales, technicians, what is owed.")
    month.add_argument("--month", type=report.parse_month, metavar="YYYY-MM", help="default: this month")
    month.add_argument("--csv", metavar="FOLDER", help="write a CSV file there instead (-: to standard output)")
    month.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    books = add("reconcile", _printed(reconcile.run), "Compare payments with Midtrans', and correct what differs.")
    books.add_argument("--days", type=int, default=2, help="how far back to look (default: 2)")
    books.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])
    books.add_argument("--settle-unknown", metavar="ORDER", help="an order that Midtrans reports and we don't know")
    books.add_argument("--note", metavar="TEXT", help="what that order was")
    texts = add("understand", _understand, "Print what the bot understands of each text, a JSON object a line.")
    texts.add_argument("--now", type=datetime.fromisoformat, help="the time to read them at (ISO 8601)")
    texts.add_argument("--asked", metavar="STEP", help="the question on the screen (date, time, plan, …)")
    texts.add_argument("texts", nargs="*", metavar="TEXT", help="default: the lines of standard input")
    return parser


def _printed(command: Callable[[argparse.Namespace], AsyncIterator[str]]) -> Callable[..., Awaitable[None]]:

    async def printing(options: argparse.Namespace) -> None:
        async for line in command(options):
            print(line)

    return printing


async def _demo(options: argparse.Namespace) -> None:
    await demo(port=options.port)


async def _run(options: argparse.Namespace) -> None:
    await app.run(load(options.config))
    # Everything is committed and closed, but a thread that waits for a vendor would keep the process alive.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _check(options: argparse.Namespace) -> int:
    settings = load(options.config)
    database = app.database(settings)
    findings = await check(settings, database)
    await database.close()
    for finding in findings:
        print(finding)
    return 1 if any(finding.state == "bad" for finding in findings) else 0


async def _understand(options: argparse.Namespace) -> None:
    settings = load(options.config)
    shop, lexicon = settings.shop, Lexicon.of(await _catalogue_of(settings))
    now = options.now or app.now()
    at = now.replace(tzinfo=shop.zone) if now.tzinfo is None else shop.local(now)
    for text in options.texts or (line.rstrip("\n") for line in sys.stdin):
        said = understand(text, lexicon, now=at, shop=shop, asked=options.asked)
        print(json.dumps(said.as_json(), ensure_ascii=False), flush=True)


async def _catalogue_of(settings: Settings) -> snapshot.Catalogue:
    """The shop's catalogue, or the demo's while the shop has none."""
    file = app.sqlite_file(settings)
    if file is None or file.exists():  # opening a SQLite file would create it
        async with opened(settings) as database, database.read() as session:
            own = await snapshot.load(session)
        if own.parts or own.services:
            return own
    files = {file.name: file.read_text("utf-8") for file in DEMO_CATALOGUE.glob("*.csv")}
    return csv_files.as_catalogue(csv_files.read(files))


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
