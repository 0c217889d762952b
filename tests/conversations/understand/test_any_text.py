"""No text can break the readers, however long."""

from datetime import UTC, date, datetime

import pytest
from demo_catalogue import DEMO
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import make_shop

from conversations.understand import understand
from conversations.understand.answers import read_choice, read_command, read_quantity, read_skip, read_year, read_yes_no
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from conversations.understand.lexicon import Lexicon
from conversations.understand.when import read_when

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SHOP = make_shop()
LEXICON = Lexicon.of(DEMO)
WORDS = [
    "jam",
    "tgl",
    "setengah",
    "kurang",
    "lewat",
    "besok",
    "minggu",
    "depan",
    "hari",
    "lagi",
    "senin",
    "in",
    "at",
    "next",
    "5",
    "31",
    "25",
    "0",
    "2026",
    "12/12",
    "13.30",
    ".",
    ",",
    "/",
    "-",
    ":",
    "x",
    "rp",
    "jt",
    "inch",
    "<day>",
    "<car>",
    "avanza",
    "speaker",
    "mazda",
    "2",
    "batal",
    "dari",
    "ke",
    "sampai",
    "tidak",
    "jadi",
    "kemarin",
    "sore",
    "ini",
    "am",
    "pm",
    "november",
    "the",
    "th",
    "dua",
    "puluh",
    "ribu",
]

any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
near_grammar = st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda space: space.join(words))
)


@settings(deadline=None)  # the first phone number loads the world's numbering plans
@given(text=any_text | near_grammar)
def test_every_reader_takes_any_text(text: str) -> None:
    understood = understand(text, LEXICON, now=NOW, shop=SHOP)

    assert understood.date is None or date(1, 1, 1) <= understood.date <= date(9999, 12, 31)
    assert understood.time is None or understood.part_of_day is None
    for read in (
        read_yes_no,
        read_phone,
        is_landline,
        read_email,
        read_name,
        read_plate,
        read_quantity,
        read_skip,
        read_command,
    ):
        read(text)
    read_when(text, NOW, SHOP)
    read_year(text, NOW)
    read_choice(text, ["Speaker", "10:00", "👍", ""])


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "jam " * 2_500,
        "5/" * 5_000,
        "1.000." * 1_700,
        "speker avnza " * 800,
        "dua puluh " * 1_000,
        "a@" * 5_000,
        "0812" * 2_500,
        "ya " * 3_300,
        "\u202eمرحبا 👨\u200d👩\u200d👧 " * 400,
    ],
    ids=["one word", "jam", "slashes", "thousands", "typos", "numbers", "at signs", "digits", "yes", "rtl and emoji"],
)
def test_ten_thousand_characters_are_read(text: str) -> None:
    """`make bench` shows how long that takes."""
    understand(text, LEXICON, now=NOW, shop=SHOP)
    for read in (
        read_yes_no,
        read_phone,
        is_landline,
        read_email,
        read_name,
        read_plate,
        read_quantity,
        read_skip,
        read_command,
    ):
        read(text)
    read_choice(text, ["Speaker", "Amplifier"])
