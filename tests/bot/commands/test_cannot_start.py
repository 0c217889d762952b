"""What the server can't work with is one sentence and exit status 1, on start and in `bengkel check`."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.__main__ import main

CONFIG = str(Path(__file__).parents[3] / "config.yaml")


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The database's file, and any free port."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENGKEL_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("BENGKEL_SERVER__PORT", "0")
    return tmp_path / "shop.db"


@pytest.fixture
def used_port(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("BENGKEL_SERVER__PORT", str(port))
        yield port


def sentence(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that fails writes: one line."""
    command, *rest = words
    assert main([command, "--config", CONFIG, *rest]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if " WARNING " not in line]
    assert len(said) == 1, said
    return said[0]


def finding(capsys: pytest.CaptureFixture[str], part: str) -> str:
    """What `check` says of a part."""
    main(["check", "--config", CONFIG])
    return next(line for line in capsys.readouterr().out.splitlines() if f"{part}: " in line)


def make_newer(file: Path) -> None:
    main(["db", "--config", CONFIG, "upgrade"])
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_tomorrow'")
        connection.commit()


def test_a_newer_schema_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_newer(file)
    before = file.read_bytes()
    for words in (["run"], ["db", "upgrade"], ["inbox"]):
        assert "schema from_tomorrow, which this version doesn't know" in sentence(capsys, *words)
    assert finding(capsys, "database").startswith("bad database: The database has schema from_tomorrow")
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("harga speaker\n" * 1000)
    for words in (["run"], ["db", "upgrade"], ["inbox"]):
        assert "shop.db is no SQLite database" in sentence(capsys, *words)
    assert "shop.db is no SQLite database" in finding(capsys, "database")
    assert file.read_text() == "harga speaker\n" * 1000


def test_a_folder_in_place_of_the_database_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.mkdir()
    assert sentence(capsys, "run") == "The database can't be used: unable to open database file"
    assert finding(capsys, "database") == "bad database: unable to open database file"


def test_a_port_in_use_is_named(used_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"Can't listen at 127.0.0.1:{used_port}: another program uses this port (server.host, server.port)."
    assert sentence(capsys, "run") == words
    assert finding(capsys, "server") == f"bad server: {words}"


def test_a_port_in_use_stops_the_demo_too(used_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert "another program uses this port (--port)." in sentence(capsys, "demo", "--port", str(used_port))
