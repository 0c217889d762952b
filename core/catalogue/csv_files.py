"""The catalogue as files: texts or records ── read ──> lines ── apply ──> tables ── write ──> texts

An import takes all lines, or none if one is bad, and names all bad ones. Entries that no file mentions stay, and so does
what a file has no column for. Commas, semicolons (Excel in Indonesia) or tabs separate cells, with or without BOM.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import NamedTuple, TypeAlias, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue.cells import cell, is_unclear_money, shown
from core.catalogue.csv_rows import (
    CarRow,
    CatalogueRow,
    PartRow,
    ServiceRow,
    TechnicianRow,
    conflict,
    heading,
    needed,
    reason,
    without,
)
from core.catalogue.snapshot import Catalogue, bump
from core.db.tables import Car, Part, Service, Technician
from core.messaging.messages import Say, say

Entry = Part | Service | Car | Technician
_One = TypeVar("_One", Part, Service, Car, Technician)

_BROKEN = re.compile(r"#(?:REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|N/A)")
FAR_OFF = 5
"""A price that differs from the present one by this factor is probably a slip: a digit more or less, and some change."""
LEAST_PRICE = 1_000
"""A part for less rupiah is probably a slip: a price in thousands, or none."""
MOST_TITLE_LINES = 10
"""How many lines may stand above the headings."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file: its name, its rows, the table that they go to, and other words for its name."""

    name: str
    row: type[CatalogueRow]
    table: type[Entry]
    words: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return list(self.row.model_fields)

    @property
    def query(self) -> Select[Entry]:
        return cast(Select[Entry], select(self.table).order_by(self.table.id))


_PARTS = Sheet("parts", PartRow, Part, ("parts", "part", "produk", "barang"))
_TECHNICIANS = Sheet("technicians", TechnicianRow, Technician, ("technicians", "technician", "teknisi"))
SHEETS = (
    _PARTS,
    Sheet("services", ServiceRow, Service, ("services", "service", "layanan", "jasa")),
    Sheet("cars", CarRow, Car, ("cars", "car", "mobil")),
    _TECHNICIANS,
)


class Unreadable(NamedTuple):
    """A spreadsheet's cell that holds neither text nor a number."""

    why: Say


Cell: TypeAlias = str | Unreadable
Records: TypeAlias = Sequence[tuple[int, Sequence[Cell]]]
"""A sheet's rows that aren't blank, the header first, each with its number."""


class Line(NamedTuple):
    """A valid line of a file; of its row only the columns that the file has count."""

    file: str
    number: int
    sheet: Sheet
    row: CatalogueRow
    columns: frozenset[str]
    values: dict[str, object]
    """What the row says in these columns."""
    unclear_price: str | None = None
    """The price as written, if that can be read in two ways."""


class Remark(NamedTuple):
    """What is wrong or doubtful at a line."""

    file: str
    number: int
    why: Say

    @property
    def sentence(self) -> Say:
        return say("catalogue.line", file=self.file, number=self.number, why=self.why)


class BadFiles(Exception):
    """All lines that can't be imported; nothing was."""

    def __init__(self, lines: Sequence[Remark]) -> None:
        super().__init__(lines)
        self.lines = tuple(lines)


class InDoubt(Exception):
    """All lines that may be slips; nothing was imported."""

    def __init__(self, lines: Sequence[Remark]) -> None:
        super().__init__(lines)
        self.lines = tuple(lines)


def read(files: Mapping[str, str | Records], known: Mapping[str, set[str]] | None = None) -> list[Line]:
    """The lines of CSV texts, or of a spreadsheet's records, by file name; raises `BadFiles`.

    `known` are the catalogue's ids by sheet, for files whose columns and names leave open what they hold.
    """
    found = [line for file, content in files.items() for line in _lines(file, content, known or {})]
    bad = [line for line in found if isinstance(line, Remark)]
    good = [line for line in found if isinstance(line, Line)]
    bad.extend(_repeated(good))
    if bad:
        raise BadFiles(sorted(bad, key=lambda line: (list(files).index(line.file), line.number)))
    return good


async def apply(session: AsyncSession, lines: Sequence[Line], *, now: datetime, sure: bool = False) -> dict[str, int]:
    """Add the lines, or change entries with the same id; returns how many by sheet ("parts": 70).

    Raises `BadFiles` for what contradicts the catalogue (a new entry without its columns, less on hand than bookings
    have reserved, a skill that no technician has), and `InDoubt` for prices that may be slips, unless `sure`.
    """
    # Locked, so that nobody reserves between the check and the change.
    present = {
        sheet: {entry.id: entry for entry in await session.scalars(sheet.query.with_for_update())} for sheet in SHEETS
    }
    bad = [each for line in lines for each in _misfits(line, present[line.sheet].get(line.row.id))]
    if bad := [*bad, *_unskilled(lines, present[_TECHNICIANS])]:
        raise BadFiles(bad)
    doubts = [each for line in lines for each in _doubts(line, present[line.sheet].get(line.row.id))]
    if doubts and not sure:
        raise InDoubt(doubts)
    await _put(session, lines, present, now)
    await bump(session)
    return dict(Counter(line.sheet.name for line in lines))


async def ids(session: AsyncSession) -> dict[str, set[str]]:
    """All ids by sheet."""
    return {sheet.name: set(await session.scalars(select(sheet.table.id))) for sheet in SHEETS}


async def rows(session: AsyncSession) -> dict[str, list[list[str | int]]]:
    """The whole catalogue, retired entries too, by sheet: the header, then the rows; numbers are numbers."""
    return {
        sheet.name: [
            list(sheet.columns),
            *([_content(_value(entry, column)) for column in sheet.columns] for entry in entries),
        ]
        for sheet in SHEETS
        for entries in [await session.scalars(sheet.query)]
    }


async def write(session: AsyncSession) -> dict[str, str]:
    """The whole catalogue as CSV texts by file name; `read` takes them back."""
    return {f"{name}.csv": _csv(table) for name, table in (await rows(session)).items()}


def uniform_records(file: str, content: str | Records) -> Records:
    """The records of any CSV text or sheet, the header first with its names as columns; raises `BadFiles`."""
    (at, head), *rest = _uniform(file, _records(file, content) if isinstance(content, str) else content)
    return [(at, [_column(name) for name in head]), *rest]


def csv_text(table: Sequence[Sequence[str | int]]) -> str:
    """Rows as CSV, safe to open in a spreadsheet."""
    return _csv(table)


def as_catalogue(lines: Iterable[Line]) -> Catalogue:
    """The catalogue that these complete lines alone would make, without a database; its version is 0."""
    entries = [
        line.sheet.table(**line.row.model_dump(exclude={"retired"}))
        for line in lines
        if isinstance(line.row, CarRow) or not line.row.retired
    ]
    return Catalogue(
        version=0,
        parts=_only(Part, entries),
        services=_only(Service, entries),
        cars=_only(Car, entries),
        technicians=_only(Technician, entries),
    )


def _only(table: type[_One], entries: Iterable[Entry]) -> dict[str, _One]:
    return {entry.id: entry for entry in entries if isinstance(entry, table)}


# --- reading -----------------------------------------------------------------------------------


def _lines(file: str, content: str | Records, known: Mapping[str, set[str]]) -> Iterator[Line | Remark]:
    try:
        found = _records(file, content) if isinstance(content, str) else content
        records = _uniform(file, _from_headings(found))
        (at, head), *rest = records
        header = [_column(name) for name in head]
        named = {cells[header.index("id")] for _, cells in rest} if "id" in header else set()
        sheet = _sheet(file, at, header, {name for name, ids_ in known.items() if named and named <= ids_})
    except BadFiles as refused:
        yield from refused.lines
        return
    for number, cells in rest:
        yield from _line(file, number, sheet, dict(zip(header, cells, strict=True)))


def _records(file: str, text: str) -> Records:
    """The records of a CSV text that aren't blank, each with the number of its first line."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    records, number = [], 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                records.append((number, [_unescaped(cell.strip()) for cell in cells]))
            number = reader.line_num + 1
    except csv.Error as error:
        is_long = "limit" in str(error)
        why = say("catalogue.cell_without_end") if is_long else say("catalogue.quotation_mark")
        raise BadFiles([Remark(file, number, why)]) from error
    found = _from_headings(records)
    width = len(found[0][1]) if found else 0
    if odd := [
        Remark(file, number, say("catalogue.cells", found=len(cells), expected=width))
        for number, cells in found
        if len(cells) < width or any(cells[width:])
    ]:
        raise BadFiles(odd)
    return found


def _delimiter(text: str) -> str:
    """The sign between the headings, or else in the first line."""
    first = [line for line in text.split("\n", MOST_TITLE_LINES * 2) if line.strip(" ;,\t")][:MOST_TITLE_LINES]
    for line in first:
        for sign in ";\t,":
            if "id" in (heading(name.strip('" ')) for name in line.split(sign)):
                return sign
    return next((sign for sign in ";\t" if sign in "".join(first[:1])), ",")


def _from_headings(records: Records) -> Records:
    """The records without a title, or `sep=;`, above the headings."""
    at = next((at for at, (_, cells) in enumerate(records[:MOST_TITLE_LINES]) if "id" in map(_column, cells)), 0)
    return records[at:]


def _uniform(file: str, records: Records) -> Records:
    """The records without columns that are blank all over, which spreadsheets leave behind, and all equally long."""
    if not records:
        raise BadFiles([Remark(file, 1, say("catalogue.empty"))])
    width = max(len(cells) for _, cells in records)
    full = [(number, [*cells, *[""] * (width - len(cells))]) for number, cells in records]
    used = [column for column in range(width) if any(cells[column] for _, cells in full)]
    uniform = [(number, [cells[column] for column in used]) for number, cells in full]
    if odd := [
        Remark(file, number, say("catalogue.no_heading", got=_shown(content)))
        for number, cells in uniform[1:]
        for name, content in zip(uniform[0][1], cells, strict=True)
        if content and not name
    ]:
        raise BadFiles(odd)
    return uniform


def _column(name: Cell) -> str:
    return heading(name) if isinstance(name, str) else _shown(name)


def _shown(content: Cell) -> str:
    return shown(content) if isinstance(content, str) else "?"


def _sheet(file: str, at: int, header: list[str], knowing: set[str]) -> Sheet:
    """The sheet with these columns, or else with a word of the file's name, or else the only one that knows the columns,
    or else the ids (`knowing`).
    """
    words = re.findall(r"[a-z]+", PurePath(file).name.lower())
    named = next((sheet for word in reversed(words) for sheet in SHEETS if word in sheet.words), None)
    fitting = [sheet for sheet in SHEETS if set(header) <= set(sheet.columns)]
    sheet = next((each for each in fitting if len(each.columns) == len(header)), None)
    if sheet is None and named in fitting:
        sheet = named
    if sheet is None:
        sheet = _only_one(fitting) or _only_one([each for each in fitting if each.name in knowing])
    if sheet is None and named is None:
        raise BadFiles([Remark(file, at, _unknown(fitting))])
    sheet = sheet or cast(Sheet, named)
    wrong = [
        *(say("catalogue.unknown_column", column=shown(column)) for column in header if column not in sheet.columns),
        *([] if "id" in header else [say("catalogue.no_id")]),
        *(say("catalogue.twice", column=column) for column in sheet.columns if header.count(column) > 1),
    ]
    if wrong:
        raise BadFiles([Remark(file, at, each) for each in wrong])
    return sheet


def _only_one(sheets: Sequence[Sheet]) -> Sheet | None:
    return sheets[0] if len(sheets) == 1 else None


def _unknown(fitting: Sequence[Sheet]) -> Say:
    names = ", ".join(sheet.name for sheet in fitting or SHEETS)
    return say("catalogue.which_sheet", names=names) if fitting else say("catalogue.no_sheet", names=names)


def _line(file: str, number: int, sheet: Sheet, cells: Mapping[str, Cell]) -> list[Line] | list[Remark]:
    broken = {name: found for name, content in cells.items() if (found := _unreadable(content))}
    wrong = [say("catalogue.cell", column=name, why=found.why) for name, found in broken.items()]
    given = frozenset(cells) - broken.keys()
    row = without(sheet.row, frozenset(sheet.columns) - given)
    try:
        valid = row.model_validate({name: cells[name] for name in given if cells[name]})
    except ValidationError as refused:
        wrong += map(reason, refused.errors())
        return [Remark(file, number, why) for why in wrong]
    values = {name: getattr(valid, name) for name in sheet.columns if name in given}
    price = str(cells.get("price", ""))
    line = Line(file, number, sheet, valid, given, values, price if is_unclear_money(price) else None)
    if contradiction := conflict(values):
        wrong.append(contradiction)
    return [Remark(file, number, why) for why in wrong] or [line]


def _unreadable(content: Cell) -> Unreadable | None:
    if isinstance(content, Unreadable):
        return content
    return Unreadable(say("catalogue.broken", got=shown(content))) if _BROKEN.fullmatch(content) else None


def _repeated(lines: Iterable[Line]) -> Iterator[Remark]:
    first: dict[tuple[str, str], Line] = {}
    for line in lines:
        seen = first.setdefault((line.sheet.name, line.row.id), line)
        if seen is not line:
            why = say("catalogue.repeated", id=line.row.id, file=seen.file, number=seen.number)
            yield Remark(line.file, line.number, why)


# --- applying ----------------------------------------------------------------------------------


def _misfits(line: Line, entry: Entry | None) -> Iterator[Remark]:
    """Why a line can't be added to the catalogue, or change its entry."""
    if entry is None:
        missing = [name for name in needed(line.sheet.row) if name not in line.columns]
        if missing:
            why = say("catalogue.new", id=line.row.id, columns=", ".join(missing))
            yield Remark(line.file, line.number, why)
            return
    names = [column for column in line.sheet.columns if column != "retired"]
    before = {name: getattr(entry, name) if entry else getattr(line.row, name) for name in names}
    if contradiction := conflict({**before, **line.values}):
        yield Remark(line.file, line.number, contradiction)
    on_hand = line.values.get("on_hand")
    if isinstance(entry, Part) and isinstance(on_hand, int) and on_hand < entry.reserved:
        yield Remark(line.file, line.number, say("catalogue.below_reserved", reserved=entry.reserved, got=on_hand))


def _doubts(line: Line, entry: Entry | None) -> Iterator[Remark]:
    """Why a line's price may be a slip."""
    price = line.values.get("price")
    before = getattr(entry, "price", None)
    if not isinstance(price, int) or price == before:
        return
    if entry is None and line.sheet is _PARTS and price < LEAST_PRICE:
        yield Remark(line.file, line.number, say("catalogue.unclear_price", got=shown(price), price=price))
    elif line.unclear_price is not None:
        yield Remark(line.file, line.number, say("catalogue.unclear_price", got=shown(line.unclear_price), price=price))
    if before and (price >= before * FAR_OFF or price * FAR_OFF <= before):
        yield Remark(line.file, line.number, say("catalogue.price_jump", id=line.row.id, before=before, price=price))


def _unskilled(lines: Iterable[Line], technicians: Mapping[str, Entry]) -> Iterator[Remark]:
    """Services that nobody could do after the import."""
    team = {
        id_: each.skills for id_, each in technicians.items() if isinstance(each, Technician) and not each.retired_at
    }
    for line in lines:
        if isinstance(line.row, TechnicianRow):
            team[line.row.id] = _skills(line, technicians.get(line.row.id))
    skills = {skill for each in team.values() for skill in each}
    for line in lines:
        skill = line.values.get("skill")
        if skill is not None and skill not in skills:
            yield Remark(line.file, line.number, say("catalogue.no_technician", skill=shown(skill)))


def _skills(line: Line, entry: Entry | None) -> list[str]:
    """What a technician can do after the import."""
    before = {"skills": getattr(entry, "skills", []), "retired": bool(getattr(entry, "retired_at", None))}
    after: dict[str, object] = {**before, **line.values}
    return [] if after["retired"] else cast(list[str], after["skills"])


async def _put(
    session: AsyncSession, lines: Sequence[Line], present: Mapping[Sheet, Mapping[str, Entry]], now: datetime
) -> None:
    """Change the entries, and add new ones in one statement for each file's columns."""
    added: dict[tuple[Sheet, tuple[str, ...]], list[dict[str, object]]] = {}
    for line in lines:
        entry, values = present[line.sheet].get(line.row.id), dict(line.values)
        if (retired := values.pop("retired", None)) is not None:
            values["retired_at"] = (getattr(entry, "retired_at", None) or now) if retired else None
        if entry is None:
            added.setdefault((line.sheet, tuple(values)), []).append(values)
            continue
        for column, value in values.items():
            if getattr(entry, column) != value:
                setattr(entry, column, value)
    for (sheet, _), rows_ in added.items():
        await session.execute(insert(sheet.table), rows_)


# --- writing -----------------------------------------------------------------------------------


def _csv(table: Sequence[Sequence[str | int]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_escaped(str(content)) for content in line] for line in table)
    return text.getvalue()


def _content(value: object) -> str | int:
    return value if isinstance(value, int) and not isinstance(value, bool) else cell(value)


def _value(entry: Entry, column: str) -> object:
    if column == "retired":
        return not isinstance(entry, Car) and entry.retired_at is not None
    return getattr(entry, column)


def _escaped(text: str) -> str:
    """A spreadsheet runs what begins like a formula, unless an apostrophe comes first (OWASP, "CSV Injection")."""
    return f"'{text}" if re.match(r"'*[=+\-@]", text) else text


def _unescaped(text: str) -> str:
    return text[1:] if re.match(r"'+[=+\-@]", text) else text
