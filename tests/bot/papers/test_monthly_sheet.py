"""The monthly report: a table, a safe CSV, and its month by any name."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from shops import make_shop

from bot.__main__ import main
from bot.papers import monthly_sheet
from conversations.understand.days import read_month
from core.reports.monthly import COUNTED, Month, Moved, Sale, Share, Work

CONFIG = str(Path(__file__).parents[3] / "config.yaml")
FORMULAS = ("=1+1", "+62", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1+1")


def month(*names: str) -> Month:
    """A month in which each of these names sold for 1.000, fully paid."""
    share = Share(len(names), 1_000 * len(names))
    money = Moved(1, received=1_000 * len(names))
    return Month(
        first=date(2026, 11, 1),
        money=money,
        methods={"gopay": money},
        sales=tuple(Sale("part", name, Share(1, 1_000)) for name in names),
        work=(Work(None, share, money),),
        bookings=dict.fromkeys(COUNTED, 0),
        outstanding=Share(),
        owed_back=Share(),
    )


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_names_are_never_formulas() -> None:
    content = monthly_sheet.as_csv(month(*FORMULAS), "id")
    assert content.startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8 by this alone"
    assert [row[2] for row in rows(content) if row[1] == "Terjual"] == [*(f"'{name}" for name in FORMULAS), "Total"]


def test_name_stays_in_its_cell_and_line() -> None:
    names = ('Speaker 6,5" ; =1', "dua\nbaris")
    assert [row[2] for row in rows(monthly_sheet.as_csv(month(*names), "id")) if row[1] == "Terjual"][:2] == [*names]
    table = "\n".join(monthly_sheet.as_table(month("a\x1b[2Jb\nc"), "id", make_shop()))
    assert "a [2Jb c" in table
    assert "\x1b" not in table


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("november", (2026, 11)),
        ("nov", (2026, 11)),
        ("desember", (2025, 12)),  # the latest past one
        ("october 2025", (2025, 10)),
        ("des 25", (2025, 12)),
        ("2026-11", (2026, 11)),
        ("11/2026", (2026, 11)),
        ("bulan ini", (2026, 11)),
        ("bulan lalu", (2026, 10)),
        ("last month", (2026, 10)),
        ("2026-12", None),  # in the future
        ("desember 2026", None),
        ("13/2026", None),
        ("0/2026", None),
        ("november 1999", None),
        ("purnama", None),
        ("9" * 500, None),
    ],
)
def test_month_may_be_given_in_words(said: str, meant: tuple[int, int] | None) -> None:
    assert read_month(said, date(2026, 11, 23)) == (date(*meant, 1) if meant else None)


def test_command_prints_a_table_or_writes_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    report = ["report", "--config", CONFIG, "--month", "2026-11"]
    assert main(report) == 0
    assert "laporan November 2026" in capsys.readouterr().out
    assert main([*report, "--csv", "out", "--language", "en"]) == 0
    assert capsys.readouterr().out == f"{Path('out/report-2026-11.csv')}\n"
    assert rows(Path("out/report-2026-11.csv").read_bytes())[0][:3] == ["Month", "Section", "Name"]
    with pytest.raises(SystemExit):
        main(["report", "--config", CONFIG, "--month", "november"])
