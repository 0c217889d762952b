"""`bengkel customer`, as the owner types it."""

import asyncio
import io
import json
import shutil
from pathlib import Path

import pytest
from paying import CHAT, CODE, book
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import update

from bot.__main__ import main
from core import media
from core.db.database import Database
from core.db.tables import Booking, Customer, WorkNote
from core.states import BookingStatus

CONFIG = str(Path(__file__).parents[3] / "config.yaml")
PHOTO = "ab" * 16 + ".jpg"


def customer(*words: str) -> int:
    return main(["customer", "--config", CONFIG, *words])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_templates: Path) -> Path:
    """The photo folder of a shop where Sari has a booking with a photo."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "data" / "photos"
    photos.mkdir(parents=True)
    for name in (PHOTO, media.thumbnail_key(PHOTO), "somebody-else.jpg"):
        (photos / name).write_text("")
    shutil.copy(sqlite_templates / "bare.db", tmp_path / "data" / "bengkel.db")
    asyncio.run(_sari_books())
    return photos


async def _sari_books() -> None:
    database = Database("sqlite+aiosqlite:///data/bengkel.db")
    await book(database, make_shop(), MONDAY_8_AM)
    async with database.write() as session:
        await session.execute(update(Customer).where(Customer.id == 1).values(phone="+6281234567890"))
        session.add(WorkNote(booking_id=1, at=MONDAY_8_AM, author="Andi", text="", photos=[PHOTO]))
    await database.close()


async def _is_done() -> None:
    database = Database("sqlite+aiosqlite:///data/bengkel.db")
    async with database.write() as session:
        await session.execute(update(Booking).values(status=BookingStatus.COMPLETED))
    await database.close()


@pytest.mark.parametrize("who", [CODE, CODE.lower(), "0812-3456-7890", "+6281234567890"])
def test_person_is_found_by_booking_or_number(who: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert customer("export", who) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["booking"][0]["name"] == "Sari"
    assert data["contact"][0]["address"] == CHAT[1]


def test_unknown_person_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert customer("export", "BK-NONE") == 1
    assert capsys.readouterr().err == "No customer found for BK-NONE: give a phone number or a booking code.\n"


def test_person_and_photos_are_erased_after_the_job(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert customer("erase", CODE, "--yes") == 1
    assert f"Still open: {CODE}" in capsys.readouterr().err
    asyncio.run(_is_done())
    assert customer("erase", CODE, "--yes") == 0
    assert "photos removed: 1." in capsys.readouterr().out
    assert [file.name for file in folder.iterdir()] == ["somebody-else.jpg"]
    customer("export", CODE)
    assert "Sari" not in capsys.readouterr().out


@pytest.mark.parametrize(("typed", "status"), [("yes\n", 0), ("no\n", 1), ("\n", 1)])
def test_erasing_needs_confirmation(
    typed: str, status: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_is_done())
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert customer("erase", CODE) == status
    assert "for good?" in capsys.readouterr().out
