"""Words by which people choose one of those shown, and what they ask about paying and holidays."""

import pytest
from demo_catalogue import DEMO

from conversations.understand.choosing import Terms, read_chosen, read_names, read_rank, read_season, read_terms
from core.catalogue import facts
from core.catalogue.attributes import Attributes, Rank

SHOWN = [
    DEMO.parts[name] for name in ("venom-vx-8-8-sl", "jbl-basspro-sl2", "venom-pandora-vp-10", "pioneer-ts-a300d4")
]
VX, BASSPRO, PANDORA, TSA = (part.id for part in SHOWN)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("yang murah aja", PANDORA),
        ("yg paling murah kak", PANDORA),
        ("the cheapest one please", PANDORA),
        ("yang paling bagus deh", BASSPRO),
        ("yang termahal", BASSPRO),
        ("yang kedua", BASSPRO),
        ("nomor 3", PANDORA),
        ("the last one", TSA),
        ("yg pioneer", TSA),
        ("yang venom kolong", VX),
        ("venom 8 inch", VX),
        ("yg venom 10 inch aja", PANDORA),
        ("basspro deh", BASSPRO),
        ("yg venom", None),
        ("yang murah ada garansi?", None),
        ("yg kenwood", None),
        ("yang paling bagus apa", None),
        ("yang mana yang murah", None),
        ("yg pioneer ada", None),
        ("berapa lama pasangnya", None),
        ("besok jam 10", None),
    ],
)
def test_one_of_those_shown_is_chosen_in_words(text: str, chosen: str | None) -> None:
    found = read_chosen(text, SHOWN, Attributes())
    assert (found.id if found else None) == chosen


def test_attributes_that_a_reader_found_decide() -> None:
    found = read_chosen("yg venom 8 inch", SHOWN, Attributes(brand="Venom", size="8"))
    assert found is not None
    assert found.id == VX


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("yg mrh aja", Rank.CHEAPEST),
        ("ada yang termurah", Rank.CHEAPEST),
        ("terbaik apa", Rank.BEST),
        ("yg paling kenceng", Rank.BEST),
        ("most expensive", Rank.DEAREST),
        ("baik kak", None),
        ("bagus ga", None),
    ],
)
def test_the_order_that_is_wanted_is_read(text: str, rank: Rank | None) -> None:
    assert read_rank(text) == rank


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("bisa cicil ga kak", {Terms.INSTALMENTS}),
        ("bisa pake paylater?", {Terms.INSTALMENTS}),
        ("bisa kartu kredit?", {Terms.METHODS}),
        ("bisa kredit?", {Terms.INSTALMENTS}),
        ("dp dulu berapa", {Terms.DOWN_PAYMENT}),
        ("uang mukanya brp", {Terms.DOWN_PAYMENT}),
        ("aman kan? takut penipuan", {Terms.SAFE}),
        ("is it a scam", {Terms.SAFE}),
        ("bisa transfer atau dp?", {Terms.METHODS, Terms.DOWN_PAYMENT}),
        ("bayarnya gimana", set()),
    ],
)
def test_what_is_asked_about_paying_is_read(text: str, asked: set[Terms]) -> None:
    assert read_terms(text) == asked


@pytest.mark.parametrize(
    ("text", "season"),
    [
        ("pas puasa buka jam berapa", "ramadan"),
        ("bulan ramadhan tetap buka?", "ramadan"),
        ("lebaran buka ga", "Idul Fitri"),
        ("idul adha libur?", "Idul Adha"),
        ("natal buka?", "Natal"),
        ("open on christmas?", "Natal"),
        ("tahun baru buka ga", "Tahun Baru Masehi"),
        ("tahun baru islam buka ga", "Tahun Baru Islam"),
        ("imlek?", "Imlek"),
        ("17 agustus buka", "Kemerdekaan"),
        ("tgl merah buka ga bang", "any"),
        ("are you open on public holidays", "any"),
        ("hari minggu buka?", None),
        ("buka jam berapa", None),
    ],
)
def test_holidays_are_read(text: str, season: str | None) -> None:
    assert read_season(text) == season


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bagusan mana skeleton sama avix", ["skeleton", "avix"]),
        ("rockford apa jbl yg bagus?", ["rockford fosgate", "jbl"]),
        ("PIONEER vs Kenwood", ["pioneer", "kenwood"]),
        ("yang mana yang bagus", []),
    ],
)
def test_brands_of_parts_are_found_in_their_order(text: str, found: list[str]) -> None:
    assert read_names(text, facts.brands(DEMO)) == found
