"""The `bengkel` commands, as typed."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from shops import MONDAY_8_AM

from bot.__main__ import main
from core.db.database import Database
from core.upkeep import failed_turns

CONFIG = str(Path(__file__).parents[3] / "config.yaml")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def bengkel(*words: str) -> int:
    command, *rest = words
    return main([command, "--config", CONFIG, *rest])


def test_exported_catalogue_imports_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bengkel("catalog", "import", "demo") == 0
    assert "113 barang" in capsys.readouterr().out
    assert bengkel("catalog", "export", "first") == 0
    files = sorted(str(file) for file in (tmp_path / "first").glob("*.csv"))
    assert bengkel("catalog", "import", *files) == 0
    assert bengkel("catalog", "export", "second") == 0
    for file in files:
        assert Path(file).read_text() == (tmp_path / "second" / Path(file).name).read_text()


def test_bad_row_is_named_and_nothing_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bengkel("catalog", "import", "demo")
    bengkel("catalog", "export", "out")
    parts = tmp_path / "out" / "parts.csv"
    lines = parts.read_text().splitlines()
    good = lines[1].split(",")
    lines[1] = ",".join(["changed-id", *good[1:]])
    lines[2] = lines[2].replace(lines[2].split(",")[4], "1.2jt", 1)
    parts.write_text("\n".join(lines))
    capsys.readouterr()
    assert bengkel("catalog", "import", str(parts)) == 1
    assert "parts.csv baris 3: price" in capsys.readouterr().err
    bengkel("catalog", "export", "after")
    assert "changed-id" not in (tmp_path / "after" / "parts.csv").read_text()


def test_understand_prints_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bengkel("understand", "--now", "2026-11-23T08:00:00+07:00", "bsk jam 10 bs ga bang", "siang bang") == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "date": "2026-11-24",
        "time": "10:00",
        "acts": [
            {"act": "inform", "slot": "date", "value": "2026-11-24", "text": "bsk"},
            {"act": "inform", "slot": "time", "value": "10:00", "text": "jam 10"},
        ],
    }
    assert second == {"intent": "greet", "acts": [{"act": "greet", "text": "siang"}]}


def test_understand_creates_no_database(tmp_path: Path) -> None:
    bengkel("understand", "halo")
    assert list(tmp_path.iterdir()) == []


def test_check_reports_off_and_bad_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert bengkel("check") == 1
    output = capsys.readouterr().out
    assert "ok  database" in output
    assert "off telegram" in output
    assert "bad staff" in output


def test_db_upgrade_can_be_repeated() -> None:
    assert bengkel("db", "upgrade") == 0
    assert bengkel("db", "upgrade") == 0


def test_schema_too_old_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bengkel("db", "upgrade")
    with closing(sqlite3.connect(tmp_path / "data" / "bengkel.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '0007'")
    for command in (("db", "upgrade"), ("run",)):
        assert bengkel(*command) == 1
        said = capsys.readouterr().err
        assert "schema 0007" in said
        assert said.count("\n") == 1
    assert bengkel("check") == 1
    assert "schema 0007" in capsys.readouterr().out


def test_missing_database_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENGKEL_DATABASE__URL", "postgresql+asyncpg://nobody@127.0.0.1:1/none")
    assert bengkel("db", "upgrade") == 1
    assert capsys.readouterr().err.startswith("The database can't be used:")


def test_bad_settings_are_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENGKEL_SERVER__PORT", "abc")
    assert bengkel("run") == 1
    assert capsys.readouterr().err.count("\n") == 1


BROKEN = {
    "update_id": 900,
    "message": {
        "message_id": 1,
        "date": 1,
        "chat": {"id": 7000000005, "type": "private"},
        "from": {"id": 7000000005, "is_bot": False, "first_name": "Budi"},
        "text": "halo",
    },
}


async def _fail_at(file: Path, raw: dict[str, object]) -> None:
    database = Database(f"sqlite+aiosqlite:///{file}")
    async with database.write() as session:
        await failed_turns.store(
            session,
            channel="telegram",
            event_id="900",
            address="7000000005",
            raw=raw,
            error="KeyError",
            now=MONDAY_8_AM,
        )
    await database.close()


def test_failed_message_is_listed_shown_and_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bengkel("inbox") == 0
    assert capsys.readouterr().out == "No failed messages.\n"
    asyncio.run(_fail_at(tmp_path / "data" / "bengkel.db", BROKEN))
    bengkel("inbox", "list")
    assert capsys.readouterr().out == "2026-11-23 01:00:00Z  telegram 900  from …005  KeyError\n"
    assert bengkel("inbox", "show", "telegram", "900") == 0
    assert json.loads(capsys.readouterr().out) == BROKEN
    assert bengkel("inbox", "replay", "telegram", "900") == 0
    assert "telegram 900: answered" in capsys.readouterr().out
    assert bengkel("inbox", "replay", "telegram", "900") == 0
    assert "telegram 900: was answered before" in capsys.readouterr().out
    assert bengkel("inbox", "show", "telegram", "900") == 1
    assert "was answered" in capsys.readouterr().err


def test_second_failure_is_reported_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bengkel("db", "upgrade")
    asyncio.run(_fail_at(tmp_path / "data" / "bengkel.db", {"update_id": 900, "message": "no message"}))
    assert bengkel("inbox", "replay", "--all") == 1
    output = capsys.readouterr()
    assert "telegram 900: failed again" in output.out
    assert "1 of 1 failed again" in output.err
    bengkel("inbox")
    assert "telegram 900" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("show",), "bengkel inbox show CHANNEL EVENT_ID"),  # which one?
        (("replay", "telegram"), "bengkel inbox replay CHANNEL EVENT_ID"),  # half a name
        (("replay", "telegram", "901"), "no telegram message 901"),  # never came
    ],
)
def test_missing_message_is_named(words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bengkel("inbox", *words) == 1
    assert named in capsys.readouterr().err


def test_backup_reports_its_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bengkel("db", "upgrade")
    assert bengkel("backup", "kept.db") == 0
    assert capsys.readouterr().out.endswith("kept.db: 0 customers, 0 bookings, 0 ledger entries, checked\n")
    assert bengkel("backup", "kept.db") == 1
    assert "never written over" in capsys.readouterr().err
    assert bengkel("backup") == 0
    assert len(list(tmp_path.glob("bengkel-*Z.db"))) == 1


def test_postgresql_backup_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BENGKEL_DATABASE__URL", "postgresql+asyncpg://nobody@127.0.0.1:1/none")
    assert bengkel("backup") == 1
    assert "pg_dump" in capsys.readouterr().err


def test_copy_needs_an_empty_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bengkel("catalog", "import", "demo")
    here, there = (f"sqlite+aiosqlite:///{tmp_path / name}" for name in ("data/bengkel.db", "there.db"))
    assert bengkel("db", "copy", here, there) == 0
    assert "part: rows 113" in capsys.readouterr().out
    assert bengkel("db", "copy", here, there) == 1
    assert "isn't empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("urls", "named"),
    [
        (("sqlite+aiosqlite:///a.db",), "FROM TO"),  # only one
        (("sqlite+aiosqlite:///none.db", "sqlite+aiosqlite:///b.db"), "no database"),  # nothing there
        (("mysql://a/b", "sqlite+aiosqlite:///b.db"), "url must begin with"),  # another kind
    ],
)
def test_impossible_copy_is_reported_in_one_line(
    urls: tuple[str, ...], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bengkel("db", "copy", *urls) == 1
    assert named in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
