"""The catalogue's files on disk: CSV in whatever encoding it was saved, and XLSX through openpyxl.

openpyxl is the one library that writes XLSX, reads it and tells a formula from its last result; defusedxml, which it uses
where it is installed, refuses XML bombs.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from core.catalogue.cells import shown
from core.catalogue.csv_files import Cell, Records, Unreadable
from core.messaging.messages import Say, say

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_MEGABYTES = 200
_LONGEST_CELL = 32_767
"""XLSX's own limit, in characters."""
_WIDEST = 40


class BadFile(Exception):
    """A file that can't be read or written, with a sentence."""

    def __init__(self, why: Say) -> None:
        super().__init__(why)
        self.why = why


# --- reading -----------------------------------------------------------------------------------


def load(file: Path) -> dict[str, str | Records]:
    """A CSV file's text, or the records of an XLSX file's sheets, by name; raises `BadFile`."""
    content = _bytes(file)
    if content.startswith(_OLE):
        raise BadFile(say("catalogue.file.old_excel", file=str(file)))
    if content.startswith(_ZIP):
        return _sheets(file, content)
    return {str(file): _text(file, content)}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadFile(say("catalogue.file.missing", file=str(file))) from None
    except IsADirectoryError:
        raise BadFile(say("catalogue.file.folder", file=str(file))) from None
    except OSError as error:
        raise BadFile(say("catalogue.file.unreadable", file=str(file), why=error.strerror or str(error))) from None


def _text(file: Path, content: bytes) -> str:
    """UTF-8, UTF-16 with its mark (Excel's "Unicode text"), or else Windows-1252 (Excel's plain "CSV")."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        text = _windows_text(file, content, error)
    if "\0" in text:
        raise BadFile(say("catalogue.file.binary", file=str(file)))
    return text


def _windows_text(file: Path, content: bytes, error: UnicodeDecodeError) -> str:
    # Letters that are valid UTF-8 beside some that aren't: a damaged UTF-8 file, which Windows-1252 would garble.
    is_damaged = error.encoding != "utf-8" or not content.decode("utf-8", "ignore").isascii()
    try:
        if not is_damaged:
            return content.decode("cp1252")
    except UnicodeDecodeError as unknown:
        error = unknown
    number = content.count(b"\n", 0, error.start) + 1
    raise BadFile(say("catalogue.file.encoding", file=str(file), number=number))


def _sheets(file: Path, content: bytes) -> dict[str, str | Records]:
    try:
        _check_size(file, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that openpyxl skips
            book = load_workbook(BytesIO(content), read_only=True)
            found = {sheet.title: _records(sheet.iter_rows()) for sheet in book.worksheets}
    except BadFile:
        raise
    except Exception as error:
        # A damaged file surfaces as whatever openpyxl stumbles over: KeyError, ValueError, ParseError, …
        raise BadFile(say("catalogue.file.broken", file=str(file))) from error
    filled: dict[str, str | Records] = {f"{file} ({title})": records for title, records in found.items() if records}
    return filled or {str(file): []}


def _check_size(file: Path, content: bytes) -> None:
    try:
        size = sum(entry.file_size for entry in ZipFile(BytesIO(content)).infolist())
    except BadZipFile:
        raise BadFile(say("catalogue.file.broken", file=str(file))) from None
    if size > _MOST_MEGABYTES * 1_000_000:
        raise BadFile(say("catalogue.file.too_big", file=str(file), megabytes=_MOST_MEGABYTES))


def _records(rows: Iterable[Sequence[Any]]) -> Records:
    records = ((number, [_cell(cell) for cell in row]) for number, row in enumerate(rows, start=1))
    return [(number, cells) for number, cells in records if any(cells)]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        return Unreadable(say("catalogue.formula", got=shown(getattr(value, "text", value))))
    if cell.data_type == "e":
        return Unreadable(say("catalogue.broken", got=shown(value)))
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime() if value.time() == time():
            return Unreadable(say("catalogue.date", got=shown(value.date())))
        case date() | time() | timedelta():
            return Unreadable(say("catalogue.date", got=shown(value)))
        case int() | float() if "%" in cell.number_format:
            return f"{value * 100:.15g}%"
        case float():
            return f"{value:.15g}" if value != int(value) else str(int(value))
        case _:
            return str(value).strip()


# --- writing -----------------------------------------------------------------------------------


def workbook(tables: Mapping[str, Sequence[Sequence[str | int]]]) -> bytes:
    """An XLSX file with a sheet for each table; text stays text also where it looks like a formula."""
    book = Workbook(write_only=True)
    for name, (header, *rows) in tables.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "B2"
        for number, column in enumerate(zip(header, *rows, strict=True)):
            widest = max(len(str(content)) for content in column)
            sheet.column_dimensions[_letter(number)].width = min(widest, _WIDEST) + 2
        sheet.append([_heading(sheet, str(column)) for column in header])
        for row in rows:
            _check_lengths(header, row)
            sheet.append([_written(sheet, content) for content in row])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _letter(number: int) -> str:
    return chr(ord("A") + number)


def _check_lengths(header: Sequence[str | int], row: Sequence[str | int]) -> None:
    for column, content in zip(header, row, strict=True):
        if len(str(content)) > _LONGEST_CELL:
            raise BadFile(say("catalogue.file.long_cell", id=row[0], column=column))


def _heading(sheet: Any, name: str) -> Any:
    cell = _written(sheet, name)
    cell.font = Font(bold=True)
    return cell


def _written(sheet: Any, content: str | int) -> Any:
    if isinstance(content, int):
        return WriteOnlyCell(sheet, content)
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", content) or None)
    cell.number_format = "@"  # text, so that Excel makes no date of 6-5 that is typed here
    if content:
        cell.data_type = "s"  # "=1+1" too
    return cell


def save(files: Mapping[Path, bytes]) -> list[Path]:
    """Write files, with their folders; raises `BadFile`."""
    for file, content in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            why = error.strerror or str(error)
            raise BadFile(say("catalogue.file.unwritable", file=str(file), why=why)) from None
    return list(files)
