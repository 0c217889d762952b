"""Workbooks: whatever people write comes back as it was, and what was made to harm is refused."""

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import catalog_files
from bot.commands.catalog_files import BadFile
from conversations.texts import render
from core.catalogue import csv_files
from core.catalogue.csv_files import BadFiles, Records
from core.messaging.messages import Say

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)
FORMULA_LIKE = st.builds(str.__add__, st.sampled_from("=+-@'"), PRINTABLE)


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.just("id"), PRINTABLE | FORMULA_LIKE, st.integers(0, 1_000_000_000)), min_size=1, max_size=6
    )
)
def test_whatever_people_write_survives_a_workbook(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]
) -> None:
    header = ["id", "name", "price"]
    file = tmp_path_factory.mktemp("books") / "katalog.xlsx"
    file.write_bytes(catalog_files.workbook({"parts": [header, *map(list, rows)]}))
    ((name, records),) = catalog_files.load(file).items()
    assert name == f"{file} (parts)"
    assert not isinstance(records, str)
    written = [[id_, text, str(price)] for id_, text, price in rows]
    assert [list(cells) for _, cells in records] == [header, *written]


WORKBOOK = catalog_files.workbook({"parts": [["id", "name", "price"], ["a", "A", 1]], "cars": [["id"], ["b"]]})
TYPED = st.sampled_from(
    [
        *[
            "id",
            "name",
            "price",
            "year_from",
            "retired",
            "mounts",
            "parts",
            ",",
            ";",
            '"',
            "|",
            "=",
            "'",
            "\\",
            "a",
            "Ya",
            "1.250",
            "-5",
            "#REF!",
            "é",
        ],
        "\t",
        "\n",
        "\r",
        "\ufeff",
        "\0",
        " ",
        "Rp 1",
    ]
)
CSV = st.lists(TYPED, max_size=40).map(lambda pieces: "".join(pieces).encode())
DAMAGED = st.tuples(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=4)).map(
    lambda change: WORKBOOK[: change[0]] + change[1] + WORKBOOK[change[0] + len(change[1]) :]
)
CUT = st.integers(4, len(WORKBOOK)).map(lambda end: WORKBOOK[:end])


@settings(max_examples=150)
@given(content=CSV | st.binary(max_size=60) | DAMAGED | CUT)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "parts.csv"
    file.write_bytes(content)
    assert all(render(why, "id") for why in refusals(file))


def refusals(file: Path) -> list[Say]:
    try:
        csv_files.read(catalog_files.load(file))
    except BadFile as refused:
        return [refused.why]
    except BadFiles as refused:
        return [line.sentence for line in refused.lines]
    return []


def sheet_of(content: bytes, xml: bytes) -> bytes:
    """A workbook whose first sheet is this XML."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(target, "w", ZIP_DEFLATED) as copy:
        for name in source.namelist():
            copy.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else source.read(name))
    return target.getvalue()


def refusal(file: Path) -> str:
    with pytest.raises(BadFile) as refused:
        catalog_files.load(file)
    return refused.value.why.key


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData>&b;</sheetData></worksheet>'
    file = tmp_path / "katalog.xlsx"
    file.write_bytes(sheet_of(catalog_files.workbook({"parts": [["id"]]}), bomb))
    assert refusal(file) == "catalogue.file.broken"


def test_a_bomb_of_zeros_is_refused_unopened(tmp_path: Path) -> None:
    file = tmp_path / "katalog.xlsx"
    file.write_bytes(sheet_of(catalog_files.workbook({"parts": [["id"]]}), bytes(201_000_000)))
    assert refusal(file) == "catalogue.file.too_big"


def test_another_zip_is_no_workbook(tmp_path: Path) -> None:
    file = tmp_path / "katalog.xlsx"
    with ZipFile(file, "w") as archive:
        archive.writestr("content.xml", "<ods/>")
    assert refusal(file) == "catalogue.file.broken"


def test_a_line_keeps_its_number_in_the_sheet(tmp_path: Path) -> None:
    file = tmp_path / "katalog.xlsx"
    file.write_bytes(catalog_files.workbook({"parts": [["id", "name"], ["", ""], ["a", "A"]]}))
    (records,) = catalog_files.load(file).values()
    expected: Records = [(1, ["id", "name"]), (3, ["a", "A"])]
    assert records == expected


def test_a_cell_that_xlsx_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        catalog_files.workbook({"parts": [["id", "description"], ["a", "x" * 32_768]]})
    assert refused.value.why.params == {"id": "a", "column": "description"}
