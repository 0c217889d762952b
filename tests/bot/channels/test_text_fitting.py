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


def test_a_text_is_cut_at_a_paragraph_before_a_line_before_a_word() -> None:
    assert split("satu\n\ndua tiga", 12) == ["satu", "dua tiga"]
    assert split("satu\ndua tiga", 12) == ["satu", "dua tiga"]
    assert split("satu dua tiga", 12) == ["satu dua", "tiga"]
    assert split("satuduatigaempat", 12) == ["satuduatigae", "mpat"]


def test_an_emoji_counts_two_and_is_never_halved() -> None:
    assert width("🎉") == 2
    assert shorten("🎉🎉🎉", 4) == "🎉…"
    assert split("🎉🎉🎉", 3) == ["🎉", "🎉", "🎉"]


def test_a_name_cannot_turn_the_line_around_but_stays_arabic() -> None:
    assert upright("محمد \u202e0001 pR\u202c") == "محمد 0001 pR"


def test_an_option_of_any_length_stays_on_the_line_of_its_number() -> None:
    lines = numbered((Option("a", "kata " * 2_000), Option("b", "<b>", "sisa\n2")), "id", HTML).split("\n")
    assert [line[:7] for line in lines] == ["1. kata", "2. &lt;"]
    assert lines[1] == "2. &lt;b&gt;: sisa 2"
    assert all(width(line) <= 200 for line in lines)
