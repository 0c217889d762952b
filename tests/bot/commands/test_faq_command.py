"""`bengkel faq`, as an owner types it."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from bot.__main__ import main

CONFIG = str(Path(__file__).parents[3] / "config.yaml")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def faq(*words: str) -> int:
    return main(["faq", "--config", CONFIG, *words])


def test_the_demo_goes_in_and_out_and_in_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert faq("import", "demo") == 0
    assert "10 pertanyaan" in capsys.readouterr().out
    assert faq("export", "out/faq.xlsx") == 0
    assert faq("export", "out/faq.csv") == 0
    assert capsys.readouterr().out.splitlines() == ["out/faq.xlsx", "out/faq.csv"]
    sheet = load_workbook("out/faq.xlsx")["faq"]
    assert [cell.value for cell in sheet[1]] == ["id", "question", "spellings", "answer", "answer_en"]
    for file in ("out/faq.xlsx", "out/faq.csv"):
        assert faq("import", file, "--language", "en") == 0
        assert "In the FAQ: 10 questions" in capsys.readouterr().out


def test_an_answer_keeps_its_signs_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Path("faq.csv").write_text('question;answer\nBisa jam 8?;"=Bisa, Kak;\nbuka jam 8 | 9"\n', "utf-8")
    assert faq("import", "faq.csv") == 0
    assert faq("export", "out.csv") == 0
    assert faq("import", "out.csv") == 0
    assert '"\'=Bisa, Kak;\nbuka jam 8 | 9"' in Path("out.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("question,answer\nAda?,\n", "faq.csv baris 2: answer masih kosong\nBelum ada yang diimpor."),
        ("pertanyaan\nAda?\n", "kolom 'pertanyaan' tidak dikenal"),
        (None, "faq.csv tidak ditemukan."),
    ],
)
def test_a_bad_file_is_refused(content: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if content is not None:
        Path("faq.csv").write_text(content, "utf-8")
    assert faq("import", "faq.csv") == 1
    assert said in capsys.readouterr().err
