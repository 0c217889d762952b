"""The monthly report as text: aligned columns for a terminal, and CSV for a spreadsheet.

The CSV is one table, so that it can be filtered and added up: UTF-8 with a byte order mark, without which
Excel takes it for something else, and semicolons, which Excel expects where the comma is the decimal sign,
as in Indonesia. Amounts are whole rupiah without separators.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from conversations.staff.monthly import COLUMNS, Column, Line, Section, name_of, sections
from conversations.texts import money, render
from core.messaging.messages import say
from core.reports.monthly import Month
from core.shop import Shop

CONTENT_TYPE = "text/csv"
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")


def file_name(month: Month, language: str) -> str:
    """laporan-2026-11.csv."""
    return render(say("report.file", month=f"{month.first:%Y-%m}"), language)


def as_csv(month: Month, language: str) -> bytes:
    """The report as a file."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_NONNUMERIC)
    head = ("month", "section", "name", *COLUMNS)
    writer.writerow([render(say(f"report.column.{column}"), language) for column in head])
    for section in sections(month):
        for line in section.lines:
            names = (f"{month.first:%Y-%m}", render(section.short, language), _defused(render(line.name, language)))
            writer.writerow([*names, *(line.values.get(column, "") for column in COLUMNS)])
    return text.getvalue().encode("utf-8-sig")


def as_table(month: Month, language: str, shop: Shop) -> Iterable[str]:
    """The lines that a terminal shows."""
    yield render(say("report.title", shop=shop.name, month=name_of(month.first)), language)
    for section in sections(month):
        yield ""
        yield render(section.title, language)
        yield from _aligned(section, language)


def _aligned(section: Section, language: str) -> Iterable[str]:
    head = ["", *(render(say(f"report.column.{column}"), language) for column in section.columns)]
    rows = [_cells(line, section.columns, language) for line in section.lines]
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    for name, *numbers in (head, *rows):
        yield "  ".join(["", name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])


def _cells(line: Line, columns: Sequence[Column], language: str) -> list[str]:
    numbers = [(column, line.values[column]) for column in columns]
    return [
        _on_one_line(render(line.name, language)),
        *(str(number) if column == "count" else money(number) for column, number in numbers),
    ]


def _on_one_line(name: str) -> str:
    """A name as it can stand in a line: nothing in it moves the cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def _defused(text: str) -> str:
    """A spreadsheet runs what begins like a formula, unless an apostrophe comes first (OWASP, "CSV Injection")."""
    return f"'{text}" if _FORMULA.match(text) else text
