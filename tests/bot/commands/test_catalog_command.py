"""`bengkel catalog`, as an owner types it: files of every make in, CSV and XLSX out, and the demo out again."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.__main__ import main
from core.db.database import Database
from core.db.tables import Part, Technician

CONFIG = str(Path(__file__).parents[3] / "config.yaml")
HEADER = "id,name,category,brand,price,on_hand\n"
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_templates: Path) -> None:
    """A folder with an empty migrated database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_templates / "bare.db", tmp_path / "data" / "bengkel.db")


def catalog(*words: str) -> int:
    return main(["catalog", "--config", CONFIG, *words])


def in_database(work: Callable[[AsyncSession], Coroutine[Any, Any, Result]]) -> Result:
    async def run() -> Result:
        database = Database("sqlite+aiosqlite:///data/bengkel.db")
        try:
            async with database.write() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(run())


async def _parts(session: AsyncSession) -> dict[str, int]:
    return {part.id: part.price for part in await session.scalars(select(Part).order_by(Part.id))}


def workbook(file: str, **sheets: list[list[Any]]) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)


# --- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [("id", "113 barang, 25 jasa, 196 mobil, 5 teknisi"), ("en", "113 parts, 25 services, 196 cars, 5 technicians")],
)
def test_the_owners_language_is_spoken(language: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalog("import", "demo", "--language", language) == 0
    counts = capsys.readouterr().out.strip().partition(": ")[2].split(", ")
    assert sorted(counts) == sorted(said.split(", "))


def test_a_question_stops_the_import_until_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("parts.csv").write_text(f"{HEADER}a,A,Speaker,JBL,1.250,4\n")
    assert catalog("import", "parts.csv") == 1
    assert capsys.readouterr().err.splitlines() == [
        "parts.csv baris 2: price '1.250' terbaca Rp1.250; benar segitu?",
        "Belum ada yang diimpor. Kalau harga di atas memang benar, ulangi perintahnya dengan --yes.",
    ]
    assert in_database(_parts) == {}
    assert catalog("import", "parts.csv", "--yes") == 0
    assert in_database(_parts) == {"a": 1250}


# --- files of every make -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_is_read_in_each_encoding_that_excel_saves(encoding: str) -> None:
    Path("parts.csv").write_text(f"{HEADER}a,Café “Mini” 6½,speaker,JBL,500000,4\n", encoding)
    assert catalog("import", "parts.csv") == 0

    async def name(session: AsyncSession) -> str:
        return (await session.get_one(Part, "a")).name

    assert in_database(name) == "Café “Mini” 6½"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("parts.csv", HEADER.encode() + b"a,Caf\xe9 \xc3\xa9", "parts.csv baris 2: ada huruf yang tidak terbaca"),
        ("parts.csv", HEADER.encode() + b"a,\x81", "parts.csv baris 2: ada huruf yang tidak terbaca"),
        ("parts.csv", b"id\0name", "parts.csv bukan CSV maupun XLSX."),
        ("parts.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "parts.xls berformat Excel lama (.xls)"),
        ("parts.xlsx", b"PK\x03\x04 and nothing more", "parts.xlsx rusak, atau bukan XLSX"),
        ("parts.csv", b"", "parts.csv baris 1: berkasnya kosong"),
    ],
    ids=["damaged UTF-8", "no letter", "binary", "old Excel", "damaged XLSX", "empty"],
)
def test_a_file_that_cannot_be_read_is_named(
    name: str, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_bytes(content)
    assert catalog("import", name) == 1
    assert capsys.readouterr().err.startswith(said)


def test_a_folder_or_nothing_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalog("import", str(tmp_path)) == 1
    assert catalog("import", "nothing.csv") == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path} adalah folder; sebutkan berkas di dalamnya.",
        "nothing.csv tidak ditemukan.",
    ]


# --- XLSX --------------------------------------------------------------------------------------


def test_a_workbook_and_csv_hold_the_same(tmp_path: Path) -> None:
    assert catalog("import", "demo") == 0
    assert catalog("export", "first") == 0
    assert catalog("export", "katalog.xlsx") == 0
    Path("data/bengkel.db").unlink()
    assert catalog("import", "katalog.xlsx") == 0
    assert catalog("export", "second") == 0
    for file in sorted((tmp_path / "first").glob("*.csv")):
        assert file.read_text() == (tmp_path / "second" / file.name).read_text()


def test_numbers_are_numbers_and_text_is_never_a_formula() -> None:
    Path("parts.csv").write_text(f"{HEADER}a,'=1+1,speaker,'@JBL,1250000,4\nb,'-6,speaker,'+62,500000,0\n")
    assert catalog("import", "parts.csv") == 0
    assert catalog("export", "katalog.xlsx") == 0
    sheet = load_workbook("katalog.xlsx")["parts"]
    head, first, second = sheet.iter_rows()
    columns = [cell.value for cell in head]
    at = {name: columns.index(name) for name in ("name", "brand", "price", "on_hand")}
    assert [(first[at[name]].value, first[at[name]].data_type) for name in at] == [
        ("=1+1", "s"),
        ("@JBL", "s"),
        (1_250_000, "n"),
        (4, "n"),
    ]
    assert [second[at[name]].value for name in at] == ["-6", "+62", 500_000, 0]
    Path("data/bengkel.db").unlink()
    assert catalog("import", "katalog.xlsx") == 0

    async def name(session: AsyncSession) -> str:
        return (await session.get_one(Part, "a")).name

    assert in_database(name) == "=1+1"


def test_one_file_a_sheet_is_read_too() -> None:
    head = HEADER.strip().split(",")
    workbook("parts.xlsx", Sheet1=[head, ["a", "A", "Speaker", "JBL", 1_250_000, 4.0]], Sheet2=[])
    workbook("tim.xlsx", Teknisi=[["id", "name", "skills"], ["dedi", 2024, "tuning"]])
    assert catalog("import", "parts.xlsx", "tim.xlsx") == 0
    assert in_database(_parts) == {"a": 1_250_000}

    async def name(session: AsyncSession) -> str:
        return (await session.get_one(Technician, "dedi")).name

    assert in_database(name) == "2024"


def test_cells_of_a_workbook_mean_what_they_show() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "parts"
    sheet.append([*HEADER.strip().split(","), "discount", "is_available", None])
    sheet.append([])
    sheet.append(["a", "A", "Speaker", "JBL", "Rp 1.250.000", 4, 0.1, False, None])
    sheet["G3"].number_format = "0%"
    book.save("katalog.xlsx")
    assert catalog("import", "katalog.xlsx") == 0

    async def part(session: AsyncSession) -> Part:
        return await session.get_one(Part, "a")

    found = in_database(part)
    assert (found.price, found.discount, found.is_available) == (1_250_000, 10, False)


def test_what_a_workbook_may_not_hold_is_named_by_sheet_line_and_column(capsys: pytest.CaptureFixture[str]) -> None:
    workbook(
        "katalog.xlsx",
        parts=[
            HEADER.strip().split(","),
            ["a", "A", "speaker", "JBL", "=1000*1250", 4],
            ["b", "B", "speaker", "JBL", 1250.5, 4],
            ["c", "C", "speaker", "JBL", 1.25, date(2026, 5, 6)],
        ],
        cars=[["id", "brand", "model", "year_from"], ["d", "Honda", "Brio", date(2018, 1, 1)]],
    )
    assert catalog("import", "katalog.xlsx", "--language", "en") == 1
    assert capsys.readouterr().err.splitlines() == [
        "katalog.xlsx (parts) line 2: price holds the formula '=1000*1250'; copy it and paste it as a value (Paste Values)",
        "katalog.xlsx (parts) line 3: price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '1250.5'",
        "katalog.xlsx (parts) line 4: on_hand holds the date '2026-05-06'; format the cell as text or number, then type it again",
        "katalog.xlsx (parts) line 4: price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '1.25'",
        "katalog.xlsx (cars) line 2: year_from holds the date '2018-01-01'; format the cell as text or number, then type it again",
        "Nothing was imported. Correct the lines above, then try again.",
    ]
    assert in_database(_parts) == {}


def test_a_sheet_of_something_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    workbook("katalog.xlsx", Catatan=[["Harga naik bulan depan"]])
    assert catalog("import", "katalog.xlsx") == 1
    assert capsys.readouterr().err.startswith("katalog.xlsx (Catatan) baris 1: nama dan kolomnya bukan milik parts,")


def test_an_empty_workbook_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    workbook("katalog.xlsx", Sheet1=[])
    assert catalog("import", "katalog.xlsx") == 1
    assert capsys.readouterr().err.startswith("katalog.xlsx baris 1: berkasnya kosong")


def test_an_export_that_cannot_be_written_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("")
    assert catalog("export", "taken") == 1
    assert catalog("export", "taken/katalog.xlsx") == 1
    assert catalog("export", "one", "two") == 1
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("taken/parts.csv tidak bisa ditulis: ")
    assert second.startswith("taken/katalog.xlsx tidak bisa ditulis: ")
    assert third == "Sebutkan satu folder, atau satu berkas .xlsx."


# --- the demo out again ------------------------------------------------------------------------


def test_clear_demo_leaves_what_is_the_shops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog("import", "demo")
    Path("parts.csv").write_text(f"{HEADER}a,A,speaker,JBL,500000,4\n")
    Path("technicians.csv").write_text("id,phone\ndedi,+628111222333\n")
    assert catalog("import", "parts.csv", "technicians.csv") == 0
    capsys.readouterr()
    assert catalog("clear", "demo") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Dihapus dari katalog: 113 barang, 25 jasa, 196 mobil, 4 teknisi",
        "Tetap ada, karena sudah bukan isi demo: dedi",
    ]
    assert in_database(_parts) == {"a": 500_000}
    assert catalog("clear", "demo") == 0
    assert capsys.readouterr().out.startswith("Tidak ada isi demo di katalog.")


def test_only_the_demo_can_be_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    catalog("import", "demo")
    assert catalog("clear", "parts.csv") == 1
    assert "bengkel catalog clear demo" in capsys.readouterr().err
    assert len(in_database(_parts)) == 113


def test_the_manual_explains_every_column() -> None:
    from core.catalogue.csv_files import SHEETS

    manual = (Path(__file__).parents[3] / "docs" / "catalogue.md").read_text()
    for sheet in SHEETS:
        chapter = manual.partition(f"## {sheet.name}.csv")[2].partition("\n## ")[0]
        assert [line.split("`")[1] for line in chapter.splitlines() if line.startswith("| `")] == sheet.columns
