"""A month's figures in words: tables for the report, paragraphs for a chat.

core.reports.monthly.Month ── sections ──> title, columns, lines (the last one is the total) ──> terminal, CSV, PDF
                           └─ summary ───> paragraphs of a chat message
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from conversations.texts import templates
from core.messaging.messages import Say, say
from core.reports.monthly import COUNTED, Month, Moved, Sale, Share

Column = Literal["count", "received", "refunded", "charged_back", "net", "worth"]
COLUMNS: tuple[Column, ...] = ("count", "received", "refunded", "charged_back", "net", "worth")
MAX_SHOWN = 5
"""Parts, services and technicians in a chat; the file has all of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its name, and a number for each column."""

    name: Say | str
    values: Mapping[Column, int]


@dataclass(frozen=True, slots=True)
class Section:
    title: Say
    short: Say
    """A title for narrow places."""
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def sections(month: Month) -> list[Section]:
    """Money by method, sales, technicians, bookings, and what is owed."""
    total = say("report.total")
    money = [Line(method(name), _entries(moved)) for name, moved in month.methods.items()]
    sold = [Line(_named(sale), _worth(sale.sold)) for sale in month.sales]
    work = [Line(each.name or say("report.nobody"), _worth(each.sold) | _moved(each.money)) for each in month.work]
    whole = Share(sum(each.sold.count for each in month.sales), month.sold.amount)
    counts = month.bookings
    bookings = [Line(say(f"report.booking.{name}"), {"count": counts[name]}) for name in COUNTED]
    everything = _worth(month.sold) | _moved(month.money)
    return [
        _section("money", COLUMNS[:-1], *money, Line(total, _entries(month.money))),
        _section("sold", ("count", "worth"), *sold, Line(total, _worth(whole))),
        _section("work", ("count", "worth", *COLUMNS[1:-1]), *work, Line(total, everything)),
        _section("bookings", ("count",), *bookings, Line(total, {"count": sum(counts.values())})),
        _section(
            "owed",
            ("count", "worth"),
            Line(say("report.outstanding"), _worth(month.outstanding)),
            Line(say("report.owed_back"), _worth(month.owed_back)),
        ),
    ]


def summary(month: Month) -> list[Say]:
    money, counts = month.money, month.bookings
    paragraphs = [
        say("report.chat.head", month=name_of(month.first)),
        say(
            "report.chat.money",
            received=money.received,
            refunded=money.refunded,
            charged_back=money.charged_back,
            net=money.net,
        ),
        _lines("methods", [(method(name), moved.net) for name, moved in month.methods.items()]),
        _lines("sold", [(_named(sale), sale.sold.amount) for sale in month.sales], month.sold.amount),
        _lines("work", [(each.name or say("report.nobody"), each.sold.amount) for each in month.work]),
        say(
            "report.chat.bookings",
            total=sum(counts.values()),
            completed=counts["completed"],
            cancelled=counts["cancelled"],
            no_show=counts["no_show"],
        ),
        say("report.chat.owed", outstanding=month.outstanding.amount, owed_back=month.owed_back.amount),
    ]
    return [each for each in paragraphs if each is not None]


def name_of(first: date) -> Say:
    """ "November 2026"."""
    return say("report.month", name=say(f"month.{first.month}"), year=first.year)


def method(name: str) -> Say | str:
    """A payment method; one without a text is shown as it is."""
    key = f"paper.method.{name}"
    return say(key) if key in templates("id") else name


def _section(name: str, columns: tuple[Column, ...], *lines: Line) -> Section:
    return Section(say(f"report.section.{name}"), say(f"report.short.{name}"), columns, lines)


def _lines(name: str, lines: list[tuple[Say | str, int]], total: int = 0) -> Say | None:
    shown = [say("report.chat.line", name=what, amount=amount) for what, amount in lines[:MAX_SHOWN]]
    if len(lines) > MAX_SHOWN:
        shown.append(say("report.chat.more", count=len(lines) - MAX_SHOWN))
    return say(f"report.chat.{name}", lines=shown, total=total) if shown else None


def _named(sale: Sale) -> Say | str:
    return sale.name or say(f"report.sold.{sale.kind}")


def _worth(share: Share) -> dict[Column, int]:
    return {"count": share.count, "worth": share.amount}


def _entries(moved: Moved) -> dict[Column, int]:
    return {"count": moved.entries, **_moved(moved)}


def _moved(moved: Moved) -> dict[Column, int]:
    return {
        "received": moved.received,
        "refunded": moved.refunded,
        "charged_back": moved.charged_back,
        "net": moved.net,
    }
