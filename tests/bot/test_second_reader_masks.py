"""What leaves the shop for a second reader: the line without what tells who wrote it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from shops import MONDAY_8_AM, make_shop

from bot.config import Settings
from bot.second_reader import masked
from bot.timeouts import Timeouts
from conversations.engine import Unread
from core.catalogue.snapshot import Catalogue
from core.db.tables import Technician

KNOWN = Catalogue(0, {}, {}, {}, {"agus": Technician(id="agus", name="Agus Salim")})


def _sent(text: str) -> str:
    return masked(Unread(text, None, MONDAY_8_AM, KNOWN, ("Siti Zubaidah",)))


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("hub 081234567890 ya", "081234567890"),
        ("wa +62 812-3456-7890", "3456"),
        ("nomor 812 3456 7890", "3456"),
        ("rek 1234567", "1234567"),
        ("kode 54321", "54321"),
        ("plat b 1234 xyz", "1234"),
        ("email a.b@contoh.example ya", "contoh"),
        ("lihat https://foto.example/siti", "foto"),
        ("ig @zul_karnain", "zul_karnain"),
        ("di -6.2922, 106.7972", "7972"),
        ("jl. kemang raya no 5, cilandak", "kemang"),
        ("jalan melati 12 depok", "melati"),
        ("blok M rt 3", "M rt"),
        ("ini zubaidah lagi", "zubaidah"),
        ("nama saya Zulkifli", "Zulkifli"),
        ("sama pak Zulkarnaen ya", "Zulkarnaen"),
    ],
)
def test_personal_data_is_masked(text: str, private: str) -> None:
    assert private.casefold() not in _sent(text).casefold()


@pytest.mark.parametrize(
    "text", ["biar jedag jedug di avanza 2018 jam 10", "sama mas agus aja", "budget 2 juta", "kalau jalan bunyi krek"]
)
def test_what_is_needed_to_read_it_stays(text: str) -> None:
    assert _sent(text) == text


def test_it_has_two_seconds() -> None:
    assert Timeouts().second_reader == timedelta(seconds=2)


def test_its_key_is_a_secret() -> None:
    section = {"url": "https://model.example/v1", "model": "m", "key": "very-secret"}
    settings = Settings.model_validate({"workshop": make_shop(), "second_reader": section})
    assert "very-secret" in settings.secrets
    assert "very-secret" not in repr(settings)


@pytest.mark.parametrize("missing", ["url", "model", "key"])
def test_half_a_second_reader_is_refused(missing: str) -> None:
    section = {"url": "https://model.example/v1", "model": "m", "key": "k"} | {missing: ""}
    with pytest.raises(ValidationError, match=f"{missing} is missing"):
        Settings.model_validate({"workshop": make_shop(), "second_reader": section})
