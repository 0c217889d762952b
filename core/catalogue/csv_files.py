"""The catalogue as CSV files that an owner keeps in a spreadsheet.

    files ── read ──> lines ── apply ──> tables ── write ──> files

Import puts every line in or, when one of them is bad, none, and names all bad ones. What is in the shop but
not in a file stays; `retired` takes it off the shelf. Commas or semicolons (Excel in Indonesia), with or without BOM.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue.csv_rows import CarRow, CatalogueRow, PartRow, ServiceRow, TechnicianRow, cell, reason
from core.catalogue.snapshot import Catalogue, bump
from core.db.tables import Car, Part, Service, Technician

_Entry = Part | Service | Car | Technician
_One = TypeVar("_One", Part, Service, Car, Technician)


@dataclass(frozen=True, slots=True)
class Line:
    """One valid line of a file."""

    file: str
    number: int
    row: CatalogueRow


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was refused, and why."""

    file: str
    number: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.number}: {self.reason}"


class BadFiles(Exception):
    """Lines that can't be imported, all of them; nothing was."""

    def __init__(self, lines: Sequence[BadLine]) -> None:
        super().__init__("\n".join(map(str, lines)))
        self.lines = tuple(lines)


def read(files: Mapping[str, str]) -> list[Line]:
    """The lines of CSV texts by file name; raises `BadFiles`."""
    found = [line for file, text in files.items() for line in _lines(file, text)]
    bad = [line for line in found if isinstance(line, BadLine)]
    good = [line for line in found if isinstance(line, Line)]
    bad.extend(_repeated(good))
    if bad:
        raise BadFiles(sorted(bad, key=lambda line: (list(files).index(line.file), line.number)))
    return good


async def apply(session: AsyncSession, lines: Sequence[Line], *, now: datetime) -> dict[str, int]:
    """Put the lines into the shop, over what has the same id; says how many by table ("parts": 70).

    Raises `BadFiles` for a part of which bookings have reserved more than is said to lie in the shop,
    and for a service whose skill no technician has.
    """
    # Locked, so that nobody reserves between the check and the change.
    present = {sheet.name: await _entries(session, sheet.query.with_for_update()) for sheet in _SHEETS}
    if bad := [*_below_reserved(lines, present["parts"]), *_unskilled(lines, present["technicians"])]:
        raise BadFiles(bad)
    counts: dict[str, int] = {}
    for line in lines:
        sheet = _sheet_of(line.row)
        _put(session, sheet, present[sheet.name].get(line.row.id), line.row, now)
        counts[sheet.name] = counts.get(sheet.name, 0) + 1
    await bump(session)
    return counts


async def write(session: AsyncSession) -> dict[str, str]:
    """Everything in the shop, what is retired too, as CSV texts by file name; `read` takes them back."""
    return {f"{sheet.name}.csv": _csv(sheet, (await _entries(session, sheet.query)).values()) for sheet in _SHEETS}


def as_catalogue(lines: Iterable[Line]) -> Catalogue:
    """The catalogue that these lines alone would make, without a database; its version is 0."""
    rows = [line.row for line in lines if isinstance(line.row, CarRow) or not line.row.retired]
    entries = [_sheet_of(row).table(**_values(row)) for row in rows]
    return Catalogue(
        version=0,
        parts=_only(Part, entries),
        services=_only(Service, entries),
        cars=_only(Car, entries),
        technicians=_only(Technician, entries),
    )


def _only(table: type[_One], entries: Iterable[_Entry]) -> dict[str, _One]:
    return {entry.id: entry for entry in entries if isinstance(entry, table)}


def _values(row: CatalogueRow) -> dict[str, object]:
    return row.model_dump(exclude={"retired"})


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    row: type[CatalogueRow]
    table: type[_Entry]

    @property
    def columns(self) -> list[str]:
        return list(self.row.model_fields)

    @property
    def query(self) -> Select[_Entry]:
        return cast(Select[_Entry], select(self.table).order_by(self.table.id))


_SHEETS = (
    _Sheet("parts", PartRow, Part),
    _Sheet("services", ServiceRow, Service),
    _Sheet("cars", CarRow, Car),
    _Sheet("technicians", TechnicianRow, Technician),
)


def _lines(file: str, text: str) -> Iterator[Line | BadLine]:
    try:
        (_, header), *records = _records(file, text)
        sheet = _sheet(file, header)
    except BadFiles as refused:
        yield from refused.lines
        return
    for number, cells in records:
        yield from _line(file, number, sheet, header, cells)


def _records(file: str, text: str) -> list[tuple[int, list[str]]]:
    """Each record that isn't blank, the header too, with the number of the line it begins on."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, number = [], 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                records.append((number, [_restored(cell.strip()) for cell in cells]))
            number = reader.line_num + 1
    except csv.Error as error:
        raise BadFiles([BadLine(file, number, f"can't be read as CSV: {error}")]) from error
    if not records:
        raise BadFiles([BadLine(file, 1, "the file is empty")])
    return records


def _sheet(file: str, header: list[str]) -> _Sheet:
    """The table whose columns these are, or whose name the file bears."""
    name = PurePath(file).stem.lower()
    sheet = next((sheet for sheet in _SHEETS if set(sheet.columns) == set(header)), None) or next(
        (sheet for sheet in _SHEETS if sheet.name == name), None
    )
    if sheet is None:
        names = ", ".join(sheet.name for sheet in _SHEETS)
        raise BadFiles([BadLine(file, 1, f"neither the file's name nor its columns are those of {names}")])
    if wrong := _wrong_columns(sheet, header):
        raise BadFiles([BadLine(file, 1, each) for each in wrong])
    return sheet


def _wrong_columns(sheet: _Sheet, header: list[str]) -> list[str]:
    return [
        *(f"unknown column {column!r}" for column in header if column not in sheet.columns),
        *(f"column {column!r} is missing" for column in sheet.columns if column not in header),
        *(f"column {column!r} stands twice" for column in sheet.columns if header.count(column) > 1),
    ]


def _line(file: str, number: int, sheet: _Sheet, header: list[str], cells: list[str]) -> list[Line] | list[BadLine]:
    if len(cells) != len(header):
        return [BadLine(file, number, f"has {len(cells)} cells, the header has {len(header)}")]
    try:
        row = sheet.row.model_validate({name: text for name, text in zip(header, cells, strict=True) if text})
    except ValidationError as refused:
        return [BadLine(file, number, reason(error)) for error in refused.errors()]
    return [Line(file, number, row)]


def _repeated(lines: Iterable[Line]) -> Iterator[BadLine]:
    first: dict[tuple[str, str], Line] = {}
    for line in lines:
        seen = first.setdefault((_sheet_of(line.row).name, line.row.id), line)
        if seen is not line:
            yield BadLine(line.file, line.number, f"id {line.row.id} already stands on {seen.file} line {seen.number}")


def _sheet_of(row: CatalogueRow) -> _Sheet:
    return next(sheet for sheet in _SHEETS if type(row) is sheet.row)


# --- applying ----------------------------------------------------------------------------------


async def _entries(session: AsyncSession, query: Select[_Entry]) -> dict[str, _Entry]:
    return {entry.id: entry for entry in await session.scalars(query)}


def _below_reserved(lines: Iterable[Line], parts: Mapping[str, _Entry]) -> Iterator[BadLine]:
    for line in lines:
        part = parts.get(line.row.id)
        if isinstance(line.row, PartRow) and isinstance(part, Part) and line.row.on_hand < part.reserved:
            why = f"on_hand must be at least {part.reserved}, which bookings have reserved, got {line.row.on_hand}"
            yield BadLine(line.file, line.number, why)


def _unskilled(lines: Iterable[Line], technicians: Mapping[str, _Entry]) -> Iterator[BadLine]:
    """Services that nobody could do, were the lines put in."""
    team = {
        id_: each.skills for id_, each in technicians.items() if isinstance(each, Technician) and not each.retired_at
    }
    for line in lines:
        if isinstance(line.row, TechnicianRow):
            team[line.row.id] = [] if line.row.retired else line.row.skills
    skills = {skill for each in team.values() for skill in each}
    for line in lines:
        if isinstance(line.row, ServiceRow) and line.row.skill is not None and line.row.skill not in skills:
            yield BadLine(line.file, line.number, f"skill {line.row.skill!r} is one that no technician has")


def _put(session: AsyncSession, sheet: _Sheet, entry: _Entry | None, row: CatalogueRow, now: datetime) -> None:
    values = _values(row)
    if not isinstance(row, CarRow):
        before = getattr(entry, "retired_at", None)
        values["retired_at"] = (before or now) if row.retired else None
    if entry is None:
        session.add(sheet.table(**values))
        return
    for column, value in values.items():
        setattr(entry, column, value)


# --- writing -----------------------------------------------------------------------------------


def _csv(sheet: _Sheet, entries: Iterable[_Entry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(sheet.columns)
    for entry in entries:
        writer.writerow(_defused(cell(_value(entry, column))) for column in sheet.columns)
    return text.getvalue()


def _value(entry: _Entry, column: str) -> object:
    if column == "retired":
        return not isinstance(entry, Car) and entry.retired_at is not None
    return getattr(entry, column)


def _defused(text: str) -> str:
    """A spreadsheet runs what begins like a formula, unless an apostrophe comes first (OWASP, "CSV Injection")."""
    return f"'{text}" if re.match(r"'*[=+\-@]", text) else text


def _restored(text: str) -> str:
    return text[1:] if re.match(r"'+[=+\-@]", text) else text
