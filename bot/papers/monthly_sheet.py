"""The monthly report as text: aligned columns for a terminal, and CSV for a spreadsheet.

The CSV is one table, so that it can be filtered and summed. Excel needs the UTF-8 byte order mark to read it as UTF-8,
and expects semicolons where the comma is the decimal sign, as in Indonesia. Amounts are whole rupiah.
"""

import csv
import io
import re
from collections.abc import Iterable

from conversations.staff.monthly import COLUMNS, name_of, sections
from conversations.texts import money, render
from core.messaging.messages import say
from core.reports.monthly import Month
from core.shop import Shop

CONTENT_TYPE = "text/csv"
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")


def file_name(month: Month, language: str) -> str:
    """For example "laporan-2026-11.csv"."""
    return render(say("report.file", month=f"{month.first:%Y-%m}"), language)


def as_csv(month: Month, language: str) -> bytes:
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
    yield render(say("report.title", shop=shop.name, month=name_of(month.first)), language)
    for section in sections(month):
        yield ""
        yield render(section.title, language)
        rows = [["", *(render(say(f"report.column.{column}"), language) for column in section.columns)]]
        for line in section.lines:
            values = [(column, line.values[column]) for column in section.columns]
            figures = [str(value) if column == "count" else money(value) for column, value in values]
            rows.append([_on_one_line(render(line.name, language)), *figures])
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        for name, *numbers in rows:
            yield "  ".join(["", name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])


def _on_one_line(name: str) -> str:
    """A name without control characters, so that it can't move the terminal's cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def _defused(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if _FORMULA.match(text) else text
