import pytest
from any_message import words
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram_render import HTML
from bot.channels.text_fitting import numbered, shorten, split, upright, width
from core.messaging.messages import Option

BOLD = ("<b>", "</b>")


@settings(deadline=None)  # a busy machine is no failure
@given(words, st.integers(30, 200))
def test_no_piece_is_too_long_and_no_word_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(width(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from(["<b>tebal</b>", "&lt;", "&amp;", "kata", " ", "\n", "\n\n"]), max_size=80))
def test_every_piece_is_whole_html(tokens: list[str]) -> None:
    for piece in split("<b>" + "".join(token for token in tokens if "<" not in token) + "</b>", 40, BOLD):
        assert piece.count("<b>") == piece.count("</b>")
        assert piece.count("&") == piece.count(";")


def test_split_prefers_paragraphs_then_lines_then_words() -> None:
    assert split("satu\n\ndua tiga", 12) == ["satu", "dua tiga"]
    assert split("satu\ndua tiga", 12) == ["satu", "dua tiga"]
    assert split("satu dua tiga", 12) == ["satu dua", "tiga"]
    assert split("satuduatigaempat", 12) == ["satuduatigae", "mpat"]


def test_an_emoji_has_two_units_and_is_not_split() -> None:
    assert width("🎉") == 2
    assert shorten("🎉🎉🎉", 4) == "🎉…"
    assert split("🎉🎉🎉", 3) == ["🎉", "🎉", "🎉"]


def test_direction_overrides_are_removed_arabic_stays() -> None:
    assert upright("محمد \u202e0001 pR\u202c") == "محمد 0001 pR"


def test_each_numbered_option_is_one_line() -> None:
    lines = numbered((Option("a", "kata " * 2_000), Option("b", "<b>", "sisa\n2")), "id", HTML).split("\n")
    assert [line[:7] for line in lines] == ["1. kata", "2. &lt;"]
    assert lines[1] == "2. &lt;b&gt;: sisa 2"
    assert all(width(line) <= 200 for line in lines)


@pytest.mark.parametrize("text", ["2*3 " * 10, "0*0", "a*b*c " * 9, "*tebal* 2*3 biasa " * 3])
def test_a_star_inside_a_word_opens_nothing(text: str) -> None:
    assert "".join(split(text, 20, ("*", "*"))).count("*") == text.count("*")


def test_bold_text_beside_stars_is_closed_at_a_cut() -> None:
    pieces = split("2*3 *tebal sekali sampai akhir* 4*5", 20, ("*", "*"))
    assert pieces[0].endswith("*")
    assert pieces[1].startswith("*")
    assert pieces[-1].endswith("4*5")
