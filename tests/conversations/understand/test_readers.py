"""Short answers to the question on the screen."""

from datetime import datetime

import pytest

from conversations.understand.answers import (
    Command,
    read_choice,
    read_command,
    read_quantity,
    read_skip,
    read_year,
    read_yes_no,
)
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate


@pytest.mark.parametrize(
    "text",
    [
        "ya",
        "iya",
        "iyaa",
        "yoi",
        "ok",
        "oke",
        "sip",
        "gas",
        "boleh",
        "betul",
        "lanjut",
        "gpp",
        "gapapa kok",
        "ya udah",
        "iya dong kak",
        "udah bener semua",
        "sure",
        "no problem",
        "👍",
        "bener kak 🙏",
        "Ya.",
        "OKEEE",
    ],
)
def test_yes(text: str) -> None:
    assert read_yes_no(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "tidak",
        "ga",
        "gak",
        "enggak",
        "ngga deh",
        "kagak",
        "jangan",
        "jgn dulu",
        "belum",
        "ga usah",
        "ga jadi",
        "no",
        "nope",
        "bukan itu",
        "ga bisa",
        "tdk mau",
        "❌",
    ],
)
def test_no(text: str) -> None:
    assert read_yes_no(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "boleh ga?",  # a question back
        "boleh ga",
        "ya tapi jamnya ganti",  # yes, but
        "mau pasang speaker",
        "jam 10",
        "kak",
        "",
        "?",
    ],
)
def test_neither_yes_nor_no(text: str) -> None:
    assert read_yes_no(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0812-3456-7890", "+6281234567890"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("81234567890", "+6281234567890"),
        ("(0812) 3456 7890", "+6281234567890"),
        ("no hp saya 0812 3456 7890 ya kak", "+6281234567890"),
        ("WA: 081234567890, kantor 021-7654321", "+6281234567890"),
        ("+65 9123 4567", "+6591234567"),  # a foreign mobile that says so
        ("021-7654321", None),
        ("0812", None),
        ("1234567890123456789", None),
        ("nomor saya yang kemarin", None),
        ("", None),
    ],
)
def test_a_mobile_number_is_read(text: str, number: str | None) -> None:
    assert read_phone(text) == number


@pytest.mark.parametrize(
    ("text", "landline"), [("021-7654321", True), ("(022) 4201234", True), ("0812-3456-7890", False), ("12345", False)]
)
def test_landline_is_recognised(text: str, landline: bool) -> None:
    assert is_landline(text) is landline


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("budi@gmail.com", "budi@gmail.com"),
        ("email saya Budi.S+wa@Gmail.com, ya", "Budi.S+wa@gmail.com"),
        ("<budi@gmail.com>.", "budi@gmail.com"),
        ("budi@", None),
        ("@budi", None),
        ("budi@gmail", None),
        ("budi gmail com", None),
        ("a@b\r\nBcc: c@d.com", "c@d.com"),  # a line end ends an address
    ],
)
def test_an_email_address_is_picked_out(text: str, address: str | None) -> None:
    assert read_email(text) == address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Budi Santoso", "Budi Santoso"),
        ("nama saya Budi Santoso", "Budi Santoso"),
        ("a.n. Sari", "Sari"),
        ("atas nama: pak agus ya kak", "Agus"),
        ("my name is John", "John"),
        ("McArthur", "McArthur"),
        ("siti nur'aini", "Siti Nur'Aini"),
        ("Masdar", "Masdar"),  # no "mas" to strip
        ("محمد", "محمد"),
        ("12345", None),
        ("081234567890", None),
        ("👍", None),
        ("", None),
        ("   ", None),
        ("a" * 81, None),
        ("budi@gmail.com", None),
        ("harganya berapa?", None),
    ],
)
def test_name_is_read_without_words_around_it(text: str, name: str | None) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("B 1234 XYZ", "B 1234 XYZ"),
        ("b1234xyz", "B 1234 XYZ"),
        ("plat AB-1234-CD ya", "AB 1234 CD"),
        ("D 1 A", "D 1 A"),
        ("B 0123 XY", None),  # numbers don't begin with 0
        ("XX 123 AB", None),  # no such area
        ("B 12345 XY", None),
        ("jam 10", None),
        ("b 1234", None),
    ],
)
def test_a_number_plate_is_read(text: str, plate: str | None) -> None:
    assert read_plate(text) == plate


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2018", 2018),
        ("thn 18 kak", 2018),
        ("'05", 2005),
        ("98", 1998),
        ("dua ribu dua belas", 2012),
        ("2027", 2027),  # next year's cars are sold already
        ("2028", None),
        ("1979", None),
        ("18000", None),
        ("2015 atau 2016", None),
        ("lupa", None),
    ],
)
def test_a_cars_year_is_read(text: str, year: int | None, now: datetime) -> None:
    assert read_year(text, now) == year


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("2", 2),
        ("dua", 2),
        ("2 pcs aja", 2),
        ("sepasang", 1),
        ("0", 0),  # read as said, refused by the shop's rule
        ("-1", -1),
        ("1000000", 1_000_000),
        ("9 inch", None),
        ("6.5", None),
        ("2 atau 3", None),
        ("banyak", None),
    ],
)
def test_quantity_is_read(text: str, quantity: int | None) -> None:
    assert read_quantity(text) == quantity


@pytest.mark.parametrize(
    "text", ["lewati", "skip", "Skip aja kak", "ga ada", "nggak punya", "gak punya email", "-", "tidak"]
)
def test_a_question_is_skipped(text: str) -> None:
    assert read_skip(text)


@pytest.mark.parametrize("text", ["budi@gmail.com", "ada", "B 1234 XYZ", ""])
def test_answer_is_not_a_skip(text: str) -> None:
    assert not read_skip(text)


CATEGORIES = ("Speaker", "Amplifier", "Subwoofer", "Head unit")
SLOTS = ("09:00 (2/3)", "10:00", "11:00 (1/3)", "13:00")


@pytest.mark.parametrize(
    ("text", "labels", "index"),
    [
        ("2", CATEGORIES, 1),
        ("no 2", CATEGORIES, 1),
        ("nomor dua aja kak", CATEGORIES, 1),
        ("yang kedua", CATEGORIES, 1),
        ("pilih 2", CATEGORIES, 1),
        ("ke-3", CATEGORIES, 2),
        ("the second one", CATEGORIES, 1),
        ("terakhir", CATEGORIES, 3),
        ("speaker", CATEGORIES, 0),
        ("spiker", CATEGORIES, 0),
        ("sub woofer", CATEGORIES, 2),
        ("yg hed unit", CATEGORIES, 3),
        ("5", CATEGORIES, None),  # the list has four
        ("0", CATEGORIES, None),
        ("jam berapa", CATEGORIES, None),
        ("", CATEGORIES, None),
        ("?", CATEGORIES, None),
        ("09:00", SLOTS, 0),
        ("10", SLOTS, 1),  # beyond the list, so the label that begins with it
        ("11", SLOTS, 2),
        ("40", ("30%", "40%", "50%"), 1),
        ("40%", ("30%", "40%", "50%"), 1),
        ("4", ("1", "2", "4"), 2),  # a label goes before a place
        ("pioneer", ("Pioneer TS-A1670F", "Pioneer TS-Z65CH"), None),  # could be either
        ("a1670f", ("Pioneer TS-A1670F", "Pioneer TS-Z65CH"), 0),
        ("pioneer ts a1670f", ("Pioneer TS-A1670F", "Pioneer TS-Z65CH"), 0),
        ("1", (), None),
        ("terakhir", (), None),
    ],
)
def test_a_choice_is_read_from_a_list(text: str, labels: tuple[str, ...], index: int | None) -> None:
    assert read_choice(text, labels) == index


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("kembali", Command.BACK),
        ("balik", Command.BACK),
        ("mundur dong", Command.BACK),
        ("ulang dari awal", Command.START_OVER),
        ("/start", Command.START_OVER),
        ("batal", Command.CANCEL),
        ("Batalkan aja kak", Command.CANCEL),
        ("gajadi deh", Command.CANCEL),
        ("bantuan", Command.HELP),
        ("?", Command.HELP),
        ("menu", Command.MENU),
        ("admin", Command.HUMAN),
        ("english please", Command.LANGUAGE_EN),
        ("bahasa indonesia", Command.LANGUAGE_ID),
        ("ganti bahasa", Command.LANGUAGE),
        ("batalkan booking saya yang besok", None),  # about an appointment: the intent
        ("bisa mundur sejam?", None),
        ("jam 10", None),
        ("", None),
    ],
)
def test_a_command_is_the_whole_message(text: str, command: Command | None) -> None:
    assert read_command(text) == command
