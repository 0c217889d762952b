"""The catalogue as CSV files: files ── read ──> lines ── apply ──> tables ── write ──> files

An import takes all lines, or none if one is bad, and names all bad ones. Entries that no file mentions stay. Commas or
semicolons (Excel in Indonesia) separate cells, with or without BOM.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import NamedTuple, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue.csv_rows import CarRow, CatalogueRow, PartRow, ServiceRow, TechnicianRow, cell, reason
from core.catalogue.snapshot import Catalogue, bump
from core.db.tables import Car, Part, Service, Technician

_Entry = Part | Service | Car | Technician
_One = TypeVar("_One", Part, Service, Car, Technician)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A kind of file: its name, its rows, and the table that they go to."""

    name: str
    row: type[CatalogueRow]
    table: type[_Entry]

    @property
    def columns(self) -> list[str]:
        return list(self.row.model_fields)

    @property
    def query(self) -> Select[_Entry]:
        return cast(Select[_Entry], select(self.table).order_by(self.table.id))


_PARTS, _TECHNICIANS = _Sheet("parts", PartRow, Part), _Sheet("technicians", TechnicianRow, Technician)
_SHEETS = (_PARTS, _Sheet("services", ServiceRow, Service), _Sheet("cars", CarRow, Car), _TECHNICIANS)


class Line(NamedTuple):
    """A valid line of a file."""

    file: str
    number: int
    sheet: _Sheet
    row: CatalogueRow


class BadLine(NamedTuple):
    file: str
    number: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.number}: {self.reason}"


class BadFiles(Exception):
    """All lines that can't be imported; nothing was."""

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
    """Add the lines, or overwrite entries with the same id; returns how many by table ("parts": 70).

    Raises `BadFiles` for a part with less on hand than bookings have reserved, and for a service whose skill no
    technician has.
    """
    # Locked, so that nobody reserves between the check and the change.
    present = {
        sheet: {entry.id: entry for entry in await session.scalars(sheet.query.with_for_update())} for sheet in _SHEETS
    }
    if bad := [*_below_reserved(lines, present[_PARTS]), *_unskilled(lines, present[_TECHNICIANS])]:
        raise BadFiles(bad)
    for line in lines:
        _put(session, line, present[line.sheet].get(line.row.id), now)
    await bump(session)
    return dict(Counter(line.sheet.name for line in lines))


async def write(session: AsyncSession) -> dict[str, str]:
    """The whole catalogue, retired entries too, as CSV texts by file name; `read` takes them back."""
    return {f"{sheet.name}.csv": _csv(sheet, await session.scalars(sheet.query)) for sheet in _SHEETS}


def as_catalogue(lines: Iterable[Line]) -> Catalogue:
    """The catalogue that these lines alone would make, without a database; its version is 0."""
    entries = [
        line.sheet.table(**_values(line.row)) for line in lines if isinstance(line.row, CarRow) or not line.row.retired
    ]
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
    """The records that aren't blank, with the header, each with the number of its first line."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, number = [], 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                records.append((number, [_unescaped(cell.strip()) for cell in cells]))
            number = reader.line_num + 1
    except csv.Error as error:
        raise BadFiles([BadLine(file, number, f"can't be read as CSV: {error}")]) from error
    if not records:
        raise BadFiles([BadLine(file, 1, "the file is empty")])
    return records


def _sheet(file: str, header: list[str]) -> _Sheet:
    """The sheet with these columns, or else with the file's name."""
    name = PurePath(file).stem.lower()
    sheet = next((sheet for sheet in _SHEETS if set(sheet.columns) == set(header)), None) or next(
        (sheet for sheet in _SHEETS if sheet.name == name), None
    )
    if sheet is None:
        names = ", ".join(sheet.name for sheet in _SHEETS)
        raise BadFiles([BadLine(file, 1, f"neither the file's name nor its columns are those of {names}")])
    wrong = [
        *(f"unknown column {column!r}" for column in header if column not in sheet.columns),
        *(f"column {column!r} is missing" for column in sheet.columns if column not in header),
        *(f"column {column!r} stands twice" for column in sheet.columns if header.count(column) > 1),
    ]
    if wrong:
        raise BadFiles([BadLine(file, 1, each) for each in wrong])
    return sheet


def _line(file: str, number: int, sheet: _Sheet, header: list[str], cells: list[str]) -> list[Line] | list[BadLine]:
    if len(cells) != len(header):
        return [BadLine(file, number, f"has {len(cells)} cells, the header has {len(header)}")]
    try:
        row = sheet.row.model_validate({name: text for name, text in zip(header, cells, strict=True) if text})
    except ValidationError as refused:
        return [BadLine(file, number, reason(error)) for error in refused.errors()]
    return [Line(file, number, sheet, row)]


def _repeated(lines: Iterable[Line]) -> Iterator[BadLine]:
    first: dict[tuple[str, str], Line] = {}
    for line in lines:
        seen = first.setdefault((line.sheet.name, line.row.id), line)
        if seen is not line:
            yield BadLine(line.file, line.number, f"id {line.row.id} already stands on {seen.file} line {seen.number}")


# --- applying ----------------------------------------------------------------------------------


def _below_reserved(lines: Iterable[Line], parts: Mapping[str, _Entry]) -> Iterator[BadLine]:
    for line in lines:
        part = parts.get(line.row.id)
        if isinstance(line.row, PartRow) and isinstance(part, Part) and line.row.on_hand < part.reserved:
            why = f"on_hand must be at least {part.reserved}, which bookings have reserved, got {line.row.on_hand}"
            yield BadLine(line.file, line.number, why)


def _unskilled(lines: Iterable[Line], technicians: Mapping[str, _Entry]) -> Iterator[BadLine]:
    """Services that nobody could do after the import."""
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


def _put(session: AsyncSession, line: Line, entry: _Entry | None, now: datetime) -> None:
    values = _values(line.row)
    if not isinstance(line.row, CarRow):
        before = getattr(entry, "retired_at", None)
        values["retired_at"] = (before or now) if line.row.retired else None
    if entry is None:
        session.add(line.sheet.table(**values))
        return
    for column, value in values.items():
        setattr(entry, column, value)


# --- writing -----------------------------------------------------------------------------------


def _csv(sheet: _Sheet, entries: Iterable[_Entry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(sheet.columns)
    for entry in entries:
        writer.writerow(_escaped(cell(_value(entry, column))) for column in sheet.columns)
    return text.getvalue()


def _value(entry: _Entry, column: str) -> object:
    if column == "retired":
        return not isinstance(entry, Car) and entry.retired_at is not None
    return getattr(entry, column)


def _escaped(text: str) -> str:
    """A spreadsheet runs what begins like a formula, unless an apostrophe comes first (OWASP, "CSV Injection")."""
    return f"'{text}" if re.match(r"'*[=+\-@]", text) else text


def _unescaped(text: str) -> str:
    return text[1:] if re.match(r"'+[=+\-@]", text) else text
